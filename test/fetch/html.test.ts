// `$` and `read()` see the tree that the HTML standard makes of a page, however broken, deep or flat it is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attribute, fields, text, texts } from '../../src/core/fields.ts';
import { adapter, parse5 } from '../../src/fetch/cheerio.ts';
import { openDocument, openText, parse } from '../../src/fetch/document.ts';
import { construct } from '../../src/fetch/html/construct.ts';
import { NeedsParse5 } from '../../src/fetch/html/sink.ts';
import { buildTree } from '../../src/fetch/html/tree.ts';

type Node = { type: string; name?: string; data?: string; attribs?: Record<string, string>; children?: Node[] };

/** The body, as `p.x(a "text")`. */
function outline(html: string): string {
  const tree = parse(html)('body').get(0) as unknown as Node;
  return (tree.children ?? []).map(told).join(' ');
}

function told(node: Node): string {
  if (node.type === 'text') return JSON.stringify(node.data);
  if (node.type === 'comment') return '!';
  const inside = (node.children ?? []).map(told).join(' ');
  return inside === '' ? String(node.name) : `${node.name}(${inside})`;
}

describe('the tree is the HTML standard’s', () => {
  it.each<[kind: string, html: string, body: string]>([
    ['a comment ends with --!>', '<body><!-- x --!><a>y</a>', '! a("y")'],
    ['<!--> is a comment', '<body><!-->x', '! "x"'],
    ['<!---> is a comment', '<body><!--->x', '! "x"'],
    ['a comment’s dashes', '<body><!-- a -- b --->x', '! "x"'],
    ['</> is nothing', '<body>a</>b', '"ab"'],
    ['</ and no letter is a comment', '<body>a</ b>c', '"a" ! "c"'],
    ['a textarea’s text', '<body><textarea>\n<a href=1></a></textarea>', 'textarea("<a href=1></a>")'],
    ['xmp', '<body><xmp><a></a></xmp>b', 'xmp("<a></a>") "b"'],
    ['iframe', '<body><iframe><a></a></iframe>b', 'iframe("<a></a>") "b"'],
    ['noembed', '<body><noembed><a></a></noembed>b', 'noembed("<a></a>") "b"'],
    ['noframes', '<body><noframes><a></a></noframes>b', 'noframes("<a></a>") "b"'],
    ['plaintext', '<body><plaintext><a></a>', 'plaintext("<a></a>")'],
    ['noscript: no script runs', '<body><noscript><img src=x></noscript>b', 'noscript(img) "b"'],
    ['noscript ends nothing around it', '<body><div><noscript></div></noscript>b', 'div(noscript "b")'],
    [
      'a script that speaks of scripts',
      '<body><script><!--<script></script>--></script>b',
      'script("<!--<script></script>-->") "b"',
    ],
    ['NUL', '<body>a\0b', '"ab"'],
    ['line breaks', '<body>a\r\nb\rc', '"a\\nb\\nc"'],
    ['a tag that is cut off', '<body>a<b class="x', '"a"'],
    ['rows without a body', '<table><tr><td>a', 'table(tbody(tr(td("a"))))'],
    ['a cell without a row', '<table><td>a<td>b', 'table(tbody(tr(td("a") td("b"))))'],
    ['a foot ends a body', '<table><tr><th>N<td>A<tfoot><tr><td>S', 'table(tbody(tr(th("N") td("A"))) tfoot(tr(td("S"))))'],
    ['col without a group', '<table><col><tr><td>', 'table(colgroup(col) tbody(tr(td)))'],
    ['caption', '<table><caption>a<tr><td>b', 'table(caption("a") tbody(tr(td("b"))))'],
    ['text in a table stands before it', '<table>a<tr><td>b', '"a" table(tbody(tr(td("b"))))'],
    ['a link in a table stands before it', '<table><a>x</a><tr><td>b', 'a("x") table(tbody(tr(td("b"))))'],
    ['a hidden field stays in its table', '<table><input type=hidden><tr><td>', 'table(input tbody(tr(td)))'],
    ['a link in a link', '<a href=1>a<a href=2>b</a>', 'a("a") a("b")'],
    ['bold across paragraphs', '<p><b>a<p>c', 'p(b("a")) p(b("c"))'],
    ['misnested formatting', '<b>1<i>2</b>3</i>', 'b("1" i("2")) i("3")'],
    ['formatting around a block', '<b>1<p>2</b>3', 'b("1") p(b("2") "3")'],
    ['a paragraph ends at a block', '<p>a<div>b</div>', 'p("a") div("b")'],
    ['a table in a paragraph, without a doctype', '<p>a<table>', 'p("a" table)'],
    ['a table in a paragraph, with one', '<!doctype html><p>a<table>', 'p("a") table'],
    ['</p> alone', '<body>a</p>b', '"a" p "b"'],
    ['</br>', '<body>a</br>b', '"a" br "b"'],
    ['items', '<ul><li>a<li>b<ul><li>c</ul>', 'ul(li("a") li("b" ul(li("c"))))'],
    ['terms', '<dl><dt>a<dd>b<dt>c', 'dl(dt("a") dd("b") dt("c"))'],
    ['headings', '<h1>a<h2>b</h1>c', 'h1("a") h2("b") "c"'],
    ['options', '<select><option>a<optgroup><option>b', 'select(option("a") optgroup(option("b")))'],
    ['a field ends a select', '<select><option>a<input>', 'select(option("a")) input'],
    ['ruby', '<ruby>a<rt>b<rp>c', 'ruby("a" rt("b") rp("c"))'],
    ['image', '<body><image>', 'img'],
    ['a form in a form', '<form>a<form>b</form>c', 'form("ab") "c"'],
    ['a button in a button', '<button>a<button>b', 'button("a") button("b")'],
    ['what follows the body', '<body>a</body>b', '"ab"'],
    ['CDATA in SVG', '<svg><text><![CDATA[<a>]]></text></svg>', 'svg(text("<a>"))'],
    ['CDATA in HTML is a comment', '<body><![CDATA[x]]>y', '! "y"'],
    ['a block ends SVG', '<svg><g><div>a', 'svg(g) div("a")'],
    ['self-closing counts in SVG only', '<svg><g/><b/></svg>a', 'svg(g) b("a")'],
    ['references', '<body>&eacute;&notit;&#128;&amp', '"é¬it;€&"'],
  ])('%s', (_, html, body) => {
    expect(outline(html)).toBe(body);
    expect(openText(html).read(fields({ all: text('body') }))).toEqual({ all: parse(html)('body').text() });
  });

  it('a template has content of its own, which is not the page’s; a declared shadow root is', () => {
    const html = '<template><a href=1>x</a></template><template shadowrootmode=open><a href=2>y</a></template>';
    const $ = parse(html);
    expect(
      $('a')
        .toArray()
        .map((link) => $(link).attr('href')),
    ).toEqual(['2']);
    expect($.root().text()).toBe('y');
    expect($('template').first().html()).toBe('<a href="1">x</a>');
    expect(openText(html).read(fields({ links: texts('a') }))).toEqual({ links: ['y'] });
  });

  it('XHTML has HTML’s named characters, but not in CDATA', () => {
    const xml =
      '<html xmlns="http://www.w3.org/1999/xhtml"><p id="t">caf&eacute;&nbsp;&copy; &amp; &euro;<![CDATA[&copy;]]></p></html>';
    const document = openDocument(Buffer.from(xml), 'application/xhtml+xml; charset=utf-8');
    expect(document.$('#t').text()).toBe('café\u00a0© & €&copy;');
    expect(document.read(fields({ t: text('#t') }))).toEqual({ t: 'café\u00a0© & €&copy;' });
  });

  it.each(['application/rss+xml', 'text/xml', 'text/html', undefined])('a feed’s links are there, sent as %s', (type) => {
    const feed =
      '<?xml version="1.0"?>\n<!-- x --><rss version="2.0"><channel><item><link>http://a/</link></item></channel></rss>';
    const document = openDocument(Buffer.from(feed), type);
    expect(document.$('item > link').text()).toBe('http://a/');
    expect(document.read(fields({ link: text('item > link') }))).toEqual({ link: 'http://a/' });
  });
});

