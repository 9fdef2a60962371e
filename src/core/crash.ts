// What to do with a page that was in flight when the process died, by how often that happened.

/** How a request may be handed out. */
export type HandOut = 'with-others' | 'alone' | 'dead-letter';

/** Deaths of the process after which a page is given up. */
export const MAX_DEATHS = 3;

/** How long a process has lived before a page is tried that was in flight at two deaths. A crawl that somebody kills again
 *  and again, or that dies of something else, would otherwise find bystanders guilty. */
export const QUIET_MILLIS = 5_000;

/** A page in flight at a death may be a bystander, or what killed the process. It waits until all others are done and then
 *  runs alone, so that a further death is its own doing and takes no bystander along.
 *  @param deaths How often the process died while this page was in flight. */
export function handOutAfter(deaths: number): HandOut {
  if (deaths === 0) return 'with-others';
  return deaths < MAX_DEATHS ? 'alone' : 'dead-letter';
}

/** Of how many deaths a page may be suspected that is looked for now.
 *  @param inFlight Pages in flight. @param uptimeMillis How long this process has crawled. */
export function maxDeathsNow(inFlight: number, uptimeMillis: number): number {
  if (inFlight > 0) return 0;
  return uptimeMillis < QUIET_MILLIS ? 1 : Infinity;
}
