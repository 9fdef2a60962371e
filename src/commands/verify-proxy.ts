// The part of `verify` that asks an IP echo, through the proxy, where requests come out.
import { complaintAbout, readExit, type Exit } from '../core/exit.ts';
import { messageOf, SurefootError } from '../core/errors.ts';
import type { ProxyMode } from '../core/proxy.ts';
import { TransportError } from '../core/transport.ts';
import { chooseProxies } from '../engine/ways-out.ts';
import { createPlainClient } from '../fetch/clients/plain.ts';
import type { RoutedRequest } from '../fetch/clients/tier-client.ts';
import { createHeaderPolicy } from '../fetch/headers.ts';
import type { Settings } from '../input/schema.ts';
import { newTable } from '../report/table.ts';
import type { ProxyProvider } from '../proxy/provider.ts';

/** Through a far-away home a request takes its time. */
const TIMEOUT_MILLIS = 30_000;

export interface ProxyReport {
  /** What the proxy is, and what was found. */
  readonly detail: string;
  /** A row for each request; '' if none came back. */
  readonly table: string;
  readonly ok: boolean;
}

/** Asks the echo: at once and each by a connection of its own, or, for sticky, one after the other in one session.
 *  @returns Null when no proxy is asked for.
 *  @throws {SurefootError} kind `input`: proxy settings that cannot be. */
export async function verifyProxy(settings: Settings, version: string): Promise<ProxyReport | null> {
  const { proxy: mode, probes, country, decodoEchoUrl: url } = settings;
  const provider = chooseProxies(settings, {}, String(Date.now()));
  if (provider === null || mode === 'none') return null;
  const headers = createHeaderPolicy({ mode: 'browser', version })({ request: { url }, sessionId: '' });
  const client = createPlainClient({ requestTimeoutMillis: TIMEOUT_MILLIS });
  const ask = (): Promise<Exit> => askEcho({ client, provider, mode, url, headers });
  try {
    const exits: Exit[] = [];
    if (mode === 'sticky') while (exits.length < probes) exits.push(await ask());
    else exits.push(...(await Promise.all(Array.from({ length: probes }, ask))));
    const complaint = complaintAbout(mode, exits, country?.toLowerCase());
    return {
      detail: `${provider.describe()}: ${complaint ?? praise(mode, exits)}`,
      table: toTable(exits),
      ok: complaint === null,
    };
  } catch (error) {
    if (!(error instanceof TransportError || error instanceof SurefootError)) throw error;
    return { detail: messageOf(error), table: '', ok: false };
  } finally {
    await client.close();
  }
}

interface Question {
  client: ReturnType<typeof createPlainClient>;
  provider: ProxyProvider;
  mode: ProxyMode;
  url: string;
  headers: Record<string, string>;
}

async function askEcho({ client, provider, mode, url, headers }: Question): Promise<Exit> {
  const proxyUrl = await provider.configuration.newUrl('verify');
  const request: RoutedRequest = { url, headers, route: { tier: 'http', proxy: mode, sessionId: 'verify' } };
  const { statusCode, body } = await client.sendRequest({ ...request, ...(proxyUrl && { proxyUrl }), responseType: 'text' });
  const exit = statusCode < 400 ? readExit(body) : null;
  if (exit) return exit;
  throw new SurefootError('network', `${url} answers HTTP ${statusCode} without an address. Try another echo: DECODO_ECHO_URL.`);
}

function praise(mode: ProxyMode, exits: readonly Exit[]): string {
  const addresses = new Set(exits.map(({ ip }) => ip)).size;
  return `${exits.length} requests${mode === 'sticky' ? ' of one session' : ' at once'} came from ${addresses === 1 ? 'one address' : `${addresses} addresses`}`;
}

function toTable(exits: readonly Exit[]): string {
  const table = newTable({ head: ['Request', 'Address', 'Country', 'City'], style: { head: [], border: [], compact: true } });
  for (const [index, { ip, country, city }] of exits.entries()) table.push([index + 1, ip, country ?? '', city ?? '']);
  return table.toString();
}
