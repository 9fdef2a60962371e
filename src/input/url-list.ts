// Start URLs that stand in a file elsewhere: which of the Actor's start URLs are such files (`requestsFromUrl`, as the form's
// "Link remote text file" writes it), where they are to be fetched, and what addresses their text has. commands/ fetches them.
import { isHttpUrl, tidyUrl } from './http-url.ts';

/** The lists in the Actor's input: address by position among its start URLs. */
export function listsIn(actorInput: unknown): ReadonlyMap<number, string> {
  const { startUrls } = (actorInput ?? {}) as { startUrls?: unknown };
  const sources: readonly unknown[] = Array.isArray(startUrls) ? startUrls : [];
  return new Map(
    sources.flatMap((source, index) => (isList(source) ? [[index, tidyUrl(String(source.requestsFromUrl))] as const] : [])),
  );
}

/** A list's address stands among the start URLs until it is fetched, so that it is checked as they are. */
export function withListAddresses(startUrls: unknown): unknown {
  if (!Array.isArray(startUrls)) return startUrls;
  return startUrls.map((source: unknown) => {
    if (!isList(source) || 'url' in source) return source;
    const { requestsFromUrl: url, ...rest } = source;
    return { url, ...rest };
  });
}

function isList(source: unknown): source is { requestsFromUrl: unknown } {
  return typeof source === 'object' && source !== null && Object.hasOwn(source, 'requestsFromUrl');
}

const SHEET =
  /^https:\/\/docs\.google\.com\/spreadsheets\/(?:u\/\d+\/)?d\/(?!e\/)([\w-]+)(?:\/(?:edit|view|preview|htmlview)?)?(?=$|[?#])/;
const PUBLISHED_SHEET = /^(https:\/\/docs\.google\.com\/spreadsheets\/d\/e\/[\w-]+)\/pubhtml(?=$|[?#])/;

/** The address at which Google gives a sheet as CSV, for one that a person has copied from the browser; else null. */
export function toSheetAsCsv(url: string): string | null {
  const tab = /[?&#]gid=(\d+)/.exec(url)?.[1];
  const ofTab = tab === undefined ? '' : `&gid=${tab}`;
  const [, sheet] = SHEET.exec(url) ?? [];
  if (sheet !== undefined) return `https://docs.google.com/spreadsheets/d/${sheet}/gviz/tq?tqx=out:csv${ofTab}`;
  const [, published] = PUBLISHED_SHEET.exec(url) ?? [];
  return published === undefined ? null : `${published}/pub?output=csv${ofTab}`;
}

// Each character is looked at once, however long the text. Crawlee's own pattern wants a name with a top-level domain, so it
// finds neither addresses of numbers nor `localhost`, and cuts at marks of other scripts.
const ADDRESS = /https?:\/\/(?:\[[\da-f:.]+\]|[^\s,;"<>|\\^`{}[\]/?#])[^\s,;"<>|\\^`{}[\]]*/giu;

/** The addresses in a text, each once, in its order. As for Crawlee they end at a blank, a comma, a semicolon, a quote or
 *  an angle bracket. @param isMarkup In HTML and XML, `&amp;` stands for `&`. */
export function findUrls(text: string, { isMarkup = false } = {}): string[] {
  const plain = isMarkup ? text.replaceAll(/&(?:amp|#38|#x26);/gi, '&') : text;
  const found = new Set<string>();
  for (const [match] of plain.matchAll(ADDRESS)) {
    const url = match.endsWith("'") ? match.slice(0, -1) : match;
    if (isHttpUrl(url)) found.add(url);
  }
  return [...found];
}
