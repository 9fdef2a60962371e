// Which proxy settings go together.
import { expect, it } from 'vitest';

import { checkProxyChoice, type ProxyChoice } from '../../src/proxy/choice.ts';

const base: ProxyChoice = { mode: 'none', place: {}, proxyUrls: [] };
const proxyUrls = ['http://a.test:1'];

it.each<Partial<ProxyChoice>>([
  {},
  { mode: 'rotating' },
  { mode: 'sticky', sessionMinutes: 30 },
  { mode: 'geo', place: { country: 'de' } },
  { mode: 'geo', place: { asn: '3320' } },
  { mode: 'rotating', place: { country: 'de' } },
  { mode: 'sticky', place: { country: 'us', zip: '10001' }, sessionMinutes: 1440 },
  { mode: 'none', byLabel: { LOGIN: 'sticky' }, place: { country: 'de' }, sessionMinutes: 5 },
  { mode: 'rotating', proxyUrls },
  { mode: 'sticky', proxyUrls },
  { mode: 'none', proxyUrls },
])('%j go together', (choice) => {
  expect(() => checkProxyChoice({ ...base, ...choice })).not.toThrow();
});

it('the place comes back in the gateway’s spelling', () => {
  const checked = checkProxyChoice({ ...base, mode: 'geo', place: { country: 'US', city: 'New York' } });
  expect(checked.place).toEqual({ country: 'us', city: 'new_york' });
});

const AND_INSTEAD = 'PROXY_URLS is of a provider whose rules for it are not known. Take PROXY_URLS out to use Decodo';

it.each<[Partial<ProxyChoice>, string]>([
  [{ mode: 'geo' }, '--proxy geo needs a place. Add one of --continent, --country, --state, --city, --zip, --asn.'],
  [{ mode: 'sticky', byLabel: { SHOP: 'geo' } }, 'Proxy mode geo, which the site wants for SHOP, needs a place.'],
  [{ place: { country: 'de' } }, '--country needs a proxy, got --proxy none. Add --proxy geo, or leave --country out.'],
  [{ byLabel: { A: 'none' }, place: { asn: '1' } }, '--asn needs a proxy, got --proxy none.'],
  [{ mode: 'rotating', sessionMinutes: 10 }, '--session-minutes needs --proxy sticky, got --proxy rotating'],
  [{ mode: 'geo', place: { country: 'de' }, sessionMinutes: 10 }, '--session-minutes needs --proxy sticky, got --proxy geo'],
  [{ sessionMinutes: 10 }, '--session-minutes needs --proxy sticky, got --proxy none'],
  [{ mode: 'sticky', sessionMinutes: 0 }, '--session-minutes must be a whole number from 1 to 1440, got 0.'],
  [{ mode: 'geo', proxyUrls }, `--proxy geo needs Decodo's gateway: ${AND_INSTEAD}`],
  [{ byLabel: { SHOP: 'geo' }, proxyUrls }, "Proxy mode geo, which the site wants for SHOP, needs Decodo's gateway"],
  [{ mode: 'rotating', place: { city: 'berlin', country: 'de' }, proxyUrls }, `--country needs Decodo's gateway: ${AND_INSTEAD}`],
  [{ mode: 'sticky', sessionMinutes: 10, proxyUrls }, `--session-minutes needs Decodo's gateway: ${AND_INSTEAD}`],
  [{ mode: 'geo', place: { city: 'berlin' } }, '--city needs --country'],
])('%j are refused by the flag’s name', (choice, message) => {
  expect(() => checkProxyChoice({ ...base, ...choice })).toThrow(`[input] ${message}`);
});