describe('one pass and parse5 make the same tree', () => {
  const names = 'a b i p div span ul li dl dt dd table tbody tfoot tr td th caption h1 h2 form button pre br img hr input title';
  const more = 'svg g math textarea style script noscript nobr object ruby rt center font head body html';
  const piece = fc.oneof(
    fc.constantFrom(...`${names} ${more}`.split(' ').flatMap((name) => [`<${name}>`, `<${name} class=x>`, `</${name}>`])),
    fc.constantFrom(
      'x',
      ' ',
      '\n',
      '&lt',
      '<!-- c -->',
      '<!doctype html>',
      '<svg/>',
      '<',
      '</',
      '<a href="1">',
      '</svg>',
      '</table>',
    ),
  );

  it('of any page that the pass takes', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const html = pieces.join('');
        try {
          construct(html, { open() {}, close() {}, text() {}, comment() {}, doctype() {} });
        } catch (error) {
          if (error instanceof NeedsParse5) return;
          throw error;
        }
        taken += 1;
        const whole = (tree: unknown) =>
          ((tree as Node).children ?? [])
            .map(told)
            .join(' ')
            .replaceAll(/noscript\([^)]*\)+/g, 'noscript');
        const expected = whole(parse5.parse(html, { treeAdapter: adapter, scriptingEnabled: true }));
        if (!html.includes('<noscript')) expect(whole(buildTree(html))).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(1_000);
  });
});

describe('no page is too deep or too flat', () => {
  const deep = `<p id=t>${'<b>x'.repeat(4_000)}`;

  it('4,000 tags in each other are read, found and written out', () => {
    const $ = parse(deep);
    expect($('#t').text()).toBe('x'.repeat(4_000));
    expect($('b').length).toBe(4_000);
    expect($.html().length).toBeGreaterThan(4_000);
    expect(openText(deep).read(fields({ t: text('#t'), a: attribute('a', 'href') }))).toEqual({ t: 'x'.repeat(4_000), a: null });
  });

  it.each([
    ['1,000,000 elements in each other', '<div>'.repeat(1_000_000), 'div', 1_000_000],
    ['300,000 beside each other', '<i>x</i>'.repeat(300_000), 'i', 300_000],
    ['200,000 links without a body', '<a href=/x>x</a>\n'.repeat(200_000), 'a', 200_000],
    ['25,000 ends of paragraphs', `x${'</p>'.repeat(25_000)}`, 'p', 25_000],
  ])('%s take time in proportion', { timeout: 120_000 }, (_, html, selector, count) => {
    expect(parse(html)(selector).length).toBe(count);
    expect(openText(html).read(fields({ none: text('u'), first: attribute(`${selector}[id]`, 'id') }))).toEqual({
      none: null,
      first: null,
    });
  });
});
