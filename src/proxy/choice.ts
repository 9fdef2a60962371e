// Which proxy settings go together. Asked once, before anything is crawled: each refusal names the flag and what is allowed.
import { SurefootError } from '../core/errors.ts';
import { PROXY_MODES, type ProxyMode } from '../core/proxy.ts';
import { checkMinutes } from './decodo.ts';
import { checkPlace, PLACE_PARTS, type Place } from './place.ts';

/** What a crawl chooses of proxies. */
export interface ProxyChoice {
  /** `--proxy`. */
  readonly mode: ProxyMode;
  /** What the site says for its own labels (`defineSite({ proxy })`). */
  readonly byLabel?: Readonly<Partial<Record<string, ProxyMode>>> | undefined;
  readonly place: Place;
  /** `--session-minutes`, if given. */
  readonly sessionMinutes?: number | undefined;
  /** `PROXY_URLS`; empty: Decodo. */
  readonly proxyUrls: readonly string[];
}

/** The modes that a crawl can come to use, in the order of `PROXY_MODES`. */
export function modesOf({ mode, byLabel = {} }: Pick<ProxyChoice, 'mode' | 'byLabel'>): ProxyMode[] {
  const chosen = new Set([mode, ...Object.values(byLabel)]);
  return PROXY_MODES.filter((known) => chosen.has(known));
}

/** @returns The choice with its place in the gateway's spelling.
 *  @throws {SurefootError} kind `input`: settings that do not go together, or one that is against its own rule. */
export function checkProxyChoice<Choice extends ProxyChoice>(choice: Choice): Choice {
  const { sessionMinutes, proxyUrls } = choice;
  const modes = modesOf(choice);
  const place = checkPlace(choice.place);
  const flag = PLACE_PARTS.find((part) => place[part] !== undefined);

  if (modes.every((mode) => mode === 'none')) {
    if (flag) fail(`--${flag} needs a proxy, got --proxy none. Add --proxy geo, or leave --${flag} out.`);
  }
  if (proxyUrls.length > 0) {
    const other = 'PROXY_URLS is of a provider whose rules for it are not known';
    const instead = 'Take PROXY_URLS out to use Decodo, or put what your provider asks for into its URLs.';
    if (modes.includes('geo')) fail(`${geoIn(choice)} needs Decodo's gateway: ${other}. ${instead}`);
    if (flag && modes.some((mode) => mode !== 'none')) fail(`--${flag} needs Decodo's gateway: ${other}. ${instead}`);
    if (sessionMinutes !== undefined && modes.includes('sticky')) {
      fail(`--session-minutes needs Decodo's gateway: ${other}. ${instead}`);
    }
  }
  if (modes.includes('geo') && !flag) {
    fail(`${geoIn(choice)} needs a place. Add one of ${PLACE_PARTS.map((part) => `--${part}`).join(', ')}.`);
  }
  if (sessionMinutes !== undefined) {
    checkMinutes(sessionMinutes);
    if (!modes.includes('sticky')) {
      fail(`--session-minutes needs --proxy sticky, got --proxy ${choice.mode}: other modes keep no address.`);
    }
  }
  return { ...choice, place };
}

function geoIn({ mode, byLabel = {} }: ProxyChoice): string {
  if (mode === 'geo') return '--proxy geo';
  const label = Object.keys(byLabel).find((name) => byLabel[name] === 'geo');
  return `Proxy mode geo, which the site wants for ${label},`;
}

function fail(message: string): never {
  throw new SurefootError('input', message);
}
