// Two thousand pages, and three in ten answers are wrong in one way or another.
import type { IncomingMessage, ServerResponse } from 'node:http';

import { expect, it } from 'vitest';

import { faultOf } from '../fetch/faults.ts';
import { crawl, leapingClock } from './harness.ts';
import { serve } from './serve.ts';

const PAGES = 2_000;
const HOSTS = 25;
/** Of a thousand answers. */
const FAULTY = 300;
/** Every hundredth page never succeeds; the others fail four times in a row at most, which the second pass mends. */
const HOPELESS = 100;
const MOST_IN_A_ROW = 4;
const FAULTS = [
  '500',
  '503?after=1',
  'reset-before-headers',
  'cut-length',
  'cut-chunk',
  'cut-gzip',
  '429?after=2',
  '429',
  'slow',
];
const SLOW_MILLIS = 40;
/** Hosts that rest do so one by one, beside others that do not: there is no leaping over that. */
const SPEED = 10;

/** The same numbers from 0 to `below` in every run (mulberry32). */
function drawFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

it(`of ${PAGES} pages with 30% of the answers faulty, each has exactly one row or one dead letter`, async () => {
  const draw = drawFrom(17);
  const isHopeless = (page: number) => page % HOPELESS === 0;
  const hits = new Map<string, number>();
  const answered = { well: 0, badly: 0 };

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url as string;
    const failedBefore = hits.get(path) ?? 0;
    const page = `<!doctype html><title>${path}</title><p>${'A page. '.repeat(50)}`;
    const fails = isHopeless(Number(path.slice(1))) || (failedBefore < MOST_IN_A_ROW && draw(1_000) < FAULTY);
    const [name = '', query = ''] = (FAULTS[draw(FAULTS.length)] as string).split('?');
    // What is slow is still what it should be.
    const isBad = fails && (name !== 'slow' || isHopeless(Number(path.slice(1))));
    hits.set(path, failedBefore + 1);
    answered[fails ? 'badly' : 'well']++;
    const fault = faultOf(isBad ? (name === 'slow' ? '500' : name) : 'ok');
    const exchange = { request, response, socket: request.socket, rest: '', base: path, page, now: Date.now() };
    const send = () => fault({ ...exchange, query: new URLSearchParams(query) });
    if (fails && name === 'slow') setTimeout(send, SLOW_MILLIS);
    else send();
  };
  const origins = await Promise.all(Array.from({ length: HOSTS }, () => serve(answer)));
  const urls = Array.from({ length: PAGES }, (_, page) => `${origins[page % HOSTS]}/${page}`);

  const { rows, letters, ends, secondPass } = await crawl({
    urls,
    clock: leapingClock(SPEED),
    concurrency: 40,
    hostConcurrency: 10,
  });

  const share = answered.badly / (answered.badly + answered.well);
  expect(share, 'the faulty share of all answers').toBeGreaterThan(0.28);
  const hopeless = urls.filter((_, page) => isHopeless(page));
  const hopeful = urls.filter((_, page) => !isHopeless(page));
  expect(rows.map(({ url }) => String(url)).toSorted()).toEqual(hopeful.toSorted());
  for (const { url, title } of rows) expect(title).toBe(new URL(url as string).pathname);
  expect(letters.map(({ url }) => url).toSorted()).toEqual(hopeless.toSorted());
  expect(ends).toEqual({ succeeded: hopeful.length, failed: hopeless.length });
  expect(secondPass, 'the second pass had something to mend').toBeGreaterThan(hopeless.length);
}, 300_000);
