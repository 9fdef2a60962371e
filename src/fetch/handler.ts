// From a fetched page to its site's handler, in either lane: judged once more as a page, then routed by its label, with what
// it pushes staged.
import type { CheerioCrawlingContext, Request } from '@crawlee/cheerio';

import { nameLabel } from '../core/label.ts';
import type { Page } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import { assertKnownKeys } from '../core/user-data.ts';
import { VerdictError } from '../core/verdict.ts';
import { crawlee } from '../crawlee.ts';
import { judgePage } from './hooks.ts';
import type { PageFlight } from './page.ts';

export interface PageHandlerOptions {
  site: Site;
  lane: { flightOf(request: Request): PageFlight & { enter(phase: 'handler'): void } };
  /** Whether rendering has shown nothing more of pages as a request's. @default never */
  inVain?: (request: Request) => boolean;
  /** Told that a page is judged and handled from now on. @returns Called when that is over. */
  hold?: (page: Pick<Request, 'label' | 'url'>) => () => void;
  /** Runs a handler so that `Dataset.pushData()` inside it is staged too (storage/staging.ts). */
  duringPage: <T>(stage: (dataset: string, rows: readonly string[]) => void, handler: () => Promise<T>) => Promise<T>;
}

export interface PageHandler {
  /** @param toPage Called once the request is known to have a route. It may say that the page is to be fetched otherwise,
   *  and why: nothing of it is kept then. */
  handle(request: Request, toPage: (flight: PageFlight, refuse: (why: VerdictError) => void) => Page): Promise<void>;
  /** Undoes what a handler must not do to its request. To be called at the end of each attempt: a handler that ran out of
   *  time does not come to its own. */
  settle(request: Request): void;
  /** The schema of what a label's links carry: it is asked when they are added, not only when they are handled. */
  readonly getSchema: ReturnType<typeof crawlee.createCheerioRouter>['getSchema'];
}

export function createPageHandler({
  site,
  lane,
  duringPage,
  inVain = () => false,
  hold = () => () => {},
}: PageHandlerOptions): PageHandler {
  const router = crawlee.createCheerioRouter(site.userData);
  const schemas = new Map<unknown, ReturnType<typeof toLinkSchema>>(
    Object.entries(site.userData).map(([label, schema]) => [label, toLinkSchema(site, label, schema)]),
  );
  const names = new WeakMap<Request, Pick<Request, 'id' | 'url' | 'uniqueKey'>>();
  for (const [label, handler] of Object.entries(site.routes)) {
    // The router has parsed `userData` by this label's schema before it calls the handler.
    router.addHandler(label, (context) => handler(context as unknown as Parameters<typeof handler>[0]));
  }
  return {
    async handle(request, toPage) {
      const flight = lane.flightOf(request);
      // It was added past the frontier, and `labelOf` threw there: it does so here again, where that fails this page alone.
      request.label = nameLabel(request, site);
      assertRoute(request, site);
      const { id, url, uniqueKey } = request;
      names.set(request, { id, url, uniqueKey } as Pick<Request, 'id' | 'url' | 'uniqueKey'>);
      let refusal: VerdictError | null = null;
      const release = hold(request);
      const stage = (dataset: string, rows: readonly string[]) => {
        for (const row of rows) flight.stage(dataset, row);
      };
      try {
        const page = toPage(flight, (why) => {
          refusal ??= why;
        });
        flight.measure(Buffer.byteLength(page.html));
        judgePage(page, site, () => inVain(request));
        flight.enter('handler');
        // The router only reads `request`; the handlers it calls take a Page.
        await duringPage(stage, async () => router(page as unknown as CheerioCrawlingContext));
      } catch (error) {
        // What is missing may well be what the handler stumbled over.
        throw refusal ?? error;
      } finally {
        release();
      }
      if (refusal !== null) throw refusal as VerdictError;
    },
    settle(request) {
      const name = names.get(request);
      if (name === undefined) return;
      // Which page it is, is not the handler's to say.
      Object.assign(request, name);
      makeFit(request);
    },
    getSchema: (label) => schemas.get(label),
  };
}

/** A label's schema for links that are added. It is asked first: Crawlee drops what the schema does not know before the link is
 *  anybody's to see. */
function toLinkSchema(site: Site, label: string, schema: Site['userData'][string]) {
  const { validate, ...standard } = schema['~standard'];
  const checked: typeof validate = (carried) => {
    assertKnownKeys(site, label, carried as object);
    return validate(carried);
  };
  return { '~standard': { ...standard, validate: checked } };
}

/** One request with a label that the site does not have fails; Crawlee's router would end the crawl. */
function assertRoute({ label }: Request, site: Site): void {
  if (label !== undefined && Object.hasOwn(site.routes, label)) return;
  throw new VerdictError('fatal', `Site "${site.name}" has no route ${label}; it has ${Object.keys(site.routes).join(', ')}.`);
}

/** Makes what a handler has put into its request fit to be stored: a BigInt becomes text, and what leads back to where it
 *  stands is left out. A request that cannot be written, or read again, would end the crawl, now and at each further start. */
function makeFit(request: Request): void {
  const { userData, errorMessages } = request;
  if (!Array.isArray(errorMessages) || errorMessages.some((message) => typeof message !== 'string')) {
    request.errorMessages = [errorMessages].flat().filter((message) => typeof message === 'string');
  }
  try {
    JSON.stringify(userData);
  } catch {
    const path: unknown[] = [];
    const json = JSON.stringify(userData, function (this: unknown, _key, value: unknown) {
      if (typeof value === 'bigint') return String(value);
      if (typeof value !== 'object' || value === null) return value;
      path.splice(path.indexOf(this) + 1);
      if (path.includes(value)) return undefined;
      path.push(value);
      return value;
    });
    request.userData = JSON.parse(json) as Request['userData'];
  }
}
