// A site is found by its folder, and a folder that is no site is refused in words. Over a copy with folders of its own.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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

  /** What only shows in a process that runs TypeScript as `npx tsx` does. */
  const AS_RUN: Record<string, string> = {
    'no-file': "// One.\nimport { list } from './lst.ts';\nexport const site = { list };",
    'no-package': "import { z } from 'zoood';\nexport const site = { z };",
    'no-export': "// One.\nimport { lst } from '../good/index.ts';\nexport const site = { lst };",
    'no-syntax': '// One.\nexport const site = { name: 1,, };',
    'no-routes':
      "import { defineSite } from '../../core/site.ts';\n\nexport const site = defineSite({ name: 'no-routes' } as never);",
    'bad-json': "export const site = JSON.parse('{') as object;",
    throws: "export const site = (() => {\n  throw new TypeError('of its own');\n})();",
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'surefoot-sites-'));
    const src = join(dir, 'src');
    cpSync(join(root, 'src', 'core'), join(src, 'core'), { recursive: true });
    cpSync(join(root, 'src', 'load-site.ts'), join(src, 'load-site.ts'));
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    for (const [name, text] of Object.entries({ ...FOLDERS, ...AS_RUN })) {
      mkdirSync(join(src, 'routes', name), { recursive: true });
      writeFileSync(join(src, 'routes', name, 'index.ts'), text);
    }
    mkdirSync(join(src, 'routes', 'no-index'));
    writeFileSync(join(src, 'routes', 'a-file.ts'), FOLDERS['good'] as string);
    ({ loadSite: load } = (await import(/* @vite-ignore */ join(src, 'load-site.ts'))) as { loadSite: typeof loadSite });
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

  it('that cannot be loaded is refused in a sentence, and what its own code throws keeps its stack', async () => {
    const script = `import { loadSite } from './src/load-site.ts';
      const told = process.argv.slice(2).map((name) => loadSite(name).catch((error) => [error.kind ?? null, error.message, error.stack]));
      console.log(JSON.stringify(await Promise.all(told)));`;
    writeFileSync(join(dir, 'load.ts'), script);
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--import', 'tsx', join(dir, 'load.ts'), ...Object.keys(AS_RUN)], {
      cwd: dir,
    });
    const told = JSON.parse(stdout) as [string | null, string, string][];
    const path = (name: string) => `src/routes/${name}/index.ts`;
    const cannot = (name: string) => `[site] src/routes/${name}/ cannot be loaded: `;
    expect(told.slice(0, 5).map(([kind, message]) => [kind, message])).toEqual([
      ['site', `${cannot('no-file')}Cannot find module 'src/routes/no-file/lst.ts' imported from ${path('no-file')}`],
      ['site', `${cannot('no-package')}Cannot find package 'zoood' imported from ${path('no-package')}`],
      [
        'site',
        `${cannot('no-export')}The requested module '../good/index.ts' does not provide an export named 'lst' (${path('no-export')}:2)`,
      ],
      ['site', `${cannot('no-syntax')}Expected identifier but found "," (${path('no-syntax')}:2)`],
      ['site', expect.stringMatching(/^\[site\] Site "no-routes" needs `routes`, .* \(src\/routes\/no-routes\/index\.ts:3\)$/)],
    ]);
    expect(told[5]).toEqual([null, expect.stringContaining('JSON'), expect.stringContaining(`${path('bad-json')}:1:`)]);
    expect(told[6]).toEqual([null, 'of its own', expect.stringContaining(`${path('throws')}:2:`)]);
  });

  it('without an index.ts is refused in words', async () => {
    await expect(load('no-index')).rejects.toMatchObject({ kind: 'site' });
  });

  it('is no file', async () => {
    await expect(load('a-file.ts')).rejects.toThrow(/got "a-file\.ts"/);
  });
});
