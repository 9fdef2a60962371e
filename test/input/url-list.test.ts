// Addresses in the text of a file that is not ours, and where a Google sheet is to be had as text.
import { describe, expect, it } from 'vitest';

import { loadInput } from '../../src/input/load.ts';
import { findUrls, listsIn, toSheetAsCsv } from '../../src/input/url-list.ts';

describe('the URLs of a text', () => {
  it.each([
    ['one a line', 'https://a.example/1\nhttps://a.example/2\r\n', ['https://a.example/1', 'https://a.example/2']],
    ['each once', 'https://a.example/1 https://a.example/1', ['https://a.example/1']],
    ['cells of CSV', 'id,url,price\n1,"https://a.example/?q=1&p=2",3\n', ['https://a.example/?q=1&p=2']],
    ['cells with semicolons', '1;http://a.example/x;y', ['http://a.example/x']],
    [
      'of numbers, of this machine',
      'http://127.0.0.1:9850/a http://[::1]:80/b http://localhost/c',
      ['http://127.0.0.1:9850/a', 'http://[::1]:80/b', 'http://localhost/c'],
    ],
    ['JSON', '{"a":["https://a.example/1","https://a.example/2"]}', ['https://a.example/1', 'https://a.example/2']],
    ['capital letters, other scripts', 'HTTPS://A.example/Ünïcode/हिन्दी', ['HTTPS://A.example/Ünïcode/हिन्दी']],
    [
      'brackets, dots, fragments',
      'https://a.example/B_(c) https://a.example/Inc. https://a.example/#!/d',
      ['https://a.example/B_(c)', 'https://a.example/Inc.', 'https://a.example/#!/d'],
    ],
    ['no others', 'ftp://a.example/ www.a.example mailto:me@a.example https:// http:///x httpx://b', []],
    ['none with a password', 'https://me:secret@a.example/', []],
    ['none that no parser takes', 'http://a.example:99999/', []],
  ])('%s', (_, text, urls) => expect(findUrls(text)).toEqual(urls));

  it('in HTML, are as a browser reads them', () => {
    const html = `<a href="https://a.example/?x=1&amp;y=2">one</a><a href='https://a.example/2'>https://a.example/2</a>`;
    expect(findUrls(html, { isMarkup: true })).toEqual(['https://a.example/?x=1&y=2', 'https://a.example/2']);
  });

  it('are found in time that grows with the text alone, whatever stands in it', () => {
    const steps = (text: string) => {
      const started = performance.now();
      findUrls(text);
      return performance.now() - started;
    };
    // Quadratic, each would take minutes.
    expect(steps('http://'.repeat(300_000))).toBeLessThan(10_000);
    expect(steps(`http://${'a-'.repeat(1_000_000)}`)).toBeLessThan(10_000);
    expect(steps(`http://[${':'.repeat(1_000_000)}`)).toBeLessThan(10_000);
  });
});

describe('a Google sheet', () => {
  const sheet = 'https://docs.google.com/spreadsheets/d/1aB_c-D';
  const csv = `${sheet}/gviz/tq?tqx=out:csv`;
  const published = 'https://docs.google.com/spreadsheets/d/e/2PACX-1v';
  it.each([
    [sheet, csv],
    [`${sheet}/`, csv],
    [`${sheet}/edit?usp=sharing`, csv],
    [`${sheet}/edit?gid=7#gid=7`, `${csv}&gid=7`],
    [`${sheet}/edit#gid=12`, `${csv}&gid=12`],
    ['https://docs.google.com/spreadsheets/u/0/d/1aB_c-D/view', csv],
    [`${published}/pubhtml?gid=3&single=true`, `${published}/pub?output=csv&gid=3`],
    [`${published}/pub?output=csv`, null],
    [`${sheet}/export?format=csv`, null],
    ['https://docs.google.com/document/d/1aB_c-D/edit', null],
    ['https://docs.google.com.evil.example/spreadsheets/d/1aB_c-D', null],
  ])('%s is fetched as CSV', (url, asCsv) => expect(toSheetAsCsv(url)).toBe(asCsv));
});

describe('requestsFromUrl', () => {
  const load = (actorInput: unknown) => loadInput([], { env: {}, cwd: '/nowhere', actorInput });

  it('stands among the start URLs by its place, checked as they are', async () => {
    const startUrls = ['https://a.example/', { requestsFromUrl: ' https://a.example/list.txt ', method: 'GET' }];
    expect(listsIn({ startUrls })).toEqual(new Map([[1, 'https://a.example/list.txt']]));
    expect(await load({ startUrls })).toMatchObject({
      settings: { startUrls: ['https://a.example/', 'https://a.example/list.txt'] },
    });
  });

  it.each([
    { requestsFromUrl: 'list.txt' },
    { requestsFromUrl: 7 },
    { requestsFromUrl: 'https://a.example/', method: 'POST' },
    { requestsFromUrl: 'https://a.example/', url: 'https://a.example/' },
  ])('%j is refused as it was given', async (source) =>
    expect(load({ startUrls: [source] })).rejects.toThrow(
      `startUrls[0] in the Actor's input must be an absolute http(s) URL without user name and password, got ${JSON.stringify(source)}.`,
    ),
  );
});
