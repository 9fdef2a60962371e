// How long a challenge is waited for that may solve itself: while it moves, and as long as it says or its vendor is known for.
const SECOND = 1_000;
/** Since it last moved. */
const STILL_MILLIS = 10 * SECOND;
/** In all, for one that goes on moving. */
const MOVING_MILLIS = 35 * SECOND;
/** What a page may ask for. */
const MAX_SAID_SECONDS = 60;
const GRACE_MILLIS = 5 * SECOND;

/** Vendors whose puzzle shows nothing of its progress, and how long it takes. */
const SILENT_SECONDS: Readonly<Record<string, number>> = { Akamai: 30, Anubis: 30, 'go-away': 30 };
const SAID = /\bdata-duration\s*=\s*["']?(\d{1,3})\b|"?chlg_duration"?\s*:\s*"?(\d{1,3})\b/;

/** What there is of a challenge at one look. */
export interface Look {
  /** The vendor's name; null where the page is no challenge any more. */
  readonly vendor: string | null;
  readonly html: string;
  /** Its scripts have asked for something, or it is on its way to another document. */
  readonly busy: boolean;
}

/** @param now Milliseconds. @returns Whether to look again. */
export function startPatience(now: () => number): { hasLeft(look: Look): boolean } {
  const start = now();
  let moved = start;
  let shown: string | null = null;
  let saidMillis = 0;
  return {
    hasLeft({ vendor, html, busy }) {
      const at = now();
      if (busy || (shown !== null && html !== shown)) moved = at;
      shown = html;
      const [, attribute, field] = SAID.exec(html) ?? [];
      const said = Math.min(Number(attribute ?? field ?? 0), MAX_SAID_SECONDS);
      const seconds = said || (SILENT_SECONDS[vendor ?? ''] ?? 0);
      if (seconds > 0) saidMillis = Math.max(saidMillis, seconds * SECOND + GRACE_MILLIS);
      const until = Math.max(saidMillis, Math.min(moved - start + STILL_MILLIS, MOVING_MILLIS));
      return at - start < until;
    },
  };
}
