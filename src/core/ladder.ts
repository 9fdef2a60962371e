// Which tier fetches a page: where a host's pages of a label start, and where one goes that was refused. Decides only; the
// frontier asks (frontier/frontier.ts), outcome.ts climbs, and the engine saves what was learnt.
import { RENDERING, SERVICES, TIERS, type Tier } from './page.ts';
import type { Verdict } from './verdict.ts';

const CLIMB_REASONS = ['blocked', 'needs-browser', 'bad-answer'] as const;

/** Why a page went higher than where it started: its verdict, or of what is `fatal` the one fault that another client may not
 *  find. */
export type ClimbReason = (typeof CLIMB_REASONS)[number];

/** What a failed try gives as a reason to climb, good or not. */
export type Cause = Verdict | ClimbReason;

export function isClimbReason(cause: Cause): cause is ClimbReason {
  return (CLIMB_REASONS as readonly string[]).includes(cause);
}

/** What is remembered of one host's pages of one label. Plain data, to be saved as JSON. */
export interface Rung {
  /** The tier of a first try. */
  start: Tier;
  /** Where it was before it moved up, and why it did. */
  from: Tier;
  why: ClimbReason | null;
  /** The tiers that the last pages started at `start` ended in, the newest last. */
  recent: Tier[];
  /** Pages since a cheaper tier was tried, and when that was (epoch milliseconds). */
  pagesSinceProbe: number;
  probedAt: number;
  /** Of the last pages that were rendered, how many in a row had no more to say for it. */
  inVain?: number;
}

/** Rungs by `<host> <label>`. */
export type LadderMemory = Record<string, Rung>;

/** How a page ended well. */
export interface Landed {
  readonly host: string;
  readonly label: string;
  /** The tier of its first try. */
  readonly started: Tier;
  readonly ended: Tier;
  /** Why it climbed, if it did: the last reason. */
  readonly why: ClimbReason | null;
  /** Of a page in a browser: false, if its document needed no rendering. */
  readonly rendered?: boolean;
}

export interface Ladder {
  /** The tier of a page's first try. @param now Epoch milliseconds. */
  start(host: string, label: string, now: number): Tier;
  /** The tier after a failed try, or null: no higher one would help. */
  climb(from: Tier, cause: Cause): Tier | null;
  /** A try was refused (`blocked`), and the page goes on elsewhere. Refusals are a host's way with everybody, so they count
   *  as they come; that scripts make a page, or that an answer is garbled, is the page's own, and counts when it is done.
   *  @returns Whether a start has moved: worth saving at once. */
  refused(host: string, label: string, from: Tier, to: Tier): boolean;
  /** A page was found to need its scripts, and goes to a tier that runs them. That counts when it is done there, which may
   *  take a while; until then no more pages of its kind are fetched by halves than can be learnt from. */
  needsScripts(host: string, label: string): void;
  /** A page is done. @returns As `refused`. */
  learn(page: Landed): boolean;
  /** Whether rendering has shown nothing more of a host's pages of a label: they are taken as they are sent. */
  rendersInVain(host: string, label: string): boolean;
  /** The tier of a try that was to go by another one, which may not be had (any more): the next higher one, else a lower one.
   *  A tier that was taken out is left to say why, unless a plain client does for it. */
  instead(tier: Tier): Tier;
  /** Takes a tier out for the rest of the run: it cannot be used here. */
  without(tier: Tier): void;
  readonly tiers: readonly Tier[];
  /** What is worth saving: starts that have moved. */
  memory(): LadderMemory;
}

/** Pages without a browser after which, if most of them needed their scripts, the next ones go where scripts run: as long as
 *  none of them is done there. */
const SHELLS_FETCHED = 20;
/** Pages that the memory of a start goes by. */
const REMEMBERED = 10;
/** A cheaper tier is tried with one page of so many, and no sooner than that. */
const PROBE_PAGES = 50;
const PROBE_MILLIS = 60_000;
/** Pages that are rendered in vain, one after the other, before no more are. */
const MAX_IN_VAIN = 3;
/** Rungs that are kept; the oldest one goes. */
const MAX_RUNGS = 10_000;

export interface LadderOptions {
  /** In any order. At least one. */
  tiers: readonly Tier[];
  /** The tier that a site's label starts at, whatever is learnt. */
  pins?: Readonly<Partial<Record<string, Tier>>> | undefined;
  /** From an earlier process of the run. */
  memory?: LadderMemory | undefined;
}

