// The grammar of Decodo's user names, both ways, and the URLs that carry them.
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { parseUsername, toProxyUrl, toUsername, type GatewayChoice } from '../../src/proxy/decodo.ts';
import { checkPlace } from '../../src/proxy/place.ts';

const account = { user: 'surefoot', pass: 'secret' };

it.each<[GatewayChoice, string]>([
  [{}, 'user-surefoot'],
  [{ place: { country: 'DE' } }, 'user-surefoot-country-de'],
  [{ place: { zip: '10001', country: 'us' } }, 'user-surefoot-country-us-zip-10001'],
  [{ place: { asn: '3320' } }, 'user-surefoot-asn-3320'],
  [{ place: { continent: 'Europe' } }, 'user-surefoot-continent-europe'],
  [{ session: { id: 'a_1' } }, 'user-surefoot-session-a_1'],
  [
    { session: { minutes: 30, id: 'a1' }, place: { city: 'New York', state: 'New York', country: 'us' } },
    'user-surefoot-country-us-state-us_new_york-city-new_york-session-a1-sessionduration-30',
  ],
])('%j is the user name %s', (choice, username) => {
  expect(toUsername('surefoot', choice)).toBe(username);
  expect(toUsername('user-surefoot', choice)).toBe(username);
});

it.each<[GatewayChoice, string]>([
  [{ session: { id: 'a-b' } }, 'A proxy session\'s id is of letters, digits and "_", got "a-b".'],
  [{ session: { id: '' } }, 'A proxy session\'s id is of letters, digits and "_", got "".'],
  [{ session: { id: 'a', minutes: 0 } }, '--session-minutes must be a whole number from 1 to 1440, got 0.'],
  [{ session: { id: 'a', minutes: 1441 } }, '--session-minutes must be a whole number from 1 to 1440, got 1441.'],
  [{ session: { id: 'a', minutes: 1.5 } }, '--session-minutes must be a whole number from 1 to 1440, got 1.5.'],
  [{ place: { city: 'berlin' } }, '--city needs --country'],
])('%j is refused by the name of its rule', (choice, message) => {
  expect(() => toUsername('surefoot', choice)).toThrow(message);
});

const name = fc.stringMatching(/^[A-Za-z0-9_]{6,64}$/);
const word = fc.stringMatching(/^[A-Za-z]{4}[A-Za-z .'-]{0,20}[A-Za-z]$/);
const country = fc.constantFrom('us', 'DE', 'fr', 'GB', 'br');
const place = fc.oneof(
  fc.constant({}),
  fc.record({ continent: word }),
  fc.record({ asn: fc.integer({ min: 1, max: 4_294_967_295 }).map(String) }),
  fc.record({ country, city: fc.option(word, { nil: undefined }) }),
  fc.record({ country: fc.constant('us'), zip: fc.stringMatching(/^[0-9]{5}$/) }),
  fc.record({ country: fc.constant('US'), state: word, city: fc.option(word, { nil: undefined }) }),
);
const minutes = fc.option(fc.integer({ min: 1, max: 1440 }), { nil: undefined });
const session = fc.option(fc.record({ id: fc.stringMatching(/^[A-Za-z0-9_]{1,40}$/), minutes }), { nil: undefined });

it('every choice that is accepted parses back to itself', () => {
  fc.assert(
    fc.property(name, place, session, (user, place, session) => {
      const parsed = parseUsername(toUsername(user, { place, session }));
      expect(parsed).toEqual({ user, choice: { place: checkPlace(place), session } });
    }),
    { numRuns: 1_000 },
  );
});

it('a user name that parses is what its choice is written as', () => {
  const piece = fc.oneof(
    fc.constantFrom('user', 'country', 'city', 'state', 'zip', 'asn', 'continent', 'session', 'sessionduration'),
    fc.constantFrom('surefoot', 'de', 'us', 'us_ohio', 'new_york', '10001', '030', 'a1', 'DE', ''),
  );
  const likely = fc.array(piece, { maxLength: 8 }).map((pieces) => ['user-surefoot', ...pieces].join('-'));
  fc.assert(
    fc.property(fc.oneof(likely, fc.string()), (username) => {
      const parsed = parseUsername(username);
      if (parsed) expect(toUsername(parsed.user, parsed.choice)).toBe(username);
    }),
    { numRuns: 5_000 },
  );
});

it.each([
  'surefoot',
  'user-short',
  'user-surefoot-session-a1-country-de',
  'user-surefoot-country-DE',
  'user-surefoot-country-de-country-de',
  'user-surefoot-city-berlin',
  'user-surefoot-sessionduration-10',
  'user-surefoot-session-a1-sessionduration-030',
  'user-surefoot-session-a-1',
  'user-surefoot-country-de-',
  'user-surefoot\n',
])('%j is no user name of ours', (username) => {
  expect(parseUsername(username)).toBeNull();
});

it('a proxy URL holds the password percent-encoded, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (pass) => {
      const url = new URL(toProxyUrl({ user: 'surefoot', pass }));
      expect(decodeURIComponent(url.password)).toBe(pass);
      expect(url.host).toBe('gate.decodo.com:7000');
      expect(url.username).toBe('user-surefoot');
    }),
  );
  expect(toProxyUrl({ ...account, pass: 'a@b:c/d#e%' })).toBe('http://user-surefoot:a%40b%3Ac%2Fd%23e%25@gate.decodo.com:7000');
});

it('the gateway’s old name becomes its present one, and others stay', () => {
  expect(toProxyUrl({ ...account, host: 'gate.smartproxy.com' })).toContain('@gate.decodo.com:7000');
  expect(toProxyUrl({ ...account, host: ' Gate.SmartProxy.com ', port: 7001 })).toContain('@gate.decodo.com:7001');
  expect(toProxyUrl({ ...account, host: 'dc.decodo.com', port: 10_000 })).toContain('@dc.decodo.com:10000');
});

it.each([
  [{ user: 'short' }, 'DECODO_USER must have 6 to 64 characters, got 5.'],
  [{ user: `user-${'a'.repeat(65)}` }, 'DECODO_USER must have 6 to 64 characters, got 65.'],
  [{ user: '' }, 'DECODO_USER must have 6 to 64 characters, got 0.'],
  [{ user: 'surefoot-country-de' }, 'DECODO_USER must be of letters, digits and "_"'],
  [{ user: 'surefoot:canary' }, 'DECODO_USER must be of letters, digits and "_"'],
  [{ pass: '' }, 'DECODO_PASS is empty'],
  [{ host: 'http://gate.decodo.com' }, "DECODO_HOST must be a host's name alone"],
  [{ host: 'u:canary@gate.decodo.com:7000' }, "DECODO_HOST must be a host's name alone"],
  [{ port: 0 }, 'DECODO_PORT must be a whole number from 1 to 65535, got 0.'],
  [{ port: 65_536 }, 'DECODO_PORT must be a whole number from 1 to 65535, got 65536.'],
])('an account with %j is refused by the variable’s name, without a secret', (wrong, message) => {
  const attempt = () => toProxyUrl({ user: 'surefoot', pass: 'canary', ...wrong });
  expect(attempt).toThrow(message);
  expect(attempt).not.toThrow('canary');
});
