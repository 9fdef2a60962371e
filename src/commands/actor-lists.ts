// Lists among the Actor's start URLs (`requestsFromUrl`): each is fetched, and its addresses stand in its place.
import { SurefootError } from '../core/errors.ts';
import { createHeaderPolicy } from '../fetch/headers.ts';
import { fetchUrlList } from '../fetch/url-list.ts';
import type { Settings } from '../input/schema.ts';
import { findUrls, listsIn, toSheetAsCsv } from '../input/url-list.ts';

const MEBIBYTE = 1024 * 1024;

export type NamedAmong = (startUrls: readonly string[]) => readonly string[];

export interface StartUrls {
  readonly startUrls: readonly string[];
  /** Which of a run's start URLs a person has named, the lists among them: an address that only a list has is no more
   *  trusted than a link of a page. */
  readonly namedAmong: NamedAmong;
  /** What was read, a sentence a list. */
  readonly read: readonly string[];
}

/** @param settings Each list's address is among its start URLs, unless the command line has others.
 *  @throws {SurefootError} kind `input`: a list that cannot be fetched, or has no address in it. */
export async function readLists(settings: Settings, actorInput: unknown, version: string): Promise<StartUrls> {
  const lists = listsIn(actorInput);
  const named = new Set(settings.startUrls);
  const startUrls = new Set<string>();
  const fetched: string[] = [];
  const read: string[] = [];
  for (const [index, url] of settings.startUrls.entries()) {
    if (lists.get(index) !== url) {
      startUrls.add(url);
      continue;
    }
    const found = await readList(url, index, settings, version);
    for (const each of found) startUrls.add(each);
    fetched.push(url);
    read.push(`${found.length} start ${found.length === 1 ? 'URL' : 'URLs'} in ${url}.`);
  }
  if (fetched.length === 0) return { startUrls: settings.startUrls, namedAmong: (urls) => urls, read };
  const namedAmong: NamedAmong = (urls) => [...urls.filter((url) => named.has(url) || !startUrls.has(url)), ...fetched];
  return { startUrls: [...startUrls], namedAmong, read };
}

async function readList(url: string, index: number, settings: Settings, version: string): Promise<string[]> {
  const { maxBodyMb, allowPrivate, headers: mode, contact } = settings;
  const asCsv = toSheetAsCsv(url);
  const address = asCsv ?? url;
  const headers = createHeaderPolicy({ mode, version, ...(contact !== undefined && { contact }) });
  const list = await fetchUrlList(address, {
    headers: headers({ request: { url: address }, sessionId: '' }),
    maxBodyBytes: maxBodyMb * MEBIBYTE,
    allowPrivate,
  });
  const refuse = (why: string) =>
    new SurefootError('input', `startUrls[${index}] in the Actor's input: the list ${url} cannot be used: ${why}.`);
  if ('why' in list) throw refuse(`${list.why}. Check its address, and that it can be read without logging in`);
  if (asCsv !== null && list.isMarkup) throw refuse('Google gives a page in its place. Share it with anyone who has the link');
  const urls = findUrls(list.text, { isMarkup: list.isMarkup });
  if (urls.length === 0) throw refuse('it has no http(s) URL in it');
  return urls;
}
