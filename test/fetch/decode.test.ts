// Bytes → text: which source says the encoding, and that each encoding reads as a browser reads it.
import { existsSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeBody } from '../../src/fetch/decode.ts';

const HTML = 'text/html';
const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex');
const page = (head: string, body: Buffer | string) => Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body as string)]);
/** «Привет» in windows-1251. In koi8-r the same bytes read «оПХБЕР», in windows-1252 «Ïðèâåò». */
const PRIVET = hex('cff0e8e2e5f2');

describe('an encoding reads as in a browser', () => {
  it.each<[label: string, bytes: string, text: string]>([
    ['utf-8', 'd09f d180 e282ac', 'Пр€'],
    ['windows-1251', 'cff0e8e2e5f2 b8 99 b9', 'Приветё™№'],
    ['koi8-r', 'f0d2c9d7c5d4 a3', 'Приветё'],
    ['koi8-u', 'f0d2c9d7c5d4 a4', 'Приветє'],
    ['shift_jis', '93fa967b8cea b1 8740 8160 5c', '日本語ｱ①～\\'],
    ['x-sjis', '93fa967b8cea', '日本語'],
    ['euc-jp', 'c6fccbdcb8ec 8eb1 a1c1', '日本語ｱ～'],
    ['iso-2022-jp', '1b2442 467c4b5c386c 1b2842 41', '日本語A'],
    ['gb18030', 'd6d0cec4 80 8139ee39', '中文€㐀'],
    ['gb2312', 'd6d0cec4 80', '中文€'],
    ['gbk', 'd6d0cec4', '中文'],
    ['big5', 'a4a4a4e5 8740', '中文䏰'],
    ['euc-kr', 'c7d1b1b9 8c63', '한국똠'],
    ['windows-1250', 'b3b9ea9f 80', 'łąęź€'],
    ['iso-8859-2', 'b3b1eabc', 'łąęź'],
    ['windows-1252', '93 94 85 80 e9', '“”…€é'],
    ['iso-8859-1', '93 94 85 80 e9', '“”…€é'],
    ['latin1', '92', '’'],
    ['us-ascii', '92', '’'],
    ['iso-8859-15', 'a4', '€'],
    ['windows-1254', 'fe fd f0', 'şığ'],
    ['windows-874', 'a1a2a4', 'กขค'],
    ['tis-620', 'a1a2a4', 'กขค'],
    ['ibm866', '8fe0a8a2a5e2', 'Привет'],
    ['macintosh', '8e', 'é'],
    ['utf-16', '3100 3204', '1в'],
    ['utf-16be', '0031 0432', '1в'],
  ])('%s', (label, bytes, text) => {
    expect(decodeBody(hex(bytes), `text/html; charset=${label}`)).toBe(text);
  });
});

