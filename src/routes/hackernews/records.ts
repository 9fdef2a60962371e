// The types of this site: what a request carries to its handler, what a story looks like in the export,
// and how the text of a page becomes such values.
import { z } from 'zod';

/** `request.userData` per label. A start URL has none, so every key needs `.optional()` or `.default()`. */
export const USER_DATA = {
  LIST: z.object({ pageNumber: z.int().positive().default(1) }),
  DETAIL: z.object({ foundOn: z.string().optional() }),
};
export type ListData = z.output<typeof USER_DATA.LIST>;
export type DetailData = z.output<typeof USER_DATA.DETAIL>;

/** One story. The order of the keys is the order of the CSV's columns. Be strict: a record that does not fit is kept with
 *  the rejected rows, where it can be seen; one that "somehow" fits is found out much later. */
export const STORY = z.object({
  id: z.int().positive(),
  /** Null where the page shows no title: a comment's own page, or a story that is only "[flagged]" or "[dead]". */
  title: z.string().min(1).nullable(),
  /** Where the title leads; for a text post that is the story's own page. */
  url: z.url().nullable(),
  score: z.int().nonnegative(),
  author: z.string().min(1).nullable(),
  commentCount: z.int().nonnegative(),
  itemUrl: z.url(),
  fetchedAt: z.iso.datetime(),
  tier: z.string().min(1),
});

/** The id of a story, or undefined if the text is not one ("", "up_123", "0"). */
export function toItemId(text: string | null | undefined): number | undefined {
  const id = /^[1-9]\d*$/.test(text ?? '') ? Number(text) : undefined;
  return Number.isSafeInteger(id) ? id : undefined;
}

/** "1,234 points" → 1234; 0 if the text does not begin with a number. */
export function toCount(text: string | undefined): number {
  const digits = /^\s*(\d[\d,]*)/.exec(text ?? '')?.[1] ?? '0';
  return Number(digits.replaceAll(',', ''));
}

/** Text as a reader sees it, line breaks of the source collapsed; null if nothing is left. */
export function toText(text: string): string | null {
  return text.replace(/[ \t\r\n\f]+/g, ' ').trim() || null;
}

/** `href` as an absolute http(s) URL, or null: pages do contain broken links and `javascript:` ones. */
export function toUrl(href: string | undefined, pageUrl: string): string | null {
  if (!href || !URL.canParse(href, pageUrl)) return null;
  const url = new URL(href, pageUrl);
  return /^https?:$/.test(url.protocol) ? url.href : null;
}
