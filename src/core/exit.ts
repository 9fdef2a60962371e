// Where requests through a proxy come out, as an IP echo tells, and whether that is what the proxy's mode promises.
import type { ProxyMode } from './proxy.ts';

/** An address as the echo saw it. */
export interface Exit {
  readonly ip: string;
  /** Two letters, small; null if the echo does not say. */
  readonly country: string | null;
  readonly city: string | null;
}

/** Reads the answer of an IP echo: Decodo's JSON, that of others, or an address as plain text. Null: there is none in it. */
export function readExit(body: string): Exit | null {
  const plain = /^\s*([\d.]{7,15}|[\da-f:]{3,39})\s*$/i.exec(body)?.[1];
  if (plain !== undefined) return { ip: plain, country: null, city: null };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return null; // A page, or nothing.
  }
  const ip = textAt(json, 'proxy', 'ip') ?? textAt(json, 'ip') ?? textAt(json, 'origin') ?? textAt(json, 'query');
  if (ip === null) return null;
  const country = textAt(json, 'country', 'code') ?? textAt(json, 'country_code') ?? textAt(json, 'country');
  const city = textAt(json, 'city', 'name') ?? textAt(json, 'city');
  return { ip, country: country !== null && country.length === 2 ? country.toLowerCase() : null, city };
}

/** What is wrong with a set of exits; null: they are as the mode promises.
 *  @param exits Of requests at the same time (sticky: one after the other, in one session).
 *  @param country The one that was asked for, two small letters. */
export function complaintAbout(
  mode: Exclude<ProxyMode, 'none'>,
  exits: readonly Exit[],
  country: string | undefined,
): string | null {
  const addresses = new Set(exits.map(({ ip }) => ip)).size;
  const requests = `${exits.length} requests`;
  if (mode === 'sticky' && addresses !== 1) return `One session should keep one address: ${requests} had ${addresses}.`;
  if (mode !== 'sticky' && addresses !== exits.length) {
    return `Each request should have an address of its own: ${requests} had ${addresses}.`;
  }
  if (country === undefined) return null;
  const strays = exits.filter((exit) => exit.country !== country);
  if (strays.length === 0) return null;
  if (strays.every((exit) => exit.country === null)) return `The echo does not say in which country the addresses are.`;
  return `All addresses should be in ${country}: ${strays.length} of ${exits.length} are not.`;
}

function textAt(json: unknown, ...keys: string[]): string | null {
  let value = json;
  for (const key of keys)
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : null;
}
