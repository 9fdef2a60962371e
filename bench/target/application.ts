// An application's pages, in a process of their own: one list of links, and pages that are 2 KB of document, one script of
// 390 KB and one style sheet, both to be kept for an hour, and one JSON answer that the page is made of. Prints
// `{"url":...}`. `tsx bench/target/application.ts PAGES`
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const pages = Number(process.argv[2] ?? 120);

/** As bundles are: many small functions, of which a page calls some. */
const FILLER = Array.from(
  { length: 3_400 },
  (_, n) => `function part${n}(a, b) { var c = a * ${n} + b; return { key: "${n.toString(36)}", value: c, list: [a, b, c] }; }`,
);
const SCRIPT = `(function () { "use strict";
${FILLER.join('\n')}
var root = document.getElementById('root');
fetch('/api/item?id=' + new URLSearchParams(location.search).get('id')).then(function (answer) { return answer.json(); }).then(function (item) {
  var sum = 0;
  for (var i = 0; i < 300; i++) sum += part1(i, 2).value + part2(i, 3).value;
  root.innerHTML = '<main><h1 class="title">' + item.title + '</h1><p class="price">' + item.price + '</p>' +
    '<ul>' + item.facts.map(function (fact) { return '<li>' + fact + '</li>'; }).join('') + '</ul></main>';
});
})();`.padEnd(390_000, ' ');
const STYLE = Array.from({ length: 400 }, (_, n) => `.part-${n} { margin: ${n}px; padding: 1px 2px; color: #123456; }`).join(
  '\n',
);
const DOCUMENT = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="stylesheet" href="/app.css">
${'<meta name="part" content="as frameworks write them">\n'.repeat(30)}</head><body><div id="root"></div><script src="/app.js"></script></body></html>`;
const LIST = `<!doctype html><html lang="en"><head><title>All items</title></head><body><h1>All items</h1><p>${'Each of these pages is made by a script of its application. '.repeat(8)}</p><ul>${Array.from({ length: pages }, (_, n) => `<li><a class="item" href="/item?id=${n + 1}">Item ${n + 1}</a></li>`).join('')}</ul></body></html>`;

let served = { documents: 0, scripts: 0, styles: 0, answers: 0, bytes: 0 };
let first = 0;
let last = 0;

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bench');
  if (pathname === '/stats') {
    response.end(JSON.stringify({ ...served, millis: last - first }));
    served = { documents: 0, scripts: 0, styles: 0, answers: 0, bytes: 0 };
    first = 0;
    return;
  }
  if (pathname === '/robots.txt' || pathname === '/favicon.ico') return void response.writeHead(404).end();
  if (first === 0) first = performance.now();
  const send = (type: string, body: string, kept = false) => {
    served.bytes += body.length;
    response.writeHead(200, { 'content-type': type, ...(kept && { 'cache-control': 'max-age=3600' }) }).end(body);
    last = performance.now();
  };
  if (pathname === '/app.js') {
    served.scripts += 1;
    return send('text/javascript', SCRIPT, true);
  }
  if (pathname === '/app.css') {
    served.styles += 1;
    return send('text/css', STYLE, true);
  }
  if (pathname === '/api/item') {
    served.answers += 1;
    const id = Number(searchParams.get('id'));
    return send(
      'application/json',
      JSON.stringify({ id, title: `Item number ${id}`, price: id * 7 + 0.5, facts: ['first fact', 'second fact', 'third fact'] }),
    );
  }
  served.documents += 1;
  send('text/html; charset=utf-8', pathname === '/item' ? DOCUMENT : LIST);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }));
});
