// Text → bytes in a page's own encoding, as the Encoding standard's encoders do it: the queries of a legacy page's links are
// written so. Each table is what decode.ts reads, the other way round, and made when a page first needs it.
import iconv from 'iconv-lite';

import { decode } from '../decode.ts';

/** @param instead What stands for a character that the encoding does not have, in ASCII.
 *  @returns The bytes of a text. */
export type Encoder = (text: string, instead: (char: string) => readonly number[]) => number[];

const encoders = new Map<string, Encoder | null>();

/** @param encoding Its name in the standard, in small letters.
 *  @returns Null for those whose pages' links are in UTF-8. https://encoding.spec.whatwg.org/#output-encodings */
export function encoderOf(encoding: string): Encoder | null {
  const known = encoders.get(encoding);
  if (known !== undefined) return known;
  const made = UTF.test(encoding) ? null : createEncoder(encoding);
  encoders.set(encoding, made);
  return made;
}

const UTF = /^(?:utf-|replacement$)/;
/** Encodings with two bytes a character, and which of their lead bytes nothing is written with, though it is read. */
const DOUBLE: Readonly<Record<string, (lead: number) => boolean>> = {
  big5: (lead) => lead < 0xa1,
  'euc-jp': (lead) => lead === 0x8f,
  'euc-kr': () => false,
  gb18030: () => false,
  gbk: () => false,
  shift_jis: (lead) => (lead >= 0xed && lead <= 0xf9) || (lead >= 0xa0 && lead < 0xe0),
};
/** Read from two places, and written to the second. https://encoding.spec.whatwg.org/#index-big5-pointer */
const LAST_IN_BIG5 = new Set('═╞╡╪十卅');

function createEncoder(encoding: string): Encoder {
  if (encoding === 'iso-2022-jp') return encodeIso2022Jp;
  const table = encoding in DOUBLE ? doubleBytes(encoding) : singleBytes(encoding);
  const further = encoding === 'gb18030' ? fourBytes : () => null;
  return (text, instead) => [...text].flatMap((char) => ascii(char) ?? table.get(char) ?? further(char) ?? instead(char));
}

function ascii(char: string): readonly number[] | null {
  const code = char.charCodeAt(0);
  return code < 0x80 ? [code] : null;
}

function singleBytes(encoding: string): Map<string, readonly number[]> {
  const table = new Map<string, readonly number[]>();
  for (let byte = 0x80; byte <= 0xff; byte++) {
    const char = decode(Buffer.of(byte), encoding);
    if (char !== '\ufffd' && !table.has(char)) table.set(char, [byte]);
  }
  return table;
}

function doubleBytes(encoding: string): Map<string, readonly number[]> {
  const table = new Map<string, readonly number[]>();
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    if (DOUBLE[encoding]?.(lead)) continue;
    const trails = Array.from({ length: 0xbf }, (_, index) => index + 0x40);
    // A line break is no trail byte: whatever comes before it, it ends that.
    const chars = decode(Buffer.from(trails.flatMap((trail) => [lead, trail, 0x0a])), encoding).split('\n');
    for (const [index, trail] of trails.entries()) {
      const char = chars[index] ?? '';
      if ([...char].length !== 1 || char === '\ufffd') continue;
      if (!table.has(char) || (encoding === 'big5' && LAST_IN_BIG5.has(char))) table.set(char, [lead, trail]);
    }
  }
  for (const [char, bytes] of Object.entries(EXTRA[encoding] ?? {})) table.set(char, bytes);
  if (encoding.startsWith('gb')) table.delete('\ue5e5');
  if (encoding === 'shift_jis') for (let byte = 0xa1; byte <= 0xdf; byte++) table.set(halfWidth(byte), [byte]);
  if (encoding === 'shift_jis' || encoding === 'euc-jp') table.set('\u2212', table.get('\uff0d') ?? []);
  return table;
}

/** What is written and not read so. */
const EXTRA: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  gbk: { '€': [0x80] },
  'euc-jp': { '¥': [0x5c], '‾': [0x7e] },
  shift_jis: { '\u0080': [0x80], '¥': [0x5c], '‾': [0x7e] },
};

const halfWidth = (byte: number) => String.fromCharCode(0xff61 - 0xa1 + byte);

/** Whatever has no two bytes in GB 18030. */
function fourBytes(char: string): readonly number[] | null {
  if (char === '\ue5e5') return null;
  const bytes = [...iconv.encode(char, 'gb18030')];
  return bytes.length === 4 ? bytes : null;
}

const ESCAPES = { ascii: [0x1b, 0x28, 0x42], roman: [0x1b, 0x28, 0x4a], jis: [0x1b, 0x24, 0x42] } as const;

/** With what switches between its sets, back to ASCII at the end. https://encoding.spec.whatwg.org/#iso-2022-jp-encoder */
const encodeIso2022Jp: Encoder = (text, instead) => {
  let set: keyof typeof ESCAPES = 'ascii';
  const written = (wanted: typeof set, bytes: readonly number[]) => {
    const before = wanted === set ? [] : ESCAPES[wanted];
    set = wanted;
    return [...before, ...bytes];
  };
  const encoded = [...text].flatMap((char) => {
    const [code] = ascii(char) ?? [];
    if (code === 0x0e || code === 0x0f || code === 0x1b) return written('ascii', instead('\ufffd'));
    if (code !== undefined) return set === 'roman' && !'\\~'.includes(char) ? [code] : written('ascii', [code]);
    if (char === '¥') return written('roman', [0x5c]);
    if (char === '‾') return written('roman', [0x7e]);
    const full = /[\uff61-\uff9f]/.test(char) ? (FULL_WIDTH[char] ?? char.normalize('NFKC')) : char;
    const [lead = 0, trail = 0] = encoderOf('euc-jp')?.(full, () => []) ?? [];
    // Two bytes of 0xA1 and above are of the one set that both encodings have.
    return lead < 0xa1 ? written('ascii', instead(char)) : written('jis', [lead - 0x80, trail - 0x80]);
  });
  return [...encoded, ...written('ascii', [])];
};

/** Marks that stand by themselves here, and would be combining ones. */
const FULL_WIDTH: Readonly<Record<string, string>> = { ﾞ: '゛', ﾟ: '゜' };
