// What goes on in a page while it is visited: its document's answer, and what it asks for while it is read.
import type { Page as BrowserPage, Request, Response } from 'playwright';

export interface Activity {
  /** That to the document which is there. What a script or a click goes to may be a download or nothing (204), and the page
   *  stays. Before there is a document: the latest answer, also a redirect. */
  readonly answer: Response | null;
  /** What broke this document while it came, such as `net::ERR_CONTENT_LENGTH_MISMATCH`, or has Chromium show a page of its
   *  own in its place. */
  readonly broken: string | null;
  /** Where the latest request for a document went, redirects followed. */
  readonly asked: string | null;
  /** The answer is one that a browser saves to a file. */
  readonly download: boolean;
  /** It is on its way to another document, or to none. */
  readonly leaving: boolean;
  /** Requests of its scripts that are under way. */
  readonly asking: number;
  /** Forgets the visit before. */
  begin(): void;
  /** Rejects when the page's own process dies. Playwright leaves calls that are under way then without an answer for ever. */
  readonly crashed: Promise<never>;
}

/** What a page asks for to show it; a stream of events or an image does not count. */
const SCRIPTS_OWN = new Set(['fetch', 'xhr', 'script']);

export function watchActivity(page: BrowserPage): Activity {
  const asking = new Set<Request>();
  const faults = new WeakMap<Request, string>();
  let going: Request | null = null;
  let latest: Response | null = null;
  let shown: Response | null = null;
  let asked: string | null = null;
  let latestFault = '';
  let errorPage: string | null = null;
  let download = false;

  const isDocument = (request: Request) => request.isNavigationRequest() && request.frame() === page.mainFrame();
  page.on('request', (request) => {
    if (SCRIPTS_OWN.has(request.resourceType())) asking.add(request);
    else if (isDocument(request)) {
      going = request;
      asked = request.url();
    }
  });
  page.on('response', (response) => {
    if (isDocument(response.request())) latest = response;
  });
  page.on('framenavigated', (frame) => {
    if (frame !== page.mainFrame()) return;
    if (frame.url().startsWith('chrome-error:')) errorPage = latestFault;
    // A script that changes the address alone (`history.pushState`) is told of in the same way.
    if (latest === null || latest === shown || !isSameDocument(frame.url(), latest.url())) return;
    shown = latest;
    errorPage = null;
    if (going === latest.request()) going = null;
    // What the document before has left open, no event will end.
    asking.clear();
  });
  page.on('requestfinished', (request) => asking.delete(request));
  page.on('requestfailed', (request) => {
    asking.delete(request);
    if (going === request) going = null;
    const { errorText = '' } = request.failure() ?? {};
    // One that its own script leaves for another is aborted too.
    if (!isDocument(request) || errorText.includes('ERR_ABORTED')) return;
    faults.set(request, errorText);
    latestFault = errorText;
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
    begin() {
      asking.clear();
      [going, latest, shown, asked, latestFault, errorPage, download] = [null, null, null, null, '', null, false];
    },
    crashed,
    get answer() {
      return shown ?? latest;
    },
    get broken() {
      const answer = shown ?? latest;
      return errorPage ?? (answer && faults.get(answer.request())) ?? null;
    },
    get asked() {
      return asked;
    },
    get download() {
      return download;
    },
    get leaving() {
      return going !== null;
    },
    get asking() {
      return asking.size;
    },
  };
}

/** Whether two addresses are one but for their fragments. */
function isSameDocument(one: string, other: string): boolean {
  return one.split('#', 1)[0] === other.split('#', 1)[0];
}
