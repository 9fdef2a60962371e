// Which encoding a body is in that says nothing of it, as browsers find out: UTF-8 if it is that, else what its letters look
// like (jschardet's statistics), with the page's language and top-level domain as hints.
import { isUtf8 as isStrictUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';

import { legacyHookDecode, normalizeEncoding } from '@exodus/bytes/encoding.js';
import type * as Detector from 'jschardet';

const require = createRequire(import.meta.url);

/** Among a page's well-formed characters, a cut one here and there makes it no other encoding. */
const STRAY = 0.1;

/** Whether the bytes are UTF-8, but for a broken character among many whole ones. */
export function isUtf8(bytes: Buffer): boolean {
  if (!bytes.includes(0x1b) && isStrictUtf8(bytes)) return true;
  if (ISO_2022_JP.test(bytes.toString('latin1'))) return false;
  const text = bytes.toString('utf8');
  let whole = 0;
  let broken = 0;
  for (const [char] of text.matchAll(/[^\0-\x7f]/gu)) {
    if (char === '\ufffd') broken += 1;
    else whole += 1;
  }
  return broken <= whole * STRAY;
}

/** It is written in ASCII alone, and so is valid UTF-8. */
// eslint-disable-next-line no-control-regex -- It is told by its escapes.
const ISO_2022_JP = /\x1b\$[@B](?:[!-~]{2})+\x1b\([BJ]/;

const SAMPLE_FROM = 256 * 1_024;
const SAMPLE_BYTES = 4_096;
const CANDIDATES = 8;

/** What a browser of that language takes where nothing is declared, and what else such pages are in.
 *  https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding, step 9 */
const OF_LANGUAGE: Readonly<Record<string, readonly string[]>> = {
  ar: ['windows-1256', 'iso-8859-6'],
  cyrillic: ['windows-1251', 'koi8-r', 'koi8-u', 'iso-8859-5', 'ibm866'],
  baltic: ['windows-1257', 'iso-8859-13', 'iso-8859-4'],
  central: ['windows-1250', 'iso-8859-2'],
  el: ['windows-1253', 'iso-8859-7'],
  he: ['windows-1255', 'iso-8859-8'],
  ja: ['shift_jis', 'euc-jp'],
  ko: ['euc-kr'],
  th: ['windows-874'],
  tr: ['windows-1254', 'iso-8859-3'],
  vi: ['windows-1258'],
  hans: ['gb18030'],
  hant: ['big5'],
  western: ['windows-1252', 'iso-8859-15'],
};

/** Languages and top-level domains, each with the row above that it belongs to. */
const HINTS: Readonly<Record<string, string>> = {
  ...rows('ar', 'ar fa ur', 'ae bh dz eg iq ir jo kw lb ly ma om pk qa sa sy tn ye'),
  ...rows('cyrillic', 'be bg kk ky mk ru sr tg tt uk', 'by bg kg kz mk mn rs ru su tj ua xn--p1ai'),
  ...rows('baltic', 'et lt lv', 'ee lt lv'),
  ...rows('central', 'bs cs hr hu pl ro sk sl', 'ba cz hr hu pl ro si sk'),
  ...rows('el', 'el', 'cy gr'),
  ...rows('he', 'he iw', 'il'),
  ...rows('ja', 'ja', 'jp'),
  ...rows('ko', 'ko', 'kr kp'),
  ...rows('th', 'th', 'th'),
  ...rows('tr', 'az ku tr', 'az tr'),
  ...rows('vi', 'vi', 'vn'),
  ...rows('hans', 'zh zh-cn zh-hans zh-sg', 'cn sg'),
  ...rows('hant', 'zh-tw zh-hant zh-hk', 'hk mo tw'),
  ...rows('western', 'da de en es fi fr is it nl no nb pt sv', 'at au be br ch de dk es fi fr ie is it mx nl no pt se uk us'),
};

function rows(row: string, languages: string, domains: string): Record<string, string> {
  const of = (prefix: string, names: string) => names.split(' ').map((name) => [`${prefix}${name}`, row]);
  return Object.fromEntries([...of('lang:', languages), ...of('.', domains)]) as Record<string, string>;
}

/** How common an encoding is among pages, as far as that is not 1. */
const WEIGHTS: Readonly<Record<string, number>> = {
  'windows-1252': 1.15,
  ibm866: 0.8,
  'x-mac-cyrillic': 0.75,
  macintosh: 0.5,
};
const ISO_WEIGHT = 0.97;
/** Of a language's first encoding, and of its others. */
const HINT_WEIGHTS = [4, 1.5] as const;
/** Every encoding may be meant where there is too little to tell by; windows-1252 most of all. */
const CHANCE = 0.02;
const CHANCE_WESTERN = 0.035;

const NAMES: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  cp949: 'euc-kr',
  cp874: 'windows-874',
  cp1258: 'windows-1258',
  maccyrillic: 'x-mac-cyrillic',
  macroman: 'macintosh',
};

/** @param bytes No UTF-8. @returns An encoding of the Encoding standard; windows-1252 where nothing speaks for another. */
export function detectEncoding(bytes: Buffer, url?: string): string {
  const latin = bytes.toString('latin1', 0, SAMPLE_FROM);
  if (ISO_2022_JP.test(latin)) return 'iso-2022-jp';
  const sample = sampleOf(latin);
  if (sample.length === 0) return 'windows-1252';
  const hinted = hintsOf(latin, url);
  const candidates = new Map([['windows-1252', 0], ...hinted.map((name) => [name, 0] as const)]);
  const { detectAll } = require('jschardet') as typeof Detector;
  let seen = 0;
  for (const { encoding, confidence } of detectAll(sample, { minimumThreshold: 0 })) {
    const name = nameOf(encoding);
    if (name === null) continue;
    if (!candidates.has(name)) seen += 1;
    if (seen > CANDIDATES) break;
    candidates.set(name, Math.max(confidence, candidates.get(name) ?? 0));
  }
  let best = { name: 'windows-1252', score: -1 };
  for (const [name, confidence] of candidates) {
    const chance = name === 'windows-1252' ? CHANCE_WESTERN : CHANCE;
    const hint = hinted[0] === name ? HINT_WEIGHTS[0] : hinted.includes(name) ? HINT_WEIGHTS[1] : 1;
    const weight = hint * (WEIGHTS[name] ?? (name.startsWith('iso-8859') ? ISO_WEIGHT : 1));
    const score = (confidence + chance) * weight * shareOfWords(legacyHookDecode(sample, name)) ** 4;
    if (score > best.score) best = { name, score };
  }
  return best.name;
}

/** The words with bytes beyond ASCII. No encoding's second byte is a space or a bracket of a tag. */
function sampleOf(latin: string): Buffer {
  const text = latin.replaceAll(/<(script|style)\b[\s\S]*?<\/\1|<!--[\s\S]*?-->|<[^>]*>|&#?\w+;/gi, ' ');
  const sample: string[] = [];
  let size = 0;
  for (const [word] of text.matchAll(/[^\0- ]*[\x80-\xff][^\0- ]*/g)) {
    sample.push(word);
    size += word.length;
    if (size > SAMPLE_BYTES) break;
  }
  return Buffer.from(sample.join(' '), 'latin1');
}

function hintsOf(latin: string, url?: string): readonly string[] {
  const [, lang = ''] = /<html\b[^>]*?\slang\s*=\s*["']?([\w-]+)/i.exec(latin) ?? [];
  const whole = `lang:${lang.toLowerCase()}`;
  const domain = url === undefined ? '' : (/^[a-z]+:\/\/[^/?#]*?(\.[a-z][\w-]*)\.?(?::\d+)?(?:[/?#]|$)/i.exec(url)?.[1] ?? '');
  const row = HINTS[whole] ?? HINTS[whole.split('-', 1)[0] ?? ''] ?? HINTS[domain.toLowerCase()];
  return row === undefined ? [] : (OF_LANGUAGE[row] ?? []);
}

function nameOf(encoding: string | null): string | null {
  if (encoding === null) return null;
  const name = NAMES[encoding.toLowerCase()] ?? normalizeEncoding(encoding);
  return name === null || name.startsWith('utf-') || name === 'replacement' ? null : name;
}

const OTHER = /\p{sc=Cyrillic}|\p{sc=Greek}|\p{sc=Hebrew}|\p{sc=Arabic}|\p{sc=Thai}|\p{sc=Hangul}/u;

/** How many of a text's words could be some: no word has holes in it, letters of two scripts, or a capital in its middle. */
function shareOfWords(text: string): number {
  const words = text.match(/[\p{L}\p{M}\ufffd\x80-\x9f\ue000-\uf8ff]+/gu) ?? [];
  const no = (word: string) =>
    /[\ufffd\x80-\x9f\ue000-\uf8ff]|\p{Ll}\p{Lu}/u.test(word) || (/\p{sc=Latin}/u.test(word) && OTHER.test(word));
  return words.length === 0 ? 1 : 1 - words.filter(no).length / words.length;
}
