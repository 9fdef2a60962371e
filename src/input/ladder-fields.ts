// The settings of the ladder: which tiers there are, and what each of them needs.
import { z } from 'zod';

import { TIERS } from '../core/page.ts';
import { AN_HTTP_URL, httpUrl } from './http-url.ts';
import { setting } from './setting.ts';

const TOKEN = 'what Decodo shows for it, without spaces';
const secretText = z.exactOptional(z.string().regex(/^\S+$/));

export const ladderFields = {
  tiers: setting(z.array(z.enum(TIERS)).min(1).default(['http', 'impersonate', 'browser']), {
    flag: '--tiers',
    placeholder: 'LIST',
    help: 'how pages may be fetched, the cheapest that works first: http, impersonate, browser, unblocker, api; the last two cost money',
    commands: ['crawl'],
  }),
  impersonate: setting(z.enum(['chrome', 'firefox']).default('chrome'), {
    flag: '--impersonate',
    placeholder: 'BROWSER',
    help: 'the browser whose TLS and HTTP/2 the tier impersonate shows',
    commands: ['crawl'],
  }),
  browser: setting(z.enum(['playwright', 'patchright']).default('playwright'), {
    flag: '--browser',
    placeholder: 'KIND',
    help: 'what drives the browser; patchright hides that it is driven',
    commands: ['crawl', 'verify'],
  }),
  browserPath: setting(z.exactOptional(z.string().min(1)), {
    flag: '--browser-path',
    placeholder: 'FILE',
    help: 'the Chromium, Chrome or Edge to use',
    commands: ['crawl', 'verify'],
    allowed: 'the path of a program',
    defaultText: "Playwright's own, else the system's",
  }),
  crawleeBrowserPath: setting(z.exactOptional(z.string().min(1)), {
    env: 'CRAWLEE_DEFAULT_BROWSER_PATH',
    help: 'the Chromium, Chrome or Edge of all programs that use Crawlee; --browser-path wins',
    commands: ['crawl', 'verify'],
    allowed: 'the path of a program',
    defaultText: 'none',
  }),
  browserConcurrency: setting(z.int().min(1).max(50).default(2), {
    flag: '--browser-concurrency',
    placeholder: 'N',
    help: 'pages in the browser at once, beside those of --concurrency',
    commands: ['crawl'],
  }),
  loadAssets: setting(z.boolean().default(false), {
    flag: '--load-assets',
    help: 'have the browser fetch images, fonts, media and known trackers too',
    commands: ['crawl'],
  }),
  unblockerUser: setting(secretText, {
    env: 'DECODO_UNBLOCKER_USER',
    help: "the user name of Decodo's Site Unblocker, for the tier unblocker",
    commands: ['crawl'],
    allowed: TOKEN,
    defaultText: 'none',
  }),
  unblockerPass: setting(z.exactOptional(z.string().min(1)), {
    env: 'DECODO_UNBLOCKER_PASS',
    help: 'its password',
    commands: ['crawl'],
    allowed: 'a password',
    defaultText: 'none',
    secret: true,
  }),
  unblockerHost: setting(z.string().min(1).default('unblock.decodo.com'), {
    env: 'DECODO_UNBLOCKER_HOST',
    help: 'its host',
    commands: ['crawl'],
    allowed: 'the name of a host',
  }),
  unblockerPort: setting(z.int().min(1).max(65_535).default(60_000), {
    env: 'DECODO_UNBLOCKER_PORT',
    help: 'its port',
    commands: ['crawl'],
  }),
  unblockerGeo: setting(z.exactOptional(z.string().regex(/^[\p{L}][\p{L} ,.'-]*$/u)), {
    flag: '--unblocker-geo',
    placeholder: 'PLACE',
    help: 'where the tiers unblocker and api fetch from, such as Germany',
    commands: ['crawl'],
    allowed: 'a place such as "Germany" or "Berlin, Germany"',
    defaultText: 'anywhere',
  }),
  apiToken: setting(secretText, {
    env: 'DECODO_API_TOKEN',
    help: "the token of Decodo's Web Scraping API, for the tier api",
    commands: ['crawl'],
    allowed: TOKEN,
    defaultText: 'none',
    secret: true,
  }),
  apiPlan: setting(z.enum(['current', 'older']).default('current'), {
    flag: '--api-plan',
    placeholder: 'KIND',
    help: 'which Web Scraping API the token is for: a current plan (Bearer) or an older one (Basic)',
    commands: ['crawl'],
  }),
  apiUrl: setting(z.exactOptional(httpUrl), {
    env: 'DECODO_API_URL',
    help: 'the address of that API',
    commands: ['crawl'],
    allowed: AN_HTTP_URL,
    defaultText: "the plan's own",
  }),
  pricePerApiCall: setting(z.number().min(0).default(0), {
    flag: '--price-per-api-call',
    placeholder: 'MONEY',
    help: 'what one call of the tier api costs, for the figures and --max-cost',
    commands: ['crawl'],
  }),
};
