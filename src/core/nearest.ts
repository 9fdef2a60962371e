// The known name that a mistyped word most likely meant.

/** Single-letter edits between two words; two neighbours swapped count as one. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (current[column - 1] ?? 0) + 1,
        (last[column] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? Infinity) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** Whether the word goes on where the candidate, of four letters or more, ends: PASSWORD is PASS, PASS_PHRASE is not. */
function isShortFor(candidate: string, word: string): boolean {
  const rest = word.slice(candidate.length);
  return bare(candidate).length >= 4 && word.toLowerCase().startsWith(candidate.toLowerCase()) && /^[a-z]+$/i.test(rest);
}

/** The candidate nearest to `word`, or undefined when none is near enough to be meant: one edit for each three
 *  letters, at least one. Case, `-` and `_` do not count, so `maxrequests` finds `--max-requests`. Failing that, one that the
 *  word is the long form of. */
export function nearest<Name extends string>(word: string, candidates: readonly Name[]): Name | undefined {
  // A long word is no slip of the finger, and its distance would take a while.
  if (word.length > 40) return undefined;
  let found: Name | undefined;
  let least = Math.max(1, Math.floor(bare(word).length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(bare(word), bare(candidate));
    if (distance < least && distance < bare(candidate).length) {
      found = candidate;
      least = distance;
    }
  }
  return found ?? candidates.find((candidate) => isShortFor(candidate, word));
}

/** ` Did you mean X?` with a leading space, or nothing. Quotes are the caller's choice by `quote`. */
export function didYouMean(word: string, candidates: readonly string[], quote = ''): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : ` Did you mean ${quote}${meant}${quote}?`;
}
