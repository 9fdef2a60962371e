// A site is found by its folder, and a folder that is no site is refused in words. Over a copy with folders of its own.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadSite } from '../src/load-site.ts';

describe('the sites of this project', () => {
  it("has the demo's", async () => {
    expect(await loadSite('hackernews')).toMatchObject({ name: 'hackernews' });
  });

  it.each(['nope', '', '.', '..', '../routes/hackernews', 'hackernews/', 'HackerNews', 'constructor', '__proto__'])(
    'has none called %j, and says which there are',
    async (name) => {
      await expect(loadSite(name)).rejects.toMatchObject({ kind: 'input' });
      await expect(loadSite(name)).rejects.toThrow(/--site .*src\/routes\/ \(.*hackernews.*\)/);
      await expect(loadSite(name)).rejects.toThrow(`got "${name}"`);
    },
  );
});

describe("a folder of one's own", () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  let dir = '';
  let load: typeof loadSite;

  const FOLDERS: Record<string, string> = {
    good: "export const site = { name: 'good', startUrls: [] };",
    renamed: "export const site = { name: 'good', startUrls: [] };",
    empty: 'export const somethingElse = 1;',
    'by-default': "export default { name: 'by-default' };",
    broken: "throw new Error('it cannot even be loaded');",
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'surefoot-sites-'));
    cpSync(join(root, 'src', 'core'), join(dir, 'core'), { recursive: true });
    cpSync(join(root, 'src', 'load-site.ts'), join(dir, 'load-site.ts'));
    for (const [name, text] of Object.entries(FOLDERS)) {
      mkdirSync(join(dir, 'routes', name), { recursive: true });
      writeFileSync(join(dir, 'routes', name, 'index.ts'), text);
    }
    mkdirSync(join(dir, 'routes', 'no-index'));
    writeFileSync(join(dir, 'routes', 'a-file.ts'), FOLDERS['good'] as string);
    ({ loadSite: load } = (await import(/* @vite-ignore */ join(dir, 'load-site.ts'))) as { loadSite: typeof loadSite });
  });

  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it('is loaded by its name, without being registered anywhere', async () => {
    expect(await load('good')).toMatchObject({ name: 'good' });
  });

  it.each([
    ['renamed', /src\/routes\/renamed\/ calls itself "good".*"renamed"/],
    ['empty', /src\/routes\/empty\/index\.ts must export `site`/],
    ['by-default', /src\/routes\/by-default\/index\.ts must export `site`/],
  ])('%s is refused', async (name, message) => {
    await expect(load(name)).rejects.toThrow(message);
    await expect(load(name)).rejects.toMatchObject({ kind: 'site' });
  });

  it('that throws when it is loaded shows its own error', async () => {
    await expect(load('broken')).rejects.toThrow('it cannot even be loaded');
  });

  it('without an index.ts is refused in words', async () => {
    await expect(load('no-index')).rejects.toMatchObject({ kind: 'site' });
  });

  it('is no file', async () => {
    await expect(load('a-file.ts')).rejects.toThrow(/got "a-file\.ts"/);
  });
});
