// The first line of a crawl: what it crawls, and whether it goes on with an earlier one.
import type { RunInput, RunRecord } from '../core/run.ts';
import { toCount, toPages } from './figures.ts';

/** @param run.total Pages known. @param run.handled Pages with an outcome. */
export function openingLine({
  run,
  resumes,
  demoUrl,
  total,
  handled,
  proxies,
}: {
  run: RunRecord;
  resumes: boolean;
  demoUrl: string | null;
  total: number;
  handled: number;
  /** What requests go through; null: nothing, they come from this machine's own address. */
  proxies: string | null;
}): string {
  const way = proxies === null ? 'without a proxy' : `through ${proxies}`;
  const what =
    demoUrl === null
      ? `Crawling ${describeInput(run.input)} ${way}.`
      : `Crawling the bundled demo site at ${demoUrl}${proxies === null ? '' : ` ${way}`}.`;
  if (resumes) return `${what} ${toCount(handled)} of ${toCount(total)} pages done, resuming.`;
  return demoUrl === null ? what : `${what} For the real one: npx tsx src/main.ts https://news.ycombinator.com/news`;
}

/** `https://a.example/ and 2 more (site hackernews, at most 100 pages)` */
export function describeInput({ site, startUrls, maxRequests }: RunInput): string {
  const [first = 'the demo site', ...more] = startUrls;
  const urls = more.length > 0 ? `${first} and ${toCount(more.length)} more` : first;
  return `${urls} (site ${site}${maxRequests === null ? '' : `, at most ${toPages(maxRequests)}`})`;
}
