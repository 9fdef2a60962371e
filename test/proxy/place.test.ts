// Places: every rule by name, and one spelling for each place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { checkPlace, type Place } from '../../src/proxy/place.ts';

it.each<[Place, Place]>([
  [{}, {}],
  [{ country: 'DE' }, { country: 'de' }],
  [
    { country: ' de ', city: 'Berlin' },
    { country: 'de', city: 'berlin' },
  ],
  [
    { country: 'us', city: 'New York' },
    { country: 'us', city: 'new_york' },
  ],
  [
    { country: 'br', city: 'São Paulo' },
    { country: 'br', city: 'sao_paulo' },
  ],
  [
    { country: 'de', city: 'Baden-Baden' },
    { country: 'de', city: 'baden_baden' },
  ],
  [
    { country: 'us', city: 'St. Louis' },
    { country: 'us', city: 'st_louis' },
  ],
  [
    { country: 'us', state: 'California' },
    { country: 'us', state: 'us_california' },
  ],
  [
    { country: 'us', state: 'us_california' },
    { country: 'us', state: 'us_california' },
  ],
  [
    { country: 'US', state: 'New York', city: 'New York' },
    { country: 'us', state: 'us_new_york', city: 'new_york' },
  ],
  [
    { country: 'us', zip: '10001' },
    { country: 'us', zip: '10001' },
  ],
  [{ continent: 'North America' }, { continent: 'north_america' }],
  [{ asn: 'AS03320' }, { asn: '3320' }],
  [{ country: undefined, city: undefined }, {}],
])('%j is %j to the gateway', (place, spelt) => {
  expect(checkPlace(place)).toEqual(spelt);
});

it.each<[Place, string]>([
  [{ country: 'Germany' }, '--country must be a two-letter code, got "Germany". Try "de".'],
  [{ country: 'united states' }, '--country must be a two-letter code, got "united states". Try "us".'],
  [{ country: 'USA' }, '--country must be a two-letter code, got "USA". Try "us".'],
  [{ country: 'Cote d’Ivoire' }, '--country must be a two-letter code, got "Cote d’Ivoire". Try "ci".'],
  [{ country: 'Narnia' }, '--country must be a two-letter code, got "Narnia". Try "de" or "us".'],
  [{ country: '' }, '--country must be a two-letter code, got ""'],
  [{ country: 'UK' }, '--country must be a country\'s official two-letter code, got "UK". Try "gb".'],
  [{ country: 'xx' }, '--country must be a country\'s two-letter code, got "xx", which is none.'],
  [{ city: 'Berlin' }, '--city needs --country, got --city berlin alone. Add the country, such as --country de.'],
  [
    { country: 'jp', city: '東京' },
    '--city must be a name of letters, digits and spaces in its English spelling, such as new_york',
  ],
  [{ country: 'de', city: '--' }, '--city must be a name'],
  [{ state: 'california' }, '--state needs --country us, got none'],
  [{ country: 'de', state: 'bavaria' }, '--state needs --country us, got --country de'],
  [{ country: 'us', state: 'CA' }, '--state must be a state\'s full name, such as california, got "CA".'],
  [{ zip: '10001' }, '--zip needs --country us, got none'],
  [{ country: 'de', zip: '10115' }, '--zip needs --country us, got --country de'],
  [{ country: 'us', zip: '1000' }, '--zip must be five digits, such as 10001, got "1000".'],
  [{ country: 'us', zip: '10001', city: 'New York' }, '--zip cannot be combined with --city'],
  [{ country: 'us', zip: '10001', state: 'New York' }, '--zip cannot be combined with --state'],
  [{ asn: '3320', country: 'de' }, '--asn cannot be combined with --country'],
  [{ asn: '3320', continent: 'europe' }, '--asn cannot be combined with --continent'],
  [{ asn: 'Telekom' }, '--asn must be a network\'s number from 1 to 4294967295, such as 3320, got "Telekom".'],
  [{ asn: '0' }, "--asn must be a network's number"],
  [{ asn: '4294967296' }, "--asn must be a network's number"],
  [{ continent: 'europe', country: 'de' }, '--continent cannot be combined with --country'],
  [{ continent: 'europe', city: 'berlin' }, '--continent cannot be combined with --city'],
  [{ continent: 'europe', state: 'california' }, '--continent cannot be combined with --state'],
  [{ continent: 'europe', zip: '10001' }, '--continent cannot be combined with --zip'],
])('%j is refused by the name of its rule', (place, message) => {
  expect(refusal(place)).toContain(`[input] ${message}`);
});

describe('properties', () => {
  // Values that are right by themselves, next to any text at all.
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'aZ0 -_.us'), maxLength: 8 }),
  );
  const part = (...values: string[]) =>
    fc.option(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, text), { nil: undefined });
  const place = fc.record({
    continent: part('Europe'),
    country: part('us', 'DE', 'France'),
    state: part('California', 'us_ohio', 'NY'),
    city: part('New York', 'berlin'),
    zip: part('10001', '1'),
    asn: part('3320', 'AS1'),
  });

  it('a place in the gateway’s spelling stays as it is', () => {
    fc.assert(
      fc.property(place, (given) => {
        const spelt = accepted(given);
        if (spelt) expect(checkPlace(spelt)).toEqual(spelt);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a refusal names a flag that was given, and what must be, what it needs or what it excludes', () => {
    fc.assert(
      fc.property(place, (given) => {
        if (accepted(given)) return;
        const flags = Object.keys(given).filter((name) => given[name as keyof typeof given] !== undefined);
        expect(refusal(given)).toMatch(
          new RegExp(`^\\[input\\] --(${flags.join('|')}) (must be|needs|cannot be combined with) `),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

function accepted(place: Place): Place | null {
  try {
    return checkPlace(place);
  } catch (error) {
    if (error instanceof SurefootError) return null;
    throw error;
  }
}

function refusal(place: Place): string {
  try {
    return `accepted as ${JSON.stringify(checkPlace(place))}`;
  } catch (error) {
    if (error instanceof SurefootError && error.kind === 'input') return error.message;
    throw error;
  }
}
