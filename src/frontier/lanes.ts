// Where a request goes on: the tier of its next try, by what its earlier tries have shown or by what the ladder remembers of
// its host, and the lane of that tier.
import { attemptsOf } from '../core/attempts.ts';
import type { Ladder } from '../core/ladder.ts';
import { labelFor, type Labelled } from '../core/label.ts';
import { laneOf, type Lane } from '../core/lane.ts';
import type { Tier } from '../core/page.ts';
import type { Site } from '../core/site.ts';

/** A request as far as its way goes: one of Crawlee's, or one as it is stored. */
export interface Routed extends Labelled {
  readonly id?: string;
  readonly errorMessages?: string[];
}

export interface Lanes {
  /** The tier of the request's next try, asked by a lane that is about to take it. */
  tierFor(request: Routed, lane: Lane, now: number): Tier;
  /** Says that it was taken. */
  taken(request: Routed): void;
}

export function createLanes(ladder: Ladder, site: Pick<Site, 'labelOf'>): Lanes {
  // Sent from the browser lane to a cheaper one, as a probe or because the ladder has learnt: not to be sent back there.
  const sentDown = new Map<string, Tier>();
  return {
    tierFor(request, lane, now) {
      const tried = attemptsOf({ errorMessages: request.errorMessages ?? [] }).at(-1);
      const { host } = new URL(request.url);
      const label = labelFor(request, site) ?? '';
      // It waits for a browser that has been found to be of no use meanwhile.
      if (tried?.verdict === 'needs-browser' && ladder.rendersInVain(host, label)) return ladder.instead(tried.tier);
      if (tried) return ladder.instead(tried.next ?? tried.tier);
      const id = request.id as string;
      const sent = sentDown.get(id);
      if (sent !== undefined) return ladder.instead(sent);
      const tier = ladder.start(host, label, now);
      if (lane === 'browser' && laneOf(tier) !== lane) sentDown.set(id, tier);
      return tier;
    },
    taken({ id }) {
      sentDown.delete(id as string);
    },
  };
}
