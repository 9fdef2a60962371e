// What is in .actor/ agrees with the program and with the platform's schemas.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { toDeadLetter } from '../../src/core/dead-letter.ts';
import { ACTOR_FIELDS } from '../../src/input/actor-fields.ts';
import { actorInputSchemaText } from '../../src/input/actor-schema.ts';
import { site } from '../../src/routes/hackernews/index.ts';
import { ROOT } from '../docs/documents.ts';

const APIFY = join(ROOT, 'node_modules/apify-cli/dist/apify.js');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const readJson = (path: string): unknown => JSON.parse(read(path));

function validate(cwd: string): string {
  const env = { ...process.env, APIFY_CLI_DISABLE_TELEMETRY: '1', APIFY_CLI_SKIP_UPDATE_CHECK: '1', HOME: cwd };
  return execFileSync(process.execPath, [APIFY, 'validate-schema'], { cwd, env, encoding: 'utf8', stdio: 'pipe' });
}

describe('the schemas', () => {
  it('of the input is the one that the settings make (npm run actor:schema)', () => {
    expect(read('.actor/input_schema.json')).toBe(actorInputSchemaText());
  });

  // The CLI looks at `storages.dataset` alone, and actor.json has `storages.datasets`: each is put in that place in turn.
  it.each(['dataset_schema.json', 'failed_dataset_schema.json'])('are valid for the Apify CLI, with %s', (dataset) => {
    const dir = mkdtempSync(join(tmpdir(), 'surefoot-schemas-'));
    cpSync(join(ROOT, '.actor'), join(dir, '.actor'), { recursive: true });
    const { storages, ...actor } = readJson('.actor/actor.json') as { storages: Record<string, unknown> };
    const { datasets: _, ...others } = storages;
    writeFileSync(join(dir, '.actor/actor.json'), JSON.stringify({ ...actor, storages: { ...others, dataset: `./${dataset}` } }));
    validate(dir);
    // It can fail.
    writeFileSync(join(dir, '.actor', dataset), '{ "actorSpecification": 1, "views": { "broken": {} } }');
    expect(() => validate(dir)).toThrow(/schema/i);
    rmSync(dir, { recursive: true });
  });

  it('of the datasets show fields that rows have', () => {
    const fieldsOf = (path: string, view: string) =>
      (readJson(path) as { views: Record<string, { transformation: { fields: string[] } }> }).views[view]?.transformation
        .fields ?? [];
    expect(Object.keys(site.record.shape)).toEqual(expect.arrayContaining(fieldsOf('.actor/dataset_schema.json', 'stories')));
    const letter = toDeadLetter(
      { url: 'https://a.example', id: 'a', label: 'LIST', errorMessages: [] },
      {
        at: '',
        tier: 'http',
        verdict: 'fatal',
        status: 400,
        error: '',
      },
    );
    expect(Object.keys(letter)).toEqual(expect.arrayContaining(fieldsOf('.actor/failed_dataset_schema.json', 'failures')));
  });

  it('name all sections, and nothing twice', () => {
    const properties = Object.entries(
      (readJson('.actor/input_schema.json') as { properties: Record<string, { sectionCaption?: string }> }).properties,
    );
    const captions = properties.flatMap(([, { sectionCaption }]) => sectionCaption ?? []);
    expect(new Set(captions).size).toBe(captions.length);
    expect(captions.slice(0, 3)).toEqual(['Start', 'Limits', 'Politeness']);
    expect(new Set(ACTOR_FIELDS.map(({ name }) => name)).size).toBe(ACTOR_FIELDS.length);
  });

  it('have no secret with a default, and show none', () => {
    const properties = (readJson('.actor/input_schema.json') as { properties: Record<string, object> }).properties;
    const secrets = Object.values(properties).filter((property) => 'isSecret' in property);
    expect(secrets.length).toBeGreaterThan(0);
    for (const property of secrets) {
      expect(property).not.toHaveProperty('default');
      expect(['textfield', 'textarea', 'hidden', 'json']).toContain((property as { editor?: string }).editor);
    }
  });
});

it('apify is imported in one place', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  expect(sources.filter((path) => /from 'apify'|import\('apify'\)/.test(read(`src/${path}`)))).toEqual([
    join('platform', 'actor.ts'),
  ]);
});

describe('the image', () => {
  const dockerfile = read('.actor/Dockerfile');
  const { dependencies } = readJson('package.json') as { dependencies: Record<string, string> };

  it("has package.json's Playwright, in both stages", () => {
    const tags = [...dockerfile.matchAll(/^FROM apify\/actor-node-playwright-chrome:\d+-([\d.]+)/gm)].map(
      ([, version]) => version,
    );
    expect(tags).toEqual([dependencies['playwright'], dependencies['playwright']]);
  });

  it('keeps the optional dependencies and is not run by root', () => {
    expect(dockerfile).not.toContain('--omit=optional');
    expect(dockerfile).not.toMatch(/^USER root/m);
  });
});
