// What goes on in a page, from before it is opened: its document's answer, and what it asks for while it is read.
import type { Page as BrowserPage, Request, Response } from 'playwright';

export interface Activity {
  /** The latest answer to a navigation of the page itself; redirects are answers too. */
  readonly answer: Response | null;
  /** What broke the latest document while it came, such as `net::ERR_CONTENT_LENGTH_MISMATCH`. */
  readonly broken: string | null;
  /** The answer is one that a browser saves to a file. */
  readonly download: boolean;
  /** Requests of its scripts that are under way. */
  readonly asking: number;
  /** Rejects when the page's own process dies. Playwright leaves calls that are under way then without an answer for ever. */
  readonly crashed: Promise<never>;
}

/** What a page asks for to show it; a stream of events or an image does not count. */
const SCRIPTS_OWN = new Set(['fetch', 'xhr', 'script']);

export function watchActivity(page: BrowserPage): Activity {
  const asking = new Set<Request>();
  let answer: Response | null = null;
  let broken: string | null = null;
  let download = false;

  const isDocument = (request: Request) => request.isNavigationRequest() && request.frame() === page.mainFrame();
  page.on('request', (request) => {
    if (SCRIPTS_OWN.has(request.resourceType())) asking.add(request);
    // What a document before this one has left open, no event will end.
    else if (isDocument(request)) asking.clear();
  });
  page.on('response', (response) => {
    if (!isDocument(response.request())) return;
    answer = response;
    broken = null;
  });
  page.on('requestfinished', (request) => asking.delete(request));
  page.on('requestfailed', (request) => {
    asking.delete(request);
    const { errorText = '' } = request.failure() ?? {};
    // One that its own script leaves for another is aborted too.
    if (isDocument(request) && answer?.request() === request && !errorText.includes('ERR_ABORTED')) broken = errorText;
  });
  page.on('download', (file) => {
    download = true;
    file.cancel().catch(() => {});
  });
  // What a page opens beside itself is nothing that is read.
  page.on('popup', (popup) => {
    popup.close().catch(() => {});
  });
  const crashed = new Promise<never>((_, reject) => {
    page.on('crash', () => reject(new Error('Page crashed')));
  });
  crashed.catch(() => {}); // Heard by whoever waits for the page at that moment, if anybody does.
  return {
    crashed,
    get answer() {
      return answer;
    },
    get broken() {
      return broken;
    },
    get download() {
      return download;
    },
    get asking() {
      return asking.size;
    },
  };
}
