// The guises in which a known secret shows up in text: as it is, escaped, percent-encoded, within base64.

const MIN_LENGTH = 4;

/** HTML's names for the characters it escapes. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&': 'amp|#38',
  '<': 'lt|#60',
  '>': 'gt|#62',
  '"': 'quot|#34',
  "'": 'apos|#39',
};
const ESCAPES: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't' };

/** @returns A function that puts `mask` in the place of every secret; a run of base64 that has one in it goes as a whole. */
export function matchSecrets(secrets: readonly string[], mask: string): (text: string) => string {
  const values = [...new Set(secrets.flatMap(variantsOf))]
    .filter((value) => value.length >= MIN_LENGTH)
    // One secret may begin like another.
    .toSorted((a, b) => b.length - a.length);
  if (values.length === 0) return (text) => text;
  // A cookie can have 4,000 characters: all their forms are tried only where the first few are met.
  const beginnings = new RegExp(values.map((value) => pattern([...value].slice(0, 6))).join('|'));
  const whole = values.map((value) => new RegExp(pattern([...value]), 'g'));
  const word = new RegExp(`(?:(?<![\\\\%\\p{L}\\p{N}_])[\\p{L}\\p{N}_]+)?${escaped(mask)}[\\p{L}\\p{N}_]*`, 'gu');
  const encoded = new RegExp(values.flatMap(base64Cores).join('|'));
  return (text) => {
    let masked = text;
    if (beginnings.test(masked)) for (const secret of whole) masked = masked.replace(secret, mask);
    // A secret that is a part of a word would be told by the rest of it.
    if (masked !== text) masked = masked.replace(word, mask);
    if (encoded.test(masked)) masked = masked.replace(/[\w+/%=-]+/g, (run) => (encoded.test(run) ? mask : run));
    return masked;
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** The secret, what it is when percent-decoded, and for a URL its password (or its name, if that stands alone). */
function variantsOf(secret: string): string[] {
  const url = URL.canParse(secret) ? new URL(secret) : null;
  const inUrl = url ? url.password || url.username : '';
  return [secret.trim(), inUrl].flatMap((value) => [value, percentDecoded(value)]);
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // A "%" that stands for itself.
  }
}

/** A regular expression's source for these characters, each in any of its forms. */
function pattern(characters: readonly string[]): string {
  return characters.map(formsOf).join('');
}

function formsOf(character: string): string {
  const bytes = [...Buffer.from(character)];
  // %25 is an encoded "%": encoded twice, or more often.
  const percent = bytes.map((byte) => `%(?:25)*${hexadecimal(byte, 2)}`).join('');
  if (/^[A-Za-z0-9]$/.test(character)) return `(?:${character}|${percent})`;

  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const forms = [literal, percent];
  // JSON, util.inspect and the shell put backslashes before quotes and backslashes, more of them the deeper it is nested.
  if (/["'`]/.test(character)) forms.push(`\\\\+${literal}`);
  if (character === '\\') forms.push('\\\\+');
  if (character === '"') forms.push('""'); // CSV
  if (character === ' ') forms.push('\\+');
  if (ESCAPES[character]) forms.push(`\\\\+${ESCAPES[character]}`);
  // util.inspect indents the lines of an error, and joins the lines of a long text by "+".
  if (character === '\n') forms.push('\\n[ \\t]+', `\\\\n["'\`] \\+\\n *["'\`]`);
  if (ENTITIES[character]) forms.push(`&(?:${ENTITIES[character]}|#x${hexadecimal(bytes[0] ?? 0, 2)});`);
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  forms.push(units.map((unit) => `\\\\+(?:u${hexadecimal(unit, 4)}${unit < 256 ? `|x${hexadecimal(unit, 2)}` : ''})`).join(''));
  return `(?:${forms.toReversed().join('|')})`;
}

/** Hexadecimal digits, in either case. */
function hexadecimal(number: number, digits: number): string {
  const text = number.toString(16).padStart(digits, '0');
  return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** What base64 makes of a secret in the midst of other bytes, such as "user:secret": three ways, by where it begins, less
 *  the characters at either end that its neighbours have a part in. */
function base64Cores(secret: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const core = bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
    return core.replaceAll('+', '(?:[+-]|%2[bB])').replaceAll('/', '(?:[/_]|%2[fF])');
  });
}
