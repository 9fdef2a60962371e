// Bytes → text: which source says the encoding, and that each encoding reads as a browser reads it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encoderOf } from '../../src/fetch/links/encoder.ts';
import { decode, decodeBody, encodingOf } from '../../src/fetch/decode.ts';

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

/** Digests of what the standard's own tables (https://encoding.spec.whatwg.org/#indexes) make of all bytes from 0 to 255. */
const SINGLE = {
  ibm866: '3c8cc5cb485f93d2',
  'iso-8859-2': 'a5871b0f978b840b',
  'iso-8859-3': 'e83895f2b7d7b82b',
  'iso-8859-4': '449076e20ebf45eb',
  'iso-8859-5': '9f31ddc0f7444afa',
  'iso-8859-6': 'beba4e6cf97dce83',
  'iso-8859-7': '71069977a6798ab7',
  'iso-8859-8': 'b43535e7aaeb7bcf',
  'iso-8859-8-i': 'b43535e7aaeb7bcf',
  'iso-8859-10': '282514fbd01219c4',
  'iso-8859-13': '4426f6d2f1b025cd',
  'iso-8859-14': 'f03afb7e01e66cac',
  'iso-8859-15': '9b58b26dbd8fbff2',
  'iso-8859-16': '2de1faef4dc524c9',
  'koi8-r': 'fb0243455e64ef70',
  'koi8-u': '896c218aaf12ca1b',
  macintosh: '54112bce885d7b1a',
  'windows-874': '6a2c7940c3d68216',
  'windows-1250': '03772ed2e875bd12',
  'windows-1251': 'b16600cf4e6d1a2d',
  'windows-1252': 'cc916e51644a12e8',
  'windows-1253': 'e4570135cbc6e3d5',
  'windows-1254': '4a8e99647c3e28e6',
  'windows-1255': '870c5c5e687fabcd',
  'windows-1256': '6f6e8626197b1b6b',
  'windows-1257': 'd19a4e888879e36a',
  'windows-1258': 'e79b48db126bc71d',
  'x-mac-cyrillic': '784db55e1c90195e',
  'x-user-defined': 'fb4341fe90799717',
};
/** The same of all pairs of bytes, each before a full stop. */
const DOUBLE = {
  gb18030: ['7ca14b154b07f055', (_: number, trail: number) => trail >= 0x40 && trail !== 0x7f && trail !== 0xff],
  gbk: ['7ca14b154b07f055', (_: number, trail: number) => trail >= 0x40 && trail !== 0x7f && trail !== 0xff],
  big5: ['629520ebcba5137e', () => true],
  'euc-kr': ['9d21122dd24602ab', () => true],
  shift_jis: ['5e2c2398c8bbd1c6', (lead: number) => lead < 0xa0 || (lead > 0xdf && lead < 0xfd)],
  'euc-jp': ['9868d05f92030120', (lead: number) => lead === 0x8e || lead >= 0xa1],
} as const;

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('all 40 encodings are those of the Encoding standard', () => {
  it.each(Object.entries(SINGLE))('%s, byte by byte', (encoding, expected) => {
    expect(digest(decode(Buffer.from([...Array(256).keys()]), encoding))).toBe(expected);
  });

  it.each(Object.entries(DOUBLE))('%s, pair by pair', (encoding, [expected, counts]) => {
    let text = '';
    for (let lead = 0x81; lead <= 0xfe; lead += 1) {
      for (let trail = 0x30; trail <= 0xff; trail += 1) {
        if (!counts(lead, trail)) continue;
        // These two are a byte order mark, which is no text.
        text += lead === 0xfe && trail === 0xff ? '\ufffd.' : decode(Buffer.of(lead, trail, 0x2e), encoding);
      }
    }
    expect(digest(text)).toBe(expected);
  });

  it.each<[label: string, bytes: string, text: string]>([
    ['gb2312', '8139ee39 8234fe36 9439fc36', '㐀䵬😀'],
    ['gbk', '8139ee39', '㐀'],
    ['gb18030', '84 36 ab 37', '\ufffd'],
    ['gb18030', 'a6d9', '︐'],
    ['euc-jp', '8f b0a1', '丂'],
    ['iso-2022-jp', '1b284a 5c 1b2849 31 1b2842', '¥ｱ'],
    ['shift_jis', 'f941', '\ue69d'],
    ['koi8-u', 'ae be', 'ўЎ'],
    ['macintosh', 'db bd', '€Ω'],
    ['iso-8859-16', 'aa 74 69 72 69', 'Știri'],
    ['windows-1252', '81', '\u0081'],
    ['iso-2022-kr', '41', '\ufffd'],
    ['hz-gb-2312', '41', '\ufffd'],
    ['unicode', '3204', 'в'],
    ['unicodefffe', '0432', 'в'],
    ['x-user-defined', '80', '\uf780'],
    ['  Windows-1251\t', 'cf', 'П'],
  ])('%s: %s', (label, bytes, text) => {
    expect(decodeBody(hex(bytes), `text/html; charset="${label}"`)).toBe(text);
  });
});

