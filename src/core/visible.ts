// Foreign text on its way to a terminal or a log. What could steer a terminal, forge a line or turn text around is written as
// an escape, `\x1b` or `\u202e`, so that it is seen. The doors that all text passes (say, print, the log, last words) ask here.

/** Controls (C0, DEL, C1), marks of direction and other formats without a width of their own, and the separators that some
 *  viewers break lines at. Not tabs, nor the joiners that scripts and emoji are written with. */
const UNSEEN = /(?![\t\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const NAMES: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r` };

/** Text for one line. What is visible stays as it is, so it may be done twice. */
export function toVisible(text: string): string {
  return text.replaceAll(UNSEEN, escaped);
}

/** Text of several lines, which this project has made: its line breaks stay. */
export function toVisibleLines(text: string): string {
  return text.replaceAll(UNSEEN, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  const digits = code.toString(16);
  if (code > 0xff_ff) return `\\u{${digits}}`;
  return NAMES[character] ?? (code > 0xff ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`);
}
