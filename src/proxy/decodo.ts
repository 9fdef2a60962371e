// Decodo's residential gateway: what is asked of it goes into the proxy's user name. Credentials and choices become proxy
// URLs here, and nowhere else.
import { SurefootError } from '../core/errors.ts';
import { checkPlace, PLACE_PARTS, type Place } from './place.ts';

/** The account, as it comes from `.env`. */
export interface DecodoAccount {
  /** `DECODO_USER`, with or without `user-` before it. */
  readonly user: string;
  /** `DECODO_PASS`, as it is: it is percent-encoded here. */
  readonly pass: string;
  /** `DECODO_HOST`. @default gate.decodo.com */
  readonly host?: string | undefined;
  /** `DECODO_PORT`. @default 7000 */
  readonly port?: number | undefined;
}

/** What one connection asks of the gateway. Without a session, each connection has another exit. */
export interface GatewayChoice {
  readonly place?: Place | undefined;
  readonly session?: GatewaySession | undefined;
}

export interface GatewaySession {
  /** Letters, digits and `_`. */
  readonly id: string;
  /** How long the gateway keeps the exit, 1 to 1440. @default the gateway's own, 10 */
  readonly minutes?: number | undefined;
}

export const DECODO_HOST = 'gate.decodo.com';
export const DECODO_PORT = 7000;
/** Bounds of `--session-minutes`. */
export const SESSION_MINUTES = { min: 1, max: 1440 } as const;

/** The account in one spelling: the name without `user-`, the gateway by its present name.
 *  @throws {SurefootError} kind `input`: names the variable. Neither a name nor a password is in the message. */
export function checkAccount({ user, pass, host, port }: DecodoAccount): Required<DecodoAccount> {
  const name = user.trim().replace(/^user-/, '');
  if (!/^[A-Za-z0-9_]*$/.test(name)) {
    const next = 'Give the name alone: places and sessions are chosen by --country, --city and --proxy sticky.';
    fail(`DECODO_USER must be of letters, digits and "_", after an optional "user-", and holds something else. ${next}`);
  }
  if (name.length < 6 || name.length > 64) fail(`DECODO_USER must have 6 to 64 characters, got ${name.length}.`);
  if (pass === '') fail('DECODO_PASS is empty. Put the password of the proxy user into .env.');
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    fail(`DECODO_PORT must be a whole number from 1 to 65535, got ${port}.`);
  }
  return { user: name, pass, host: checkHost(host?.trim() || DECODO_HOST), port: port ?? DECODO_PORT };
}

function checkHost(host: string): string {
  const name = host.toLowerCase();
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) {
    fail(`DECODO_HOST must be a host's name alone, without a scheme, a port or a password. Try "${DECODO_HOST}".`);
  }
  // Smartproxy is Decodo's old name, and still in many an account's notes.
  return name === 'gate.smartproxy.com' ? DECODO_HOST : name;
}

/** `user-NAME-country-de-session-ID-sessionduration-30`: the same choice always in the same order.
 *  @param user The account's name, with or without `user-`.
 *  @throws {SurefootError} kind `input`: a place or a session by no rule of the gateway. */
export function toUsername(user: string, { place = {}, session }: GatewayChoice = {}): string {
  const asked = checkPlace(place);
  const parts = PLACE_PARTS.filter((part) => asked[part] !== undefined).map((part) => `-${part}-${asked[part]}`);
  if (session !== undefined) {
    if (!/^[A-Za-z0-9_]+$/.test(session.id)) fail(`A proxy session's id is of letters, digits and "_", got "${session.id}".`);
    parts.push(`-session-${session.id}`);
    if (session.minutes !== undefined) parts.push(`-sessionduration-${checkMinutes(session.minutes)}`);
  }
  return `user-${user.replace(/^user-/, '')}${parts.join('')}`;
}

/** @throws {SurefootError} kind `input` */
export function checkMinutes(minutes: number): number {
  const { min, max } = SESSION_MINUTES;
  if (!Number.isInteger(minutes) || minutes < min || minutes > max) {
    fail(`--session-minutes must be a whole number from ${min} to ${max}, got ${minutes}.`);
  }
  return minutes;
}

/** `http://USERNAME:PASSWORD@gate.decodo.com:7000`, with the password percent-encoded.
 *  @throws {SurefootError} kind `input` */
export function toProxyUrl(account: DecodoAccount, choice?: GatewayChoice): string {
  const { user, pass, host, port } = checkAccount(account);
  return `http://${toUsername(user, choice)}:${encodeURIComponent(pass)}@${host}:${port}`;
}

const USERNAME = new RegExp(
  [
    '^user-(?<user>[A-Za-z0-9_]{6,64})',
    String.raw`(?:-continent-(?<continent>\w+))?(?:-country-(?<country>\w+))?(?:-state-(?<state>\w+))?`,
    String.raw`(?:-city-(?<city>\w+))?(?:-zip-(?<zip>\w+))?(?:-asn-(?<asn>\w+))?`,
    String.raw`(?:-session-(?<session>\w+)(?:-sessionduration-(?<minutes>\d+))?)?$`,
  ].join(''),
);

/** What a user name asks for: `toUsername()` backwards.
 *  @returns Null for a name that `toUsername()` never gives: another order or spelling, or against a rule. */
export function parseUsername(username: string): { user: string; choice: Required<GatewayChoice> } | null {
  const groups = USERNAME.exec(username)?.groups as Record<string, string | undefined> | undefined;
  if (!groups?.['user']) return null;
  const { user, session: id, minutes } = groups;
  const place = Object.fromEntries(PLACE_PARTS.filter((part) => groups[part] !== undefined).map((part) => [part, groups[part]]));
  const session = id === undefined ? undefined : { id, ...(minutes !== undefined && { minutes: Number(minutes) }) };
  try {
    return toUsername(user, { place, session }) === username ? { user, choice: { place, session } } : null;
  } catch (error) {
    if (error instanceof SurefootError) return null;
    throw error;
  }
}

function fail(message: string): never {
  throw new SurefootError('input', message);
}
