import { describe, expect, it } from 'vitest';

import { decode } from '../../../src/fetch/decode.ts';
import { encoderOf } from '../../../src/fetch/links/encoder.ts';
import { baseOf, resolveLink } from '../../../src/fetch/links/resolve.ts';

const at = (encoding: string, url = 'http://a.example/dir/page?own') => ({ url, encoding });

describe('the query of a link is in the encoding of its document', () => {
  it.each([
    ['gbk', '3.asp?DengJh=洪1700718', 'http://a.example/dir/3.asp?DengJh=%BA%E91700718'],
    ['gbk', '?k=你€', 'http://a.example/dir/page?k=%C4%E3%80'],
    ['gb18030', '?k=€é𝄞', 'http://a.example/dir/page?k=%A2%E3%A8%A6%942%BE4'],
    ['windows-1251', '/names2?letter=А', 'http://a.example/names2?letter=%C0'],
    ['windows-1251', '?q=Привет', 'http://a.example/dir/page?q=%CF%F0%E8%E2%E5%F2'],
    ['koi8-r', '?q=Привет', 'http://a.example/dir/page?q=%F0%D2%C9%D7%C5%D4'],
    ['shift_jis', '?k=日本', 'http://a.example/dir/page?k=%93%FA%96{'],
    ['shift_jis', '?k=ｱ表¥‾−', 'http://a.example/dir/page?k=%B1%95\\\\~%81|'],
    ['euc-jp', '?k=日本ｱ−', 'http://a.example/dir/page?k=%C6%FC%CB%DC%8E%B1%A1%DD'],
    ['iso-2022-jp', '?k=日本x', 'http://a.example/dir/page?k=%1B$BF|K\\%1B(Bx'],
    ['iso-2022-jp', '?k=ｱﾞ', 'http://a.example/dir/page?k=%1B$B%%22!+%1B(B'],
    ['iso-2022-jp', '?k=¥a', 'http://a.example/dir/page?k=%1B(J\\a%1B(B'],
    ['euc-kr', '?k=한글똠', 'http://a.example/dir/page?k=%C7%D1%B1%DB%8Cc'],
    ['big5', '?k=中文', 'http://a.example/dir/page?k=%A4%A4%A4%E5'],
    ['windows-1252', '/ñ?q=é€“', 'http://a.example/%C3%B1?q=%E9%80%93'],
    ['iso-8859-2', '?q=ł', 'http://a.example/dir/page?q=%B3'],
    ['windows-1252', '?q=é#é?é', 'http://a.example/dir/page?q=%E9#%C3%A9?%C3%A9'],
    ['windows-1252', 'http://müller.example/ü?ü', 'http://xn--mller-kva.example/%C3%BC?%FC'],
    ['windows-1252', '//b.example?é', 'http://b.example/?%E9'],
    // What is escaped already stays.
    ['windows-1252', '?q=%C3%A9&p=é', 'http://a.example/dir/page?q=%C3%A9&p=%E9'],
    // Beyond the encoding, as a form sends it.
    ['windows-1252', '?q=日&p=é', 'http://a.example/dir/page?q=%26%2326085%3B&p=%E9'],
    ['gbk', '?q=𝄞', 'http://a.example/dir/page?q=%26%23119070%3B'],
    ['windows-1252', '?q=\ud800é', 'http://a.example/dir/page?q=%26%2365533%3B%E9'],
    ['iso-2022-jp', '?k=日é本', 'http://a.example/dir/page?k=%1B$BF|%1B(B%26%23233%3B%1B$BK\\%1B(B'],
    // What is escaped in any encoding.
    ['windows-1252', '?q="é\'<>`{}|^\\', 'http://a.example/dir/page?q=%22%E9%27%3C%3E`{}|^\\'],
    ['windows-1252', '?a\tb\né\r', 'http://a.example/dir/page?ab%E9'],
    ['windows-1252', ' \n ?é \f', 'http://a.example/dir/page?%E9'],
  ])('%s: %s', (encoding, href, url) => expect(resolveLink(href, at(encoding))?.href).toBe(url));

  it.each(['utf-8', 'utf-16le', 'utf-16be', 'replacement'])('which is UTF-8 for %s', (encoding) => {
    expect(resolveLink('?q=é', at(encoding))?.href).toBe('http://a.example/dir/page?q=%C3%A9');
  });

  it.each([
    ['wss://b.example/?é', 'wss://b.example/?%C3%A9'],
    ['mailto:a@a.example?subject=é', 'mailto:a@a.example?subject=%C3%A9'],
    ['ftp://b.example/?é', 'ftp://b.example/?%E9'],
  ])('unless its scheme is in UTF-8 always: %s', (href, url) => expect(resolveLink(href, at('windows-1252'))?.href).toBe(url));
});

