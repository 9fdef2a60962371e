// Whether a page had to be rendered at all: what its scripts have added to the document as it was sent. The ladder learns
// from it, at no further request (core/ladder.ts).
import { load } from '../cheerio.ts';
import type { Response } from 'playwright';

import { decodeBody } from '../decode.ts';
import { ofBrowser } from './waits.ts';

/** A page's scripts always add something: a date, a count, a name. */
const MORE = 1.2;
const A_LITTLE = 50;

/** @param rendered The document as it is read. @returns Undefined where the document as it was sent cannot be had any more. */
export async function neededRendering(answer: Response | null, rendered: string): Promise<boolean | undefined> {
  if (!answer) return undefined;
  // Of a document that has stopped itself (`window.stop()`), nobody says that it has come to its end.
  const sent = await ofBrowser(answer.body()).catch(() => null);
  if (!sent) return undefined;
  return addsText(decodeBody(sent, answer.headers()['content-type']), rendered);
}

/** Whether one document has clearly more to read than another. */
export function addsText(sent: string, rendered: string): boolean {
  return visibleLength(rendered) > visibleLength(sent) * MORE + A_LITTLE;
}

function visibleLength(html: string): number {
  const $ = load(html);
  $('script, style, noscript, template').remove();
  return $('body').text().replaceAll(/\s+/g, ' ').trim().length;
}
