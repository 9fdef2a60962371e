// What a site must be before anything is fetched. The types say the same; but nothing checks those when TypeScript is run as
// it is (tsx), and what a site leaves out or misspells is no proxy, or a page fetched by another tier.
import { SurefootError } from './errors.ts';
import { didYouMean } from './nearest.ts';
import { TIERS } from './page.ts';
import { PROXY_MODES } from './proxy.ts';
import type { Site } from './site.ts';

/** @throws {SurefootError} kind `site`: a part that is missing, a name, label, start URL, tier or proxy mode that cannot work. */
export function checkSite(site: Site): void {
  const { name, tier, proxy, browser } = site;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    fail(`A site's name is its folder in src/routes/: small letters, digits and "-", got "${name}".`);
  }
  for (const [part, { is, what }] of Object.entries(PARTS)) {
    const given = site[part as keyof typeof PARTS] as unknown;
    if (!is(given))
      fail(`Site "${name}" needs \`${part}\`, ${what}, got ${show(given)}. Compare src/routes/hackernews/index.ts.`);
  }
  checkLabels(site);
  for (const [part, byLabel] of Object.entries({ tier, proxy, ...browser })) checkStrangers(site, part, byLabel);
  checkValues(name, 'tier', tier, TIERS);
  checkValues(name, 'proxy', proxy, PROXY_MODES);
  checkChoices(site);
  for (const url of site.startUrls) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      fail(`Start URLs of site "${name}" are absolute http(s) URLs, got "${url}".`);
    }
  }
}

const isObject = (given: unknown) => typeof given === 'object' && given !== null;
const isFunction = (given: unknown) => typeof given === 'function';
const isSchema = (given: unknown) => isObject(given) && isFunction((given as { safeParse?: unknown }).safeParse);

const PARTS = {
  routes: { is: isObject, what: 'one handler for each label' },
  userData: { is: isObject, what: 'a Zod object for each label' },
  labelOf: { is: isFunction, what: 'a function from a URL to its label' },
  record: { is: isSchema, what: 'the Zod object of one row' },
  startUrls: { is: Array.isArray, what: 'a list of URLs' },
} satisfies Partial<Record<keyof Site, { is: (given: unknown) => boolean; what: string }>>;

function checkLabels({ name, routes, userData }: Site): void {
  for (const [label, handler] of Object.entries(routes)) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(label)) fail(`Labels of site "${name}" are UPPER_SNAKE, such as DETAIL, got "${label}".`);
    if (!isFunction(handler)) fail(`\`routes.${label}\` of site "${name}" must be a function, got ${show(handler)}.`);
    const schema = Object.hasOwn(userData, label) ? userData[label] : undefined;
    if (!isSchema(schema)) fail(`\`userData.${label}\` of site "${name}" must be a Zod object, got ${show(schema)}.`);
  }
}

function checkStrangers({ name, routes }: Site, part: string, byLabel: object | null = {}): void {
  const labels = Object.keys(routes);
  const stranger = Object.keys(byLabel ?? {}).find((label) => !labels.includes(label));
  if (stranger === undefined) return;
  fail(
    `\`${part}\` of site "${name}" names the label ${stranger}, which has no route.${didYouMean(stranger, labels)} It has ${labels.join(', ')}.`,
  );
}

function checkValues(name: string, part: string, byLabel: object | null = {}, known: readonly string[]): void {
  for (const [label, value] of Object.entries(byLabel ?? {}) as [string, unknown][]) {
    if (value === undefined || known.includes(value as string)) continue;
    const meant = typeof value === 'string' ? didYouMean(value, known, '"') : '';
    fail(`\`${part}.${label}\` of site "${name}" must be one of ${known.join(', ')}, got ${show(value)}.${meant}`);
  }
}

/** What a site may say of itself as a whole. */
const CHOICES = { fragments: ['drop', 'keep'], refresh: ['follow', 'ignore'], session: ['any', 'follow'] } satisfies Partial<
  Record<keyof Site, readonly string[]>
>;

function checkChoices(site: Site): void {
  for (const [part, known] of Object.entries(CHOICES)) {
    const given = site[part as keyof typeof CHOICES];
    if (given === undefined || (known as readonly string[]).includes(given)) continue;
    fail(`\`${part}\` of site "${site.name}" must be one of ${known.join(', ')}, got ${show(given)}.`);
  }
}

function show(value: unknown): string {
  return isFunction(value) ? 'a function' : (JSON.stringify(value) ?? 'nothing');
}

function fail(message: string): never {
  throw new SurefootError('site', message);
}
