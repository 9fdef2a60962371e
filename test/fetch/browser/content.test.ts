// What a browser shows belongs to `$`, also where `outerHTML` leaves it out; and a list is scrolled to its end wherever its
// trigger stands.
import { expect, it } from 'vitest';

import type { BrowserView } from '../../../src/core/site.ts';
import { crawlBrowser, describeBrowser, html, startServer, type Answer } from './lab.ts';

const card = (template: string) => `<script>customElements.define('product-card', class extends HTMLElement {
  constructor() { super(); this.attachShadow({ mode: 'open' }).innerHTML = ${JSON.stringify(template)}; }
})</script>`;

describeBrowser('a page with shadow roots and frames', () => {
  it('has what they show in $, each where it belongs, and nothing of what they hide', async () => {
    const cases: Record<string, { answer: Answer; seen: (string | undefined)[]; expected: unknown[] }> = {
      '/made': {
        answer: html(`<h1>Shop</h1><product-card></product-card>${card('<p class="price">11</p>')}`),
        seen: ['.price', 'product-card > .price'],
        expected: ['11', '11'],
      },
      '/declared': {
        answer: html('<product-card><template shadowrootmode="open"><p class="price">12</p></template></product-card>'),
        seen: ['.price', 'product-card .price'],
        expected: ['12', '12'],
      },
      '/frame': {
        answer: html('<iframe src="/inner/page"></iframe><iframe src="/empty"></iframe>'),
        seen: ['.price', 'iframe[src="/inner/page"] + .frame', '.frame a'],
        expected: ['13', '13 next & last', 'next & last'],
      },
      '/nested': {
        answer: html(
          `<product-card id="outer"><b>light</b></product-card>${card('<style>b { color: red }</style><i>before <slot>nobody</slot></i><p title="a &quot;b&quot; &lt;"></p>')}`,
        ),
        seen: ['#outer', '#outer > i', '#outer > b'],
        expected: ['before light', 'before ', 'light'],
      },
      '/shadow-in-frame': {
        answer: html('<iframe src="/made"></iframe>'),
        seen: ['.frame h1', '.frame product-card > .price'],
        expected: ['Shop', '11'],
      },
      '/closed': {
        answer: html(
          `<x-y>shown</x-y><script>document.querySelector('x-y').attachShadow({ mode: 'closed' }).innerHTML = 'secret'</script>`,
        ),
        seen: ['x-y'],
        expected: ['shown'],
      },
      '/hidden': {
        answer: html('<iframe src="/made" style="display: none"></iframe><h1>alone</h1>'),
        seen: ['h1'],
        expected: ['alone'],
      },
      '/other-origin': {
        answer: (...args) => html(`<h1>x</h1><iframe src="${server.other}/made"></iframe>`)(...args),
        seen: ['h1'],
        expected: ['x'],
      },
    };
    const server = await startServer({
      ...Object.fromEntries(Object.entries(cases).map(([path, { answer }]) => [path, answer])),
      '/inner/page': (response) =>
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<p class="price">13</p> <a href="next?a&b">next &amp; last</a>'),
      '/empty': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<script>1</script>'),
    });
    const seen: Record<string, unknown> = {};
    const links: unknown[] = [];
    const { failures } = await crawlBrowser({
      urls: Object.keys(cases).map((path) => server.origin + path),
      concurrency: 2,
      async handler({ $, request }) {
        const { pathname } = new URL(request.url);
        seen[pathname] = cases[pathname]?.seen.map((selector) => $(selector ?? '').text());
        links.push(
          ...$('.frame a')
            .toArray()
            .map((anchor) => $(anchor).attr('href')),
        );
        if (pathname === '/nested') expect($('#outer p').attr('title')).toBe('a "b" <');
      },
    });
    expect(failures).toEqual([]);
    expect(seen).toEqual(Object.fromEntries(Object.entries(cases).map(([path, { expected }]) => [path, expected])));
    expect(links).toEqual([`${server.origin}/inner/next?a&b`]);
  });

  it('is handed on as Chromium wrote it where there are none of them', async () => {
    const odd =
      '<pre>\n\n&lt;a&nbsp;b</pre><textarea>\n<b></textarea><svg viewBox="0 0 1 1"><foreignObject/></svg><!-- c --><noscript><p>n</p></noscript><template><i>t</i></template>';
    const server = await startServer({
      '/plain': html(odd),
      '/rooted': html(`${odd}<p id="host"></p><script>host.attachShadow({ mode: 'open' })</script>`),
    });
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/plain`, `${server.origin}/rooted`] });
    const [plain = '', rooted = ''] = pages.map((page) => page.html);
    expect(plain).toContain(
      '<svg viewBox="0 0 1 1"><foreignObject></foreignObject></svg><!-- c --><noscript><p>n</p></noscript><template><i>t</i></template>',
    );
    expect(rooted).toBe(
      plain.replace('</template>', '</template><p id="host"></p><script>host.attachShadow({ mode: \'open\' })</script>'),
    );
  });
});

const list = (around: string, how: string): Answer =>
  html(`${around}<script>
    const list = document.getElementById('list');
    let n = 0, busy = false;
    const add = () => { for (let i = 0; i < 20; i++) list.insertAdjacentHTML('beforeend', '<p class="item" style="height:80px;margin:0">' + ++n + '</p>'); busy = false; };
    const more = () => { if (busy || n >= 200) return; busy = true; setTimeout(add, 300); };
    add();
    ${how}
  </script>`);

describeBrowser('scrollToEnd()', () => {
  it('gets all of a list, wherever what makes it grow stands', async () => {
    const footer = '<div style="height:900px">footer</div>';
    const observed =
      'new IntersectionObserver((seen) => { if (seen.some((each) => each.isIntersecting)) more() }).observe(document.getElementById("end"))';
    const server = await startServer({
      '/sentinel': list(`<div id="list"></div><div id="end" style="height:20px"></div>${footer}`, observed),
      '/tall-footer': list(
        `<div id="list"></div><div id="end" style="height:20px"></div><div style="height:2500px"></div>`,
        observed,
      ),
      '/box': list(
        '<div id="list" style="height:600px;overflow:auto"></div>',
        'list.onscroll = () => { if (list.scrollTop + list.clientHeight > list.scrollHeight - 100) more() }',
      ),
      '/sentinel-in-box': list(
        '<div style="height:600px;overflow-y:scroll"><div id="list"></div><div id="end" style="height:20px"></div><div style="height:900px"></div></div>',
        observed,
      ),
      '/window': list(
        '<div id="list"></div>',
        'onscroll = () => { if (scrollY + innerHeight > document.documentElement.scrollHeight - 100) more() }',
      ),
      '/lazy': html(`${'<section style="height:500px"></section>'.repeat(30)}<script>
        const seer = new IntersectionObserver((seen) => { for (const { isIntersecting, target } of seen) if (isIntersecting) target.innerHTML = '<p class="item">x</p>' });
        document.querySelectorAll('section').forEach((each) => seer.observe(each));
      </script>`),
    });
    const paths = ['/sentinel', '/tall-footer', '/box', '/sentinel-in-box', '/window', '/lazy'];
    const prepare = { PAGE: async (view: BrowserView) => view.scrollToEnd() };
    const counts: Record<string, number> = {};
    const { failures } = await crawlBrowser({
      urls: paths.map((path) => server.origin + path),
      concurrency: 3,
      site: { browser: { prepare } },
      async handler({ $, request }) {
        counts[new URL(request.url).pathname] = $('.item').length;
      },
    });
    expect(failures).toEqual([]);
    expect(counts).toEqual({
      '/sentinel': 200,
      '/tall-footer': 200,
      '/box': 200,
      '/sentinel-in-box': 200,
      '/window': 200,
      '/lazy': 30,
    });
  });
});
