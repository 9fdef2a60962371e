// The contract a folder of routes fulfils: defineSite().
import type { z } from 'zod';

import { SurefootError } from './errors.ts';
import type { Handler, Page } from './page.ts';

/** A Zod object per label: what `request.userData` holds for it. */
export type UserDataSchemas = Readonly<Record<string, z.ZodObject>>;

/** What `defineSite()` takes. */
export interface SiteDefinition<Schemas extends UserDataSchemas> {
  /** The folder's name under `src/routes/`, and the value of `--site`. */
  name: string;
  /** Crawled when the command line names no URL and the demo site is not meant. Absolute http(s) URLs. */
  startUrls: readonly string[];
  /** The label of a URL that was added without one: start URLs, and links from `addRequests()`. */
  labelOf(url: URL): keyof Schemas & string;
  /** One record as it goes to the export; its keys, in this order, are the CSV's columns. */
  record: z.ZodObject;
  /** What a page that came with 200 means, where the site can tell and nobody else could: a list without rows is a
   *  throttle, an empty mount point wants a browser. Null: a page as it should be. */
  judge?(page: Page): 'throttled' | 'blocked' | 'needs-browser' | null;
  /** Headers of a request beyond the policy's (`--headers`), such as Authorization: asked for at each request and never
   *  stored, which `request.headers` are. */
  headers?(url: URL): Record<string, string>;
  /** Labels (UPPER_SNAKE) and the `userData` that each carries. */
  userData: Schemas;
  /** One handler a label. */
  routes: { [Label in keyof Schemas]: Handler<z.output<Schemas[Label]>> };
}

/** A checked site, as the engine uses it: labels are plain strings from here on. */
export interface Site {
  readonly name: string;
  readonly startUrls: readonly string[];
  readonly labelOf: (url: URL) => string;
  readonly record: z.ZodObject;
  readonly judge?: (page: Page) => 'throttled' | 'blocked' | 'needs-browser' | null;
  readonly headers?: (url: URL) => Record<string, string>;
  readonly userData: UserDataSchemas;
  readonly routes: Readonly<Record<string, Handler>>;
}

/** Declares a site. Labels in `routes`, `userData` and `labelOf` must agree, which the types check; names and
 *  start URLs are checked here.
 *  @throws {SurefootError} kind `site`: a name, label or start URL that cannot work. */
export function defineSite<const Schemas extends UserDataSchemas>(definition: SiteDefinition<Schemas>): Site {
  const { name } = definition;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new SurefootError('site', `A site's name is its folder in src/routes/: small letters, digits and "-", got "${name}".`);
  }
  for (const label of Object.keys(definition.routes)) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(label)) {
      throw new SurefootError('site', `Labels of site "${name}" are UPPER_SNAKE, such as DETAIL, got "${label}".`);
    }
  }
  for (const url of definition.startUrls) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new SurefootError('site', `Start URLs of site "${name}" are absolute http(s) URLs, got "${url}".`);
    }
  }
  return {
    ...definition,
    // Each handler is only ever called with userData that its own label's schema has parsed (fetch/http-crawler.ts).
    routes: definition.routes as Readonly<Record<string, Handler<never>>> as Readonly<Record<string, Handler>>,
  };
}
