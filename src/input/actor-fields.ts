// The fields of the Actor's input: each setting of a crawl under the name that Apify's users know, in its section. Settings
// that are not listed here are fields too, under their own names, in the last section.
import { EXTRA_FIELDS } from './actor-extras.ts';
import { editorOf, sentenceCase, SECTIONS, toTitle, type Section } from './actor-form.ts';
import { OPTIONS, type Option } from './options.ts';
import { withListAddresses } from './url-list.ts';

/** What a field is called and how it is filled in, where that does not follow from its setting. */
interface Hint {
  readonly section: Section;
  /** @default the setting's own name */
  readonly name?: string;
  readonly title?: string;
  readonly description?: string;
  /** Further keys of the field in the input schema. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** From the field's value to the setting's; undefined: not given. */
  readonly toSetting?: (value: unknown) => unknown;
  /** The field's default, if it is not the setting's. */
  readonly default?: unknown;
}

/** What says where a process finds its files, and what an Actor has in another way. */
const NOT_AN_ACTORS = [
  'actor',
  'storageDir',
  'store',
  'fresh',
  'resume',
  'out',
  'quiet',
  'cookies',
  'browserPath',
  'crawleeBrowserPath',
  'workers',
  'redis',
  'dashboard',
];

const orNone = (value: unknown): unknown => (value === 0 ? undefined : value);
const negated = (value: unknown): unknown => (typeof value === 'boolean' ? !value : value);

/** Of settings whose help says "its password" and the like, which in the form must stand alone. */
const TITLES: Readonly<Record<string, string>> = {
  decodoUser: 'Decodo user name',
  decodoPass: 'Decodo password',
  decodoHost: 'Decodo gateway',
  decodoPort: "Decodo gateway's port",
  unblockerUser: "Site Unblocker's user name",
  unblockerPass: "Site Unblocker's password",
  unblockerHost: "Site Unblocker's host",
  unblockerPort: "Site Unblocker's port",
  unblockerGeo: 'Place of unblocker and API',
  apiToken: "Web Scraping API's token",
  apiPlan: "Web Scraping API's plan",
  apiUrl: "Web Scraping API's address",
};

/** By setting. */
const HINTS: Readonly<Record<string, Hint>> = {
  startUrls: {
    section: 'start',
    title: 'Start URLs',
    description:
      "Where the crawl begins, or a linked text, CSV or HTML file with such addresses, also a Google sheet. None: the site's own start, which for hackernews is a demo site inside of the run.",
    toSetting: withListAddresses,
    extra: { prefill: [{ url: 'https://news.ycombinator.com/news' }] },
  },
  site: { section: 'start', description: 'The folder in src/routes/ that extracts the pages.' },
  maxRequests: {
    section: 'limits',
    name: 'maxPagesPerCrawl',
    title: 'Pages at most',
    description: 'Pages that the crawl takes on at most, over all restarts of the run. 0: no limit.',
    extra: { minimum: 0, prefill: 10 },
    default: 0,
    toSetting: orNone,
  },
  concurrency: { section: 'limits', name: 'maxConcurrency' },
  maxBodyMb: { section: 'limits' },
  maxCost: { section: 'limits' },
  maxProxyMb: { section: 'limits' },
  hostConcurrency: { section: 'politeness' },
  delay: { section: 'politeness' },
  ignoreRobots: {
    section: 'politeness',
    name: 'respectRobotsTxtFile',
    title: 'Respect robots.txt',
    description: 'Skip what robots.txt forbids, and keep to its Crawl-delay.',
    toSetting: negated,
    default: true,
  },
  maxRetryAfter: { section: 'politeness' },
  secondPassDelay: { section: 'politeness' },
  headers: { section: 'politeness' },
  contact: { section: 'politeness' },
  ...inSection('proxy', [
    'proxy',
    'proxyUrls',
    'country',
    'city',
    'state',
    'zip',
    'asn',
    'continent',
    'sessionMinutes',
    'decodoUser',
    'decodoPass',
    'decodoHost',
    'decodoPort',
    'pricePerGb',
  ]),
  ...inSection('ladder', [
    'tiers',
    'impersonate',
    'browser',
    'browserConcurrency',
    'loadAssets',
    'unblockerUser',
    'unblockerPass',
    'unblockerHost',
    'unblockerPort',
    'unblockerGeo',
    'apiToken',
    'apiPlan',
    'apiUrl',
    'pricePerApiCall',
  ]),
  format: { section: 'output', title: 'Export as', description: 'What the rows are exported as, into the key-value store.' },
  verbose: { section: 'advanced', name: 'debugLog', title: 'Debug log' },
};

function inSection(section: Section, settings: readonly string[]): Record<string, Hint> {
  return Object.fromEntries(
    settings.map((setting) => [setting, { section, ...(TITLES[setting] && { title: TITLES[setting] }) }]),
  );
}

/** One field of the input form. */
export interface ActorField {
  readonly name: string;
  readonly section: Section;
  /** Its entry under `properties` of the input schema, without its section's caption. */
  readonly property: Readonly<Record<string, unknown>>;
  /** The setting behind it; null for an extra field. */
  readonly option: Option | null;
  readonly toSetting: (value: unknown) => unknown;
}

const fromSettings: readonly ActorField[] = OPTIONS.filter(
  ({ name, commands }) => commands.includes('crawl') && !NOT_AN_ACTORS.includes(name),
).map((option) => {
  const hint: Hint = HINTS[option.name] ?? { section: 'advanced' };
  const { section, name = option.name, toSetting = (value) => value } = hint;
  return { name, section, option, toSetting, property: toProperty(option, hint) };
});

/** All fields, by section, in the order of the schema of settings. */
export const ACTOR_FIELDS: readonly ActorField[] = [
  ...fromSettings,
  ...Object.entries(EXTRA_FIELDS)
    .filter(([, { needs }]) => hasSetting(needs))
    .map(([name, field]) => ({ ...field, name, option: null, toSetting: () => undefined })),
].toSorted((a, b) => Object.keys(SECTIONS).indexOf(a.section) - Object.keys(SECTIONS).indexOf(b.section));

function hasSetting(name: string | undefined): boolean {
  const names: readonly string[] = OPTIONS.map((option) => option.name);
  return name === undefined || names.includes(name);
}

function toProperty(option: Option, { title, description, extra, ...hint }: Hint): Record<string, unknown> {
  const described = {
    title: title ?? toTitle(option.name),
    description: description ?? `${sentenceCase(inFieldNames(option.help))}.`,
  };
  const initial = 'default' in hint ? hint.default : option.default;
  // A default would be shown, and it would stand in every run's input.
  const withDefault = option.secret || initial === undefined || option.name === 'startUrls' ? {} : { default: initial };
  return { ...described, ...editorOf(option), ...withDefault, ...extra };
}

/** Flags in a help text, as the fields that stand for them. */
function inFieldNames(help: string): string {
  return help.replaceAll(/`?--([a-z][a-z-]*)( [a-z]+`)?`?/g, (_, flag: string, value = '') => {
    const option = OPTIONS.find((known) => known.flag === `--${flag}`);
    const name = option ? (HINTS[option.name]?.name ?? option.name) : flag;
    return `"${name}${String(value).replace('`', '').replace(/^ /, ': ')}"`;
  });
}
