// Which proxy a request goes through: Crawlee's ProxyConfiguration, fed by the choices of the crawl and of the site's labels.
import { createHash, randomBytes } from 'node:crypto';

import type { ProxyConfiguration } from '@crawlee/core';

import { SurefootError } from '../core/errors.ts';
import type { ProxyMode } from '../core/proxy.ts';
import { crawlee } from '../crawlee.ts';
import { checkProxyChoice, modesOf, type ProxyChoice } from './choice.ts';
import { checkAccount, toProxyUrl } from './decodo.ts';
import { checkProxyUrls } from './proxy-urls.ts';
import { PLACE_PARTS } from './place.ts';

export interface ProxyProviderOptions extends ProxyChoice {
  /** Null: `DECODO_USER` or `DECODO_PASS` is not set. */
  readonly decodo: { user: string; pass: string; host?: string | undefined; port?: number | undefined } | null;
  /** The run's id: it keeps the sessions of two runs apart, and those of one run together when it is resumed. */
  readonly salt: string;
}

export interface ProxyProvider {
  /** For both crawlers. Its `newUrl(sessionId, { request })` is undefined for a request that goes without a proxy. */
  readonly configuration: ProxyConfiguration;
  /** For the browser lane, where one page opens several connections: a page of a rotating mode has one address for all of
   *  them, and the next page another. Of `PROXY_URLS` it is the same as `configuration`. */
  readonly pageConfiguration: ProxyConfiguration;
  /** @param label Of the request; undefined: what `--proxy` says. */
  modeOf(label: string | undefined): ProxyMode;
  /** To be kept out of all output. */
  readonly secrets: readonly string[];
  /** For people: `gate.decodo.com:7000 (rotating, LOGIN sticky, country de)`. Without a user name or a password. */
  describe(): string;
}

/** @returns Null when no request of this crawl can come to use a proxy.
 *  @throws {SurefootError} kind `input`: settings that do not go together, credentials that are missing or cannot be right. */
export function createProxyProvider(options: ProxyProviderOptions): ProxyProvider | null {
  const { mode, byLabel = {}, place, sessionMinutes, proxyUrls } = checkProxyChoice(options);
  const modes = modesOf(options).filter((used) => used !== 'none');
  if (modes.length === 0) return null;

  const modeOf = (label: string | undefined) => (label !== undefined && Object.hasOwn(byLabel, label) && byLabel[label]) || mode;
  const asked = PLACE_PARTS.filter((part) => place[part] !== undefined).map((part) => `${part} ${place[part]}`);
  const own = Object.keys(byLabel).filter((label) => byLabel[label] !== mode);
  const uses = [...(mode === 'none' ? [] : [mode]), ...own.map((label) => `${label} ${byLabel[label]}`), ...asked];
  const source = proxyUrls.length > 0 ? fromUrls(proxyUrls) : fromDecodo(options, modes);

  const configure = (rotating: () => string) =>
    new crawlee.ProxyConfiguration({
      newUrlFunction(sessionId, { request } = {}) {
        const used = modeOf(request?.label);
        if (used === 'none') return null;
        if (used !== 'sticky') return rotating();
        // Crawlee passes none if a crawler has no session pool, against its own types.
        if (sessionId === undefined || sessionId === '') throw new Error('A sticky proxy needs a session.');
        return source.sticky(nameOfSession(options.salt, String(sessionId)), sessionMinutes);
      },
    });
  return {
    configuration: configure(source.rotating),
    pageConfiguration: configure(source.rotatingByPage),
    modeOf,
    secrets: source.secrets,
    describe: () => `${source.name} (${uses.join(', ')})`,
  };
}

interface Source {
  readonly name: string;
  readonly secrets: readonly string[];
  rotating(): string;
  rotatingByPage(): string;
  sticky(session: string, minutes: number | undefined): string;
}

function fromDecodo({ decodo, place, mode }: ProxyProviderOptions, modes: readonly ProxyMode[]): Source {
  if (decodo === null || decodo.user === '' || decodo.pass === '') {
    const missing = decodo === null ? [] : [!decodo.user && 'DECODO_USER', !decodo.pass && 'DECODO_PASS'].filter(Boolean);
    const wanted = mode === 'none' ? `Proxy mode ${modes[0]}, which the site wants for some of its pages,` : `--proxy ${mode}`;
    const put = missing.length === 1 ? `Put ${missing[0]}` : 'Put DECODO_USER and DECODO_PASS, or PROXY_URLS,';
    const without = mode === 'none' ? "take `proxy` out of the site's defineSite()" : 'use --proxy none';
    throw new SurefootError('input', `${wanted} needs credentials, and there are none. ${put} into .env, or ${without}.`);
  }
  const account = checkAccount(decodo);
  // One URL for all: the gateway takes another exit for each connection, which is up to the clients.
  const rotating = toProxyUrl(account, { place });
  return {
    name: `${account.host}:${account.port}`,
    secrets: [account.pass],
    rotating: () => rotating,
    rotatingByPage: () => toProxyUrl(account, { place, session: { id: randomBytes(8).toString('hex'), minutes: undefined } }),
    sticky: (id, minutes) => toProxyUrl(account, { place, session: { id, minutes } }),
  };
}

function fromUrls(proxyUrls: readonly string[]): Source {
  const urls = checkProxyUrls(proxyUrls);
  let turn = 0;
  const at = (index: number) => urls[index % urls.length] as string;
  return {
    name: urls.length === 1 ? 'the proxy of PROXY_URLS' : `the ${urls.length} proxies of PROXY_URLS`,
    // Some providers have a token for a name, and no password.
    secrets: urls.map((url) => new URL(url)).flatMap(({ username, password }) => decodeURIComponent(password || username) || []),
    rotating: () => at(turn++),
    rotatingByPage: () => at(turn++),
    sticky: (session) => at(Number.parseInt(session.slice(0, 8), 16)),
  };
}

/** Always the same for a session: Crawlee keeps what it gave to which in memory alone, and a restored session has a gateway's
 *  exit and a site's cookies to go with it. Hexadecimal, since the gateway's ids have few characters to choose from. */
function nameOfSession(salt: string, sessionId: string): string {
  return createHash('sha256').update(`${salt}\n${sessionId}`).digest('hex').slice(0, 16);
}
