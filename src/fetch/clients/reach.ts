// How far a page may lead: to the public net, and to the hosts that a person has named. The one judge of it for all tiers. It is
// asked twice: before a request is sent, for where its link or redirect comes from, and when a name has been looked up, for
// the address that is dialled. Both are needed: a name may lead elsewhere each time it is asked for, and an open connection
// may be used by a request that could not have opened it.
import { lookup as lookUp, type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';

import { isLocalhost, isWithin, parseAddress, parseAllowed, privateNetOf, type Address } from '../../core/address.ts';
import { TransportError } from '../../core/transport.ts';

/** Which page leads to a request: its address; null for a person. A function is asked only where it matters. */
export type LedFrom = string | null | (() => Promise<string | null>);

export interface Reach {
  /** Judges a request by its target's name and by who leads there. Returns a promise only where a name has to be looked up.
   *  @param proxied The proxy looks names up, so that here only addresses and names of this machine can be judged.
   *  @throws {TransportError} `private-address` */
  admit(hostname: string, way: { from: LedFrom; proxied: boolean }): void | Promise<void>;
  /** For `net.connect()`: gives only addresses that may be dialled, or the error that says why there are none. */
  readonly lookup: LookupFunction;
}

export interface ReachOptions {
  /** What a person has asked to be crawled: their hosts may be private. */
  startUrls: readonly string[];
  /** Of `--allow-private`. Any page may lead there. */
  allowPrivate: readonly string[];
  /** @default Node's */
  resolve?: typeof lookUp;
}

/** All names and addresses of this machine are one host: whoever may reach it by one may reach it by any. */
const THIS_MACHINE = 'this machine';
const LOOPBACK = parseAddress('127.0.0.1') as Address;
/** What may be an address or a name of this machine. Any other name is judged by what it is looked up as. */
const MAY_BE_OWN = /[\d\].]$|local|loopback/;

interface Host {
  /** Its name, its address, or THIS_MACHINE. */
  readonly key: string;
  /** Where it leads, as far as that shows in its name; null for a name, and for a public address. */
  readonly net: string | null;
}

export function createReach({ startUrls, allowPrivate, resolve = lookUp }: ReachOptions): Reach {
  const allowed = allowPrivate.map(parseAllowed).filter((entry) => entry !== null);
  const nets = allowed.filter((entry) => typeof entry !== 'string');
  const names = allowed.filter((entry) => typeof entry === 'string').map((name) => toHost(name).key);
  if (nets.some((net) => isWithin(LOOPBACK, net))) names.push(THIS_MACHINE);
  const spelled = new Set(startUrls.map((url) => new URL(url).hostname));
  const named = new Set(startUrls.map((url) => toHost(new URL(url).hostname).key));
  /** The private nets that a named name was in when it was first looked up: it is held to them. */
  const firstNets = new Map<string, Set<string>>([[THIS_MACHINE, new Set([THIS_MACHINE])]]);

  const isListed = (name: string) => names.some((entry) => (entry.startsWith('.') ? name.endsWith(entry) : name === entry));
  const isAllowed = (key: string, address: Address | null) =>
    isListed(key) || (address !== null && nets.some((net) => isWithin(address, net)));

  const mayDial = (key: string, address: string): boolean => {
    const parsed = parseAddress(address);
    if (!parsed) return false; // With a zone, such as fe80::1%eth0.
    const net = privateNetOf(parsed);
    if (net === null || isAllowed(key, parsed)) return true;
    return named.has(key) && (firstNets.get(key)?.has(net) ?? false);
  };

  const noteFirst = (key: string, addresses: readonly LookupAddress[]) => {
    if (!named.has(key) || firstNets.has(key)) return;
    const found = addresses.map(({ address }) => parseAddress(address)).map((address) => address && privateNetOf(address));
    firstNets.set(key, new Set(found.filter((net) => net !== null)));
  };

  const lookup = (hostname: string, options: LookupOptions, callback: Parameters<LookupFunction>[2]) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const { key } = toHost(hostname);
      noteFirst(key, addresses);
      const dialled = addresses.filter(({ address }) => mayDial(key, address));
      const [first] = dialled;
      if (!first) return callback(refusal(hostname, addresses), '');
      if (options.all) callback(null, dialled);
      else callback(null, first.address, first.family);
    });
  };

  /** Whether a name that was asked for leads to a private net. A name without an address is no way to anywhere. */
  const isPrivateName = async (key: string): Promise<boolean> => {
    if (!firstNets.has(key)) {
      await new Promise<void>((done) => {
        resolve(key, { all: true }, (error, addresses) => {
          if (!error) noteFirst(key, addresses);
          done();
        });
      });
    }
    return (firstNets.get(key)?.size ?? 0) > 0;
  };

  /** Whether a page of a private net leads there: it may lead on to other hosts that were named. */
  const isLedFromPrivate = async (from: string, proxied: boolean): Promise<boolean> => {
    const { key, net } = toHost(new URL(from).hostname);
    if (net !== null || isListed(key)) return true;
    return !proxied && named.has(key) && isPrivateName(key);
  };

  const judgeNamed = async ({ key, net }: Host, hostname: string, from: LedFrom, proxied: boolean): Promise<void> => {
    const page = typeof from === 'function' ? await from() : from;
    if (page === null || toHost(new URL(page).hostname).key === key) return;
    if (net === null && !(await isPrivateName(key))) return;
    if (!(await isLedFromPrivate(page, proxied))) throw refusal(hostname, []);
  };

  return {
    lookup,
    admit(hostname, { from, proxied }) {
      // Nearly every link of most crawls: from a start URL's host to itself.
      if (spelled.has(hostname) && (from === null || isPageOf(from, hostname))) return;
      if (!MAY_BE_OWN.test(hostname) && !named.has(hostname)) return;
      const host = toHost(hostname);
      const { key, net } = host;
      const address = parseAddress(hostname);
      // A public address, and a name that the proxy or the look-up has the last word on.
      if (net === null && (address !== null || proxied || !named.has(key))) return;
      if (isAllowed(key, address)) return;
      if (!named.has(key)) throw refusal(hostname, []);
      if (from === null) return;
      return judgeNamed(host, hostname, from, proxied);
    },
  };
}

/** Whether an address is one of a host, without the cost of parsing it. A name and a password before the host do not pass. */
function isPageOf(page: LedFrom, hostname: string): boolean {
  if (typeof page !== 'string') return false;
  const start = page.indexOf('://') + 3;
  return (
    page.startsWith(hostname, start) &&
    /^(?::\d+)?(?:[/?#]|$)/.test(page.slice(start + hostname.length, start + hostname.length + 8))
  );
}

function toHost(hostname: string): Host {
  const address = parseAddress(hostname);
  const key = toKey(hostname);
  const net = address === null ? (isLocalhost(key) ? THIS_MACHINE : null) : privateNetOf(address);
  return { key: net === THIS_MACHINE ? THIS_MACHINE : key, net };
}

/** Without the dot of a name that is complete, and without the brackets of an address. */
function toKey(hostname: string): string {
  return hostname.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1');
}

function refusal(hostname: string, addresses: readonly LookupAddress[]): TransportError {
  const address = addresses[0]?.address ?? toKey(hostname);
  const parsed = parseAddress(address);
  const net = (parsed && privateNetOf(parsed)) ?? toHost(hostname).net ?? 'a private net';
  const host = address === toKey(hostname) ? address : `${hostname} (${address})`;
  return new TransportError(
    'private-address',
    `${host} leads to ${net}, and a page must not lead there. If it may, add --allow-private ${toKey(hostname)}.`,
  );
}