export function createLadder({ tiers, pins = {}, memory = {} }: LadderOptions): Ladder {
  let usable = TIERS.filter((tier) => tiers.includes(tier));
  const rungs = new Map(Object.entries(memory));
  /** Of the last pages that were fetched without a browser, whether each needed one. */
  const shells = new Map<string, boolean[]>();
  const noteShell = (key: string, needed: boolean) => {
    if (!shells.has(key) && shells.size >= MAX_RUNGS) shells.delete([...shells.keys()][0] as string);
    shells.set(key, [...(shells.get(key) ?? []), needed].slice(-SHELLS_FETCHED));
  };
  const areShells = (key: string) => {
    const last = shells.get(key) ?? [];
    return last.length === SHELLS_FETCHED && last.filter(Boolean).length * 2 > SHELLS_FETCHED;
  };
  const lowest = () => usable[0] ?? 'http';
  /** What was learnt of a tier that is not to be had (any more) counts for nothing. */
  const rungOf = (key: string) => {
    const rung = rungs.get(key);
    return rung && usable.includes(rung.start) && usable.includes(rung.from) ? rung : undefined;
  };

  const revise = (host: string, label: string, change: (rung: Rung) => void): boolean => {
    if (pins[label] !== undefined) return false;
    const key = keyOf(host, label);
    const start = lowest();
    const rung = rungOf(key) ?? { start, from: start, why: null, recent: [], pagesSinceProbe: 0, probedAt: 0 };
    const before = { ...rung };
    change(rung);
    if (!rungs.has(key) && rungs.size >= MAX_RUNGS) rungs.delete([...rungs.keys()][0] as string);
    rungs.set(key, rung);
    const moved = rung.start !== before.start || isInVain(rung) !== isInVain(before);
    if (moved) shells.delete(key);
    return moved;
  };

  return {
    get tiers() {
      return usable;
    },
    start(host, label, now) {
      const pin = pins[label];
      if (pin !== undefined) return usable.includes(pin) ? pin : (usable.find((tier) => costs(tier) > costs(pin)) ?? lowest());
      const key = keyOf(host, label);
      const rung = rungOf(key);
      const first = rung?.start ?? lowest();
      if (areShells(key)) return climb(usable, first, 'needs-browser') ?? first;
      if (!rung) return first;
      if (rung.start === lowest() || rung.pagesSinceProbe < PROBE_PAGES || now - rung.probedAt < PROBE_MILLIS) return rung.start;
      rung.pagesSinceProbe = 0;
      rung.probedAt = now;
      return below(rung, usable);
    },
    climb: (from, cause) => climb(usable, from, cause),
    instead(tier) {
      if (usable.includes(tier)) return tier;
      const [higher, lower] = [climb(usable, tier, 'blocked'), usable.findLast((other) => costs(other) < costs(tier))];
      return higher ?? (tiers.includes(tier) && tier !== 'impersonate' ? tier : lower) ?? tier;
    },
    refused: (host, label, from, to) =>
      revise(host, label, (rung) => {
        if (from === rung.start) weigh(rung, to, 'blocked');
      }),
    rendersInVain(host, label) {
      const rung = rungOf(keyOf(host, label));
      return rung !== undefined && isInVain(rung);
    },
    needsScripts: (host, label) => noteShell(keyOf(host, label), true),
    learn(page) {
      if (page.ended === page.started && !RENDERING.includes(page.ended)) noteShell(keyOf(page.host, page.label), false);
      return revise(page.host, page.label, (rung) => learn(rung, page));
    },
    without(tier) {
      usable = usable.filter((other) => other !== tier);
    },
    memory: () => Object.fromEntries([...rungs].filter(([, rung]) => rung.start !== lowest() || isInVain(rung))),
  };
}

/** A page that its scripts make goes straight to the first tier that runs them; one that was refused goes one tier up. So does
 *  one whose answer this tier's client does not understand, but to no tier that is paid by the page: what a browser cannot
 *  read is most often garbled for everybody. */
export function climb(tiers: readonly Tier[], from: Tier, cause: Cause): Tier | null {
  if (!isClimbReason(cause)) return null;
  const higher = tiers.filter((tier) => costs(tier) > costs(from));
  if (cause === 'needs-browser') return higher.find((tier) => RENDERING.includes(tier)) ?? null;
  return higher.find((tier) => cause !== 'bad-answer' || !SERVICES.includes(tier)) ?? null;
}

/** What one more page that is done has shown. */
function learn(rung: Rung, { started, ended, why, rendered }: Landed): void {
  rung.pagesSinceProbe++;
  if (rendered !== undefined) rung.inVain = rendered ? 0 : (rung.inVain ?? 0) + 1;
  // No reason to begin there.
  if (rendered === false && why === 'needs-browser') return;
  if (costs(started) < costs(rung.start)) {
    if (ended === started) settle(rung, ended);
  } else if (started === rung.start) {
    // Rendered for nothing: what comes next is tried without.
    if (rung.why === 'needs-browser' && rendered === false) settle(rung, rung.from);
    else if (ended === started || (why !== null && why !== 'blocked')) weigh(rung, ended, why ?? 'needs-browser');
  }
}

/** Adds how a page that began at the start went on, and moves the start up when most of the last pages had to climb: one of
 *  one counts, so that the second page of a host starts where the first one got through. */
function weigh(rung: Rung, wentTo: Tier, why: ClimbReason): void {
  rung.recent = [...rung.recent, wentTo].slice(-REMEMBERED);
  const climbed = rung.recent.filter((tier) => tier !== rung.start);
  if (climbed.length * 2 <= rung.recent.length) return;
  rung.from = rung.start;
  rung.start = mostFrequent(climbed);
  rung.why = why;
  rung.recent = [];
  rung.pagesSinceProbe = 0;
}

/** A cheaper tier has done: pages start there, and several must climb before that changes again. */
function settle(rung: Rung, start: Tier): void {
  rung.start = start;
  rung.from = start;
  rung.why = null;
  rung.recent = Array.from({ length: REMEMBERED }, () => start);
  rung.pagesSinceProbe = 0;
}

/** What a probe tries: one tier down; for pages that were rendered, where they came from, as nothing between helped. */
function below({ start, from, why }: Rung, tiers: readonly Tier[]): Tier {
  if (why === 'needs-browser') return from;
  return tiers.findLast((tier) => costs(tier) < costs(start)) ?? start;
}

function isInVain({ inVain = 0 }: Rung): boolean {
  return inVain >= MAX_IN_VAIN;
}

/** The cheaper one of two that are as frequent. */
function mostFrequent(tiers: readonly Tier[]): Tier {
  const times = (tier: Tier) => tiers.filter((other) => other === tier).length;
  return [...new Set(tiers)].toSorted((a, b) => times(b) - times(a) || costs(a) - costs(b))[0] as Tier;
}

function costs(tier: Tier): number {
  return TIERS.indexOf(tier);
}

function keyOf(host: string, label: string): string {
  return `${host} ${label}`;
}
