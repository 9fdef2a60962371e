// What is told of an attempt at a page that is over, to whoever listens.
import type { PageEnd } from '../core/run-store.ts';
import { attemptsOf } from '../core/attempts.ts';
import type { InFlight, OpenFlight } from './flight.ts';

/** `again`: its page goes round once more. `error`: why it did not succeed, if that is known. */
export interface EndedAttempt {
  readonly url: string;
  readonly label: string | null;
  readonly tier: string;
  readonly end: PageEnd | 'again';
  readonly millis: number;
  readonly bytes: number;
  readonly rows: number;
  readonly error: string | null;
}

export function toEnded(flight: OpenFlight, request: InFlight, end: EndedAttempt['end'], now: number): EndedAttempt {
  const { tier, since, bytes, rows } = flight;
  const error = end === 'succeeded' ? null : (attemptsOf(request).at(-1)?.error ?? null);
  return { url: request.url, label: request.label ?? null, tier, end, millis: now - since, bytes, rows: rows.length, error };
}
