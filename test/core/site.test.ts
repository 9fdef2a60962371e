import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { SurefootError } from '../../src/core/errors.ts';
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
});
