// The links of a page in a real browser: what `page.resolve()` makes of them is what the browser makes of them.
import { expect, it } from 'vitest';

import { crawlBrowser, describeBrowser, html, startServer, type Answer } from './lab.ts';

/** Of every kind; in each encoding, characters that it has and some that it does not have. */
const HREFS = [
  '', '#', '#top', '?', '?q', 'x', './x', '../x', '/x/../y', '//b.example', '///b.example/x', '\\x\\y', ' x ', 'x y', 'ht\ntp://b.exa\tmple/',
  'http:x', 'https:x', 'http://[::1]:81/.x', 'http://0x7f.1/', 'HTTP://B.Example:80/', '/wiki/.NET', '/a/..%2fx', 'mailto:a@a.example?é',
  'ftp://b.example/?é', '?q="\'<>`{}|^\\', '?q=%C3%A9&é', 'é?é#é', '?日本語', '?Привет', '?한글', '?中文€', '?ñ“”…',
  '?ｱｲｳﾞ', '?¥‾−～', '?\u00a0\u0080', '?𝄞😀', '/é/?a=é&b=日#日', '?①纊丂', '?ß\u0301', '?═╞', '?㎡№',
]; // prettier-ignore

const SCRIPT = `for (const a of document.links) if (a.id !== 'x') a.dataset.browser = a.href;`;

const escaped = (text: string) =>
  [...text].map((char) => (/[\w/?#=.:-]/.test(char) ? char : `&#${char.codePointAt(0)};`)).join('');

/** A page in an encoding: its characters are written as references, so that each is there in all of them. */
const links =
  (encoding: string, base = ''): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': `text/html; charset=${encoding}` });
    const anchors = HREFS.map((href) => `<a href="${escaped(href)}">x</a>`);
    response.end(`<!doctype html><title>Links</title>${base}<p>Enough to read.</p>${anchors.join('')}<script>${SCRIPT}</script>`);
  };

const ENCODINGS = [
  'utf-8',
  'windows-1252',
  'windows-1251',
  'gbk',
  'gb18030',
  'big5',
  'shift_jis',
  'euc-jp',
  'iso-2022-jp',
  'euc-kr',
];

describeBrowser('a link', () => {
  it('is resolved as the browser does, in every encoding', async () => {
    const answers = Object.fromEntries(ENCODINGS.map((encoding) => [`/${encoding}`, links(encoding)]));
    const server = await startServer({ ...answers, '/base': links('windows-1252', '<base href="/other/?q">') });
    const wrong: string[] = [];
    let compared = 0;
    await crawlBrowser({
      urls: ['base', ...ENCODINGS].map((path) => `${server.origin}/${path}`),
      concurrency: 4,
      handler: async ({ $, resolve, request }) => {
        for (const anchor of $('a').toArray()) {
          const { href = '', 'data-browser': wanted = '' } = anchor.attribs;
          const found = resolve(href);
          compared++;
          if (found !== wanted) wrong.push(`${new URL(request.url).pathname} ${JSON.stringify(href)}: ${found}, not ${wanted}`);
        }
      },
    });
    expect(wrong).toEqual([]);
    expect(compared).toBe((ENCODINGS.length + 1) * HREFS.length);
  });
});

describeBrowser('a page that sends its reader on', () => {
  const meta = (content: string) => html(`<meta http-equiv="refresh" content="${content}"><h1>moved</h1>`);
  const answers = { '/at-once': meta("0;URL='/real'"), '/late': meta('8;/real'), '/real': html('<h1>real</h1>') };

  it('is left for where it leads to, also when the browser would wait', async () => {
    const server = await startServer({ ...answers, '/header': html('<h1>moved</h1>', { refresh: '9; url=/real' }) });
    const { rows } = await crawlBrowser({
      urls: ['/at-once', '/late', '/header'].map((path) => server.origin + path),
      handler: async ({ $, response, pushData }) => pushData({ path: new URL(response.url).pathname, h1: $('h1').text() }),
    });
    expect(rows).toEqual(Array.from({ length: 3 }, () => ({ path: '/real', h1: 'real' })));
  });

  it('is handled itself where the site says so, unless the browser leaves it at once', async () => {
    const server = await startServer(answers);
    const { rows } = await crawlBrowser({
      urls: ['/at-once', '/late'].map((path) => server.origin + path),
      site: { refresh: 'ignore' },
      handler: async ({ response, pushData }) => pushData({ path: new URL(response.url).pathname }),
    });
    expect(rows.map(({ path }) => path)).toEqual(['/real', '/late']);
  });
});
