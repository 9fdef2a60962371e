// What a page's links are resolved by, and which of its elements count for that: its `<base>` and its `<meta>`.
import type { Dom } from '../../core/page.ts';
import type { Document } from '../document.ts';
import { baseOf, type LinkBase } from './resolve.ts';

/** What is read of a page. */
export type LinkedDocument = Pick<Document, 'text' | 'isMarkup' | 'encoding' | '$'>;

/** @param url The page's own address, after redirects. */
export function linkBaseOf(document: LinkedDocument, url: string): LinkBase {
  const own = { url, encoding: document.encoding };
  // Most pages have none, and most handlers have not asked for the tree.
  if (!document.isMarkup || !/<base\b/i.test(document.text)) return own;
  const [first] = live(document.$, 'base[href]');
  return baseOf(first?.attribs['href'] ?? null, own);
}

/** The elements that match and do something in a browser that runs scripts: what stands in `<noscript>` or `<template>` is text or
 *  a template there, and in a picture it is no HTML. */
export function live($: Dom, selector: string): { readonly attribs: Readonly<Record<string, string>> }[] {
  return $(selector)
    .toArray()
    .flatMap((element) => ('attribs' in element && $(element).closest(INERT).length === 0 ? [element] : []));
}

const INERT = 'noscript, template, svg, math';
