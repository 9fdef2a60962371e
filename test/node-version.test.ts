import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { whyTooOld } from '../src/node-version.ts';

it.each(['18.20.8', '20.0.0', '20.18.3', '16.1.0', '19.9.0'])('Node %s is refused in one sentence', (version) => {
  expect(whyTooOld(version)).toBe(
    `Surefoot needs Node.js 20.19 or newer, and this is ${version}. Install a newer one: https://nodejs.org`,
  );
});

it.each(['20.19.0', '20.20.2', '22.0.0', '24.15.0', '26.0.0'])('Node %s is new enough', (version) => {
  expect(whyTooOld(version)).toBeNull();
});

it('what is refused is what package.json does not name', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    engines: { node: string };
  };
  expect(engines.node).toBe('>=20.19');
  expect(readFileSync(new URL('../scripts/start.mjs', import.meta.url), 'utf8')).toContain('Node.js 20.19 or newer');
});
