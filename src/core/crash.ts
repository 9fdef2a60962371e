// What to do with a page that was in flight when the process died, by how often that happened.

/** How a request may be handed out. */
export type HandOut = 'with-others' | 'alone' | 'dead-letter';

/** Deaths of the process after which a page is given up. */
export const MAX_DEATHS = 3;

/** A page in flight at one death is most likely a bystander. After two it waits until all others are done and then runs
 *  alone, so that a third death is its own doing and takes no bystander along.
 *  @param deaths How often the process died while this page was in flight. */
export function handOutAfter(deaths: number): HandOut {
  if (deaths >= MAX_DEATHS) return 'dead-letter';
  return deaths === MAX_DEATHS - 1 ? 'alone' : 'with-others';
}
