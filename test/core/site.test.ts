import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { SurefootError } from '../../src/core/errors.ts';
import { TIERS } from '../../src/core/page.ts';
import { PROXY_MODES } from '../../src/core/proxy.ts';
import { defineSite } from '../../src/core/site.ts';

const definition = {
  name: 'my-site2',
  startUrls: ['https://a.example/', 'HTTP://b.example:8080/path?query'],
  labelOf: () => 'LIST' as const,
  record: z.object({ url: z.url() }),
  userData: { LIST: z.object({}) },
  routes: { LIST: async () => {} },
};

function problemOf(work: () => unknown): SurefootError {
  try {
    work();
  } catch (error) {
    if (error instanceof SurefootError) return error;
    throw error;
  }
  throw new Error('Nothing was wrong with it.');
}

describe('defineSite', () => {
  it('keeps what it is given', () => {
    const site = defineSite(definition);
    expect(site).toMatchObject({ name: 'my-site2', startUrls: definition.startUrls });
    expect(site.labelOf(new URL('https://a.example/'))).toBe('LIST');
    expect(site.routes['LIST']).toBe(definition.routes.LIST);
  });

  it.each(['', 'Hackernews', 'hacker news', '-site', '../site', 'a/b', 'site_2', 'sité', 'site\n'])(
    'refuses the name %j',
    (name) => {
      const { kind, message } = problemOf(() => defineSite({ ...definition, name }));
      expect(kind).toBe('site');
      expect(message).toContain(`"${name}"`);
    },
  );

  it.each(['list', 'List', 'LIST-2', '2LIST', '_LIST', 'LIST PAGE', ''])('refuses the label %j', (label) => {
    const userData = { [label]: z.object({}) };
    const routes = { [label]: async () => {} };
    const { kind, message } = problemOf(() => defineSite({ ...definition, userData, routes, labelOf: () => label }));
    expect(kind).toBe('site');
    expect(message).toContain(`"${label}"`);
    expect(message).toContain('my-site2');
  });

  it.each(['A', 'LIST_2', 'DETAIL'])('takes the label %j', (label) => {
    const userData = { [label]: z.object({}) };
    const routes = { [label]: async () => {} };
    expect(Object.keys(defineSite({ ...definition, userData, routes, labelOf: () => label }).routes)).toEqual([label]);
  });

  it.each(['', '/news', 'a.example', 'ftp://a.example/', 'javascript:alert(1)', 'https://', 'file:///etc/hosts'])(
    'refuses the start URL %j',
    (url) => {
      const { kind, message } = problemOf(() => defineSite({ ...definition, startUrls: ['https://a.example/', url] }));
      expect(kind).toBe('site');
      expect(message).toContain(`"${url}"`);
    },
  );

  it.each([
    [{ proxy: { LIST: 'stiky' } }, '`proxy.LIST`', '"stiky". Did you mean "sticky"?'],
    [{ proxy: { LIST: 'Rotating' } }, '`proxy.LIST`', 'none, rotating, sticky, geo, got "Rotating". Did you mean "rotating"?'],
    [{ proxy: { LIST: true } }, '`proxy.LIST`', 'none, rotating, sticky, geo, got true.'],
    [{ proxy: { LIST: '' } }, '`proxy.LIST`', 'got "".'],
    [
      { tier: { LIST: 'browsr' } },
      '`tier.LIST`',
      'http, impersonate, browser, unblocker, api, got "browsr". Did you mean "browser"?',
    ],
    [{ tier: { LIST: null } }, '`tier.LIST`', 'got null.'],
    [{ tier: { LSIT: 'http' } }, '`tier`', 'the label LSIT, which has no route. Did you mean LIST? It has LIST.'],
    [{ routes: undefined }, '`routes`', 'one handler for each label, got nothing.'],
    [{ routes: { LIST: undefined } }, '`routes.LIST`', 'must be a function, got nothing.'],
    [{ userData: undefined }, '`userData`', 'a Zod object for each label, got nothing.'],
    [{ userData: {} }, '`userData.LIST`', 'must be a Zod object, got nothing.'],
    [{ userData: { LIST: { shelf: 'string' } } }, '`userData.LIST`', 'must be a Zod object, got {"shelf":"string"}.'],
    [{ labelOf: 'LIST' }, '`labelOf`', 'a function from a URL to its label, got "LIST".'],
    [{ record: undefined }, '`record`', 'the Zod object of one row, got nothing.'],
    [{ startUrls: 'https://a.example/' }, '`startUrls`', 'a list of URLs, got "https://a.example/".'],
  ])('without the types refuses %j', (part, where, says) => {
    const { kind, message } = problemOf(() => defineSite({ ...definition, ...part } as unknown as typeof definition));
    expect(kind).toBe('site');
    expect(message).toContain(where);
    expect(message).toContain('"my-site2"');
    expect(message).toContain(says);
  });

  it('takes every tier and every proxy mode', () => {
    for (const tier of TIERS) expect(defineSite({ ...definition, tier: { LIST: tier } }).tier).toEqual({ LIST: tier });
    for (const mode of PROXY_MODES) expect(defineSite({ ...definition, proxy: { LIST: mode } }).proxy).toEqual({ LIST: mode });
  });
});
