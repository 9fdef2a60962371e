// One story page of about 700 KB: the title and the text of every comment, by each way of parsing.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { load } from 'cheerio';

import { fields, text, texts } from '../src/core/fields.ts';
import { itemPage } from '../src/demo/pages.ts';
import { demoStory } from '../src/demo/stories.ts';
import { openText, parse } from '../src/fetch/document.ts';
import { STORY_BLOCK } from '../src/routes/hackernews/detail.ts';
import { median } from './processes.ts';

const COMMENTS = 640;
const RUNS = 7;

const ALL = fields({ title: text('.titleline > a'), comments: texts('.commtext') });

type Found = { title: string | null; comments: string[] };

/** Way → milliseconds; null: its package is not there. */
export function compareParsers(): { bytes: number; millis: Record<string, number | null> } {
  const html = itemPage({ ...demoStory(1), commentCount: COMMENTS });
  const byTree = ($: ReturnType<typeof load>): Found => ({
    title: $('.titleline > a').first().text(),
    comments: $('.commtext')
      .toArray()
      .map((comment) => $(comment).text()),
  });
  const ways: Record<string, () => Found> = {
    'cheerio, parse5': () => byTree(load(html)),
    'cheerio, htmlparser2': () => byTree(parse(html) as unknown as ReturnType<typeof load>),
    'Surefoot, declared fields': () => openText(html).read(ALL) as Found,
  };
  const millis: Record<string, number | null> = { ...byPython(html) };
  for (const [name, run] of Object.entries(ways)) {
    const { comments } = run();
    if (comments.length < COMMENTS - 1) throw new Error(`${name} found ${comments.length} of ${COMMENTS} comments.`);
    millis[name] = timeOf(run);
  }
  millis["Surefoot, the site's own fields: no comments"] = timeOf(() => openText(html).read(STORY_BLOCK));
  return { bytes: Buffer.byteLength(html), millis };
}

function timeOf(run: () => unknown): number {
  const times = Array.from({ length: RUNS }, () => {
    const begin = performance.now();
    run();
    return performance.now() - begin;
  });
  return median(times);
}

function byPython(html: string): Record<string, number | null> {
  const folder = mkdtempSync(join(tmpdir(), 'surefoot-bench-'));
  const file = join(folder, 'page.html');
  writeFileSync(file, html);
  try {
    const script = fileURLToPath(new URL('peers/parse.py', import.meta.url));
    return JSON.parse(execFileSync('/usr/bin/python3', [script, file], { encoding: 'utf8' })) as Record<string, number | null>;
  } catch {
    return { 'Python 3': null };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