it.each([
  ['', 'http://a.example/dir/page?own'],
  ['#x', 'http://a.example/dir/page?own#x'],
  ['?', 'http://a.example/dir/page?'],
  ['x', 'http://a.example/dir/x'],
  ['./x/../y', 'http://a.example/dir/y'],
  ['../../../x', 'http://a.example/x'],
  ['//b.example', 'http://b.example/'],
  ['///b.example/x', 'http://b.example/x'],
  ['\\x\\y', 'http://a.example/x/y'],
  [' \t x \u0000', 'http://a.example/dir/x'],
  ['ht\ntp://b.exa\tmple/', 'http://b.example/'],
  ['http:x', 'http://a.example/dir/x'],
  ['https:x', 'https://x/'],
  ['HTTP://B.Example:80/', 'http://b.example/'],
  ['x y', 'http://a.example/dir/x%20y'],
  ['/wiki/.NET', 'http://a.example/wiki/.NET'],
  ['http://[::1]:81/x', 'http://[::1]:81/x'],
  ['http://0x7f.1/', 'http://127.0.0.1/'],
  ['http://a b/', undefined],
  ['http://[::1/', undefined],
])('the link "%s" is resolved by the rules of the URL standard', (href, url) => {
  expect(resolveLink(href, at('utf-8'))?.href).toBe(url);
});

it.each([
  [null, 'http://a.example/dir/page?own'],
  ['', 'http://a.example/dir/page?own'],
  ['/other/', 'http://a.example/other/'],
  ['other', 'http://a.example/dir/other'],
  ['//b.example/x/y', 'http://b.example/x/y'],
  [' https://b.example ', 'https://b.example/'],
  ['?é', 'http://a.example/dir/page?%E9'],
  ['http://', 'http://a.example/dir/page?own'],
  ['data:text/html,x', 'http://a.example/dir/page?own'],
  ['javascript:void(0)', 'http://a.example/dir/page?own'],
  ['JavaScript:x', 'http://a.example/dir/page?own'],
  ['mailto:a@a.example', 'mailto:a@a.example'],
])('`<base href="%s">` makes the base %s', (href, url) => expect(baseOf(href, at('windows-1252')).url).toBe(url));

it.each(['big5', 'euc-jp', 'euc-kr', 'gb18030', 'gbk', 'shift_jis', 'iso-8859-5', 'windows-1258', 'ibm866', 'macintosh'])(
  'what is written in %s is read as it was',
  (encoding) => {
    const encode = encoderOf(encoding);
    let written = 0;
    for (let code = 0x80; code < 0x1_0000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      const bytes = encode?.(char, () => []) ?? [];
      if (bytes.length === 0 || '¥‾−\u0080'.includes(char)) continue;
      written++;
      const read = decode(Buffer.from(bytes), encoding);
      if (read !== char) throw new Error(`U+${code.toString(16)} is written as ${bytes.join(' ')} and read as ${read}`);
    }
    expect(written).toBeGreaterThan(100);
  },
);