/** As a page says it that does not say in what. */
describe('nothing is declared', () => {
  it.each<[encoding: string, text: string, hint?: string]>([
    ['windows-1252', 'Café crème à 5 francs – naïve'],
    ['windows-1252', 'Schöne Grüße aus München'],
    ['windows-1252', 'don’t worry — it’s £5'],
    ['windows-1252', '© 2020 Company'],
    ['windows-1252', '« Bonjour »'],
    ['windows-1252', 'España, año, niño'],
    ['windows-1252', '1½ cups'],
    ['windows-1252', '• item one • item two'],
    ['windows-1252', 'æøå ÆØÅ', 'no'],
    ['windows-1251', 'Привет, мир! Это простая страница.'],
    ['windows-1251', 'Новости'],
    ['windows-1251', 'МОСКВА', 'ru'],
    ['koi8-r', 'Привет, мир! Это страница'],
    ['gb18030', '今天的天气很好，我们去公园。'],
    ['gb18030', '新闻'],
    ['big5', '今天天氣很好'],
    ['shift_jis', '今日は良い天気です。'],
    ['shift_jis', 'ニュース'],
    ['euc-jp', '今日は良い天気です。'],
    ['iso-2022-jp', '今日は良い天気です。'],
    ['euc-kr', '오늘 날씨가 좋습니다'],
    ['windows-1250', 'Dziś jest ładna pogoda, żółw idzie'],
    ['iso-8859-2', 'Příliš žluťoučký kůň'],
    ['windows-1253', 'Καλημέρα κόσμε'],
    ['windows-1254', 'Bugün hava çok güzel, şöyle güneşli'],
    ['windows-1255', 'שלום עולם'],
    ['windows-1256', 'مرحبا بالعالم'],
    ['windows-1257', 'Ąžuolas šiandien čia ėjo'],
    ['windows-874', 'สวัสดีชาวโลก'],
    ['utf-8', 'Привет'],
  ])('%s is told by its letters: %s', (encoding, text, hint) => {
    const bytes = encode(`<p id=t>${text}</p>`, encoding);
    expect(decodeBody(bytes, HTML, hint && `https://example.${hint}/page`)).toContain(text);
  });

  it('nor does a broken character make UTF-8 anything else', () => {
    const bytes = Buffer.concat([Buffer.from('Это страница на русском языке'), hex('d0'), Buffer.from('!')]);
    expect(encodingOf(bytes, HTML)).toBe('utf-8');
  });

  it.each([
    ['<html lang=ru>', undefined],
    ['<html>', 'http://example.ru:8080/'],
    ['<html>', 'http://xn--e1afmkfd.xn--p1ai'],
  ])('the page’s language and its domain are hints: %s %s', (head, url) => {
    expect(encodingOf(Buffer.concat([Buffer.from(head), hex('ccced1cac2c0')]), HTML, url)).toBe('windows-1251');
  });
});

/** Text → bytes: by the decoder, for what a letter is read from it is written with. */
function encode(text: string, encoding: string): Buffer {
  const encoder = encoderOf(encoding);
  return encoder ? Buffer.from(encoder(text, () => [0x3f])) : Buffer.from(text);
}

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
    ['not a meta in the body', HTML, `${' '.repeat(1_100)}<body><meta charset=koi8-r>`, 'Привет'],
    ['an XML declaration in HTML', HTML, '<?xml version="1.0" encoding="windows-1251"?>', 'Привет'],
    [
      'the meta before the XML declaration in HTML',
      HTML,
      '<?xml version="1.0" encoding="koi8-r"?><meta charset=cp1251>',
      'Привет',
    ],
    ['the XML declaration in XML', 'application/rss+xml', "<?xml version='1.0' encoding='windows-1251' ?>", 'Привет'],
    ['the header before the XML declaration', 'text/xml; charset=cp1251', '<?xml version="1.0" encoding="koi8-r"?>', 'Привет'],
    ['no meta in XML', 'application/xml', meta, 'Привет'],
    ['no meta in plain text', 'text/plain', meta, 'Привет'],
    ['a broken http-equiv counts as none', HTML, '<meta http-equiv="content-type" content="text/html; charset">', 'Привет'],
    ['http-equiv written otherwise counts as none', HTML, '<meta httpequiv=content-type content="x;charset=koi8-r">', 'Привет'],
    ['utf-7 is no label', 'text/html; charset=utf-7', '<p>', 'Привет'],
    ['nobody: its letters', HTML, '<p>', 'Привет'],
    ['the header, even where it is wrong', 'text/html; charset=utf-8', '<p>', '\ufffd'],
    ['x-user-defined in a meta is windows-1252', HTML, '<meta charset=x-user-defined>', 'Ïðèâåò'],
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
    expect(decodeBody(hex('41 d0 42'), 'text/html; charset=utf-8')).toBe('A\ufffdB');
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
