// Where a text stops being JSON. V8 says so in some of its messages only.

/** The place of the first character that cannot stay. Line and column count from 1, the position from 0. */
export interface JsonErrorPlace {
  readonly line: number;
  readonly column: number;
  readonly position: number;
}

/** What JSON.parse says, or undefined if it is content. */
function complaint(text: string): { unfinished: boolean; position: number | undefined } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : '';
    const digits = /at position (\d+)/.exec(message)?.[1];
    const position = digits === undefined ? undefined : Number(digits);
    return { unfinished: message.startsWith('Unexpected end') || position === text.length, position };
  }
}

function findPosition(text: string): number {
  const whole = complaint(text);
  if (whole?.position !== undefined) return whole.position;
  if (!whole || whole.unfinished) return text.length;
  // A beginning of the text is good JSON or unfinished up to the wrong character, and wrong from there on: halve.
  let good = 0;
  let wrong = text.length;
  while (wrong - good > 1) {
    const middle = (good + wrong) >> 1;
    const said = complaint(text.slice(0, middle));
    if (!said || said.unfinished) good = middle;
    else wrong = middle;
  }
  return good;
}

/** Finds where `text`, which JSON.parse has refused, goes wrong. Its end, if something is missing there. */
export function findJsonError(text: string): JsonErrorPlace {
  const position = findPosition(text);
  const lines = text.slice(0, position).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, position };
}
