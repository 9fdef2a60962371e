// How long a challenge is waited for, by what it shows.
import { expect, it } from 'vitest';

import { startPatience, type Look } from '../../../src/fetch/browser/patience.ts';

/** Looks every 200 ms. @returns The second at which it is given up. */
function givenUpAfter(lookAt: (second: number) => Partial<Look>): number {
  let millis = 0;
  const patience = startPatience(() => millis);
  for (; millis < 120_000; millis += 200) {
    if (!patience.hasLeft({ vendor: 'Cloudflare', html: '<p>Wait</p>', busy: false, ...lookAt(millis / 1_000) })) break;
  }
  return millis / 1_000;
}

it.each<[what: string, look: (second: number) => Partial<Look>, seconds: number]>([
  ['stands still', () => ({}), 10],
  ['counts down for ever', (second) => ({ html: String(Math.floor(second)) }), 35],
  ['asks for ever', () => ({ busy: true }), 35],
  ['moved last after 15 s', (second) => ({ html: String(Math.min(15, Math.floor(second))) }), 25],
  ['says 30 s in an attribute', () => ({ html: '<iframe id="sec-cpt-if" data-duration="30">' }), 35],
  ['says 45 s in its data', () => ({ html: '{"chlg_duration":45}' }), 50],
  ['says 999 s', () => ({ html: '<iframe data-duration="999">' }), 65],
  ['is of a vendor whose puzzle is silent', () => ({ vendor: 'Anubis' }), 35],
])('a challenge that %s is given up in time', (_, look, seconds) => {
  expect(givenUpAfter(look)).toBeCloseTo(seconds, 0);
});