describe('who says the encoding', () => {
  const meta = '<meta charset="koi8-r">';

  it.each<[source: string, contentType: string | undefined, head: string, privet: string]>([
    ['the header before the page', 'text/html; charset=windows-1251', meta, 'Привет'],
    ['the page, when the header is silent', HTML, '<meta charset="windows-1251">', 'Привет'],
    ['the page, without a header', undefined, '<meta charset="windows-1251">', 'Привет'],
    ['the page, when nobody knows the header’s label', 'text/html; charset=martian', '<meta charset=windows-1251>', 'Привет'],
    ['a header in capitals and quotes', 'Text/HTML;Charset="Windows-1251"', meta, 'Привет'],
    ['a header with spaces and more parameters', 'text/html ; a=b; charset = windows-1251 ; c=d', meta, 'Привет'],
    ['http-equiv', HTML, '<META content="text/html; charset=windows-1251" HTTP-EQUIV=Content-Type>', 'Привет'],
    ['http-equiv with quotes inside', HTML, `<meta http-equiv="content-type" content="text/html;charset='cp1251'">`, 'Привет'],
    ['the second meta, when nobody knows the first one’s label', HTML, '<meta charset=x><meta charset=cp1251>', 'Привет'],
    ['not a comment', HTML, `<!-- ${meta} --><meta charset="windows-1251">`, 'Привет'],
    ['not a meta of another kind', HTML, '<meta name="x" content="charset=koi8-r"><meta charset=cp1251>', 'Привет'],
    ['a meta beyond the first 1,024 bytes', HTML, `<head>${'<!-- x -->'.repeat(200)}<meta charset=cp1251>`, 'Привет'],
    ['not a meta in the body', HTML, `${' '.repeat(1_100)}<body><meta charset=cp1251>`, '\ufffd'],
    ['an XML declaration in HTML', HTML, '<?xml version="1.0" encoding="windows-1251"?>', 'Привет'],
    [
      'the meta before the XML declaration in HTML',
      HTML,
      '<?xml version="1.0" encoding="koi8-r"?><meta charset=cp1251>',
      'Привет',
    ],
    ['the XML declaration in XML', 'application/rss+xml', "<?xml version='1.0' encoding='windows-1251' ?>", 'Привет'],
    ['the header before the XML declaration', 'text/xml; charset=cp1251', '<?xml version="1.0" encoding="koi8-r"?>', 'Привет'],
    ['no meta in XML', 'application/xml', '<meta charset="windows-1251">', '\ufffd'],
    ['no meta in plain text', 'text/plain', '<meta charset="windows-1251">', '\ufffd'],
    ['a broken http-equiv counts as none', HTML, '<meta http-equiv="content-type" content="text/html; charset">', '\ufffd'],
    ['nobody: UTF-8', HTML, '<p>', '\ufffd'],
  ])('%s', (_source, contentType, head, privet) => {
    expect(decodeBody(page(head, PRIVET), contentType).slice(head.length)).toContain(privet);
  });

  it.each([
    ['UTF-8', 'efbbbf d0b2', 'в'],
    ['UTF-16LE', 'fffe 3204', 'в'],
    ['UTF-16BE', 'feff 0432', 'в'],
  ])('a byte order mark before everything, and it is no text: %s', (_name, bytes, text) => {
    expect(decodeBody(hex(bytes), 'text/html; charset=windows-1251')).toBe(text);
  });

  it.each(['utf-16', 'utf-16le', 'utf-16be'])(
    '%s in the page’s own words means UTF-8: the words were read as single bytes',
    (label) => {
      expect(decodeBody(page(`<meta charset="${label}">`, 'ё'), HTML)).toContain('ё');
      expect(decodeBody(page(`<?xml version="1.0" encoding="${label}"?>`, 'ё'), 'text/xml')).toContain('ё');
    },
  );

  it.each(['utf-16le', 'utf-16be'] as const)('XML in %s without a mark', (encoding) => {
    const bytes = Buffer.from('<?xml version="1.0"?><a>ё</a>', 'utf16le');
    expect(decodeBody(encoding === 'utf-16le' ? bytes : bytes.swap16(), 'text/xml')).toContain('<a>ё</a>');
  });
});

describe('never fails', () => {
  it('whatever the bytes and the header', () => {
    const anyBytes = fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes));
    const markup = fc
      .array(
        fc.constantFrom(
          '<meta',
          ' charset',
          '=',
          '"',
          "'",
          'http-equiv',
          'content',
          'Content-Type',
          '>',
          '/',
          ';',
          'x',
          ' ',
          '<?xml',
          '<!--',
        ),
      )
      .map((words) => Buffer.from(words.join('')));
    const header = fc.option(
      fc.oneof(
        fc.string(),
        fc.string().map((label) => `text/html; charset=${label}`),
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.oneof(anyBytes, markup), header, (bytes, contentType) => {
        expect(typeof decodeBody(bytes, contentType)).toBe('string');
      }),
    );
  });

  it('a cut character becomes U+FFFD, and what follows is kept', () => {
    expect(decodeBody(hex('41 d0 42'), HTML)).toBe('A\ufffdB');
    expect(decodeBody(hex('41 93 3c 62 3e'), 'text/html; charset=shift_jis')).toMatch(/^A.{1,2}b>$/u);
    expect(decodeBody(Buffer.alloc(0), undefined)).toBe('');
  });
});

/** Saved pages beside the repository; not every machine has them. */
const REAL = '/work/shared/real-pages/encodings';

describe('real pages', () => {
  it.skipIf(!existsSync(REAL)).each<[file: string, contentType: string, text: string]>([
    ['goose-charset_koi8_r.html', HTML, 'Запуск Apache'],
    ['nokogiri-shift_jis.html', HTML, 'こんにちは！'],
    ['recoded-pikabu-windows-1251.html', HTML, 'наблюдений о первой Матрице | Пикабу'],
    ['sniffer-normal__http-equiv_windows-874.html', HTML, 'This is not really tis-620'],
    ['trafilatura-rp.pl-windows-1250.html', HTML, 'Unijne fundusze coraz bliżej'],
    ['wpt-HTTP-vs-meta-charset.html', 'text/html; charset=iso-8859-15', "class='ÃœÃ€Ãš'"],
  ])('%s', (file, contentType, text) => {
    const decoded = decodeBody(readFileSync(`${REAL}/${file}`), contentType);
    expect(decoded).toContain(text);
    expect(decoded).not.toContain('\ufffd');
  });
});
