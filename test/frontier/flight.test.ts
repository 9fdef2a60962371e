// One attempt at one page: what it stages ends with it.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { openFlight } from '../../src/frontier/flight.ts';

const open = (label?: string) =>
  openFlight(new Request({ url: 'https://a.example/', ...(label && { label }) }), {
    tier: 'http',
    since: 1_000,
    claimedAt: 990,
    labelWorks: true,
  });

describe('a flight', () => {
  it('collects rows in order, rejected rows and a size', () => {
    const flight = open();
    expect([flight.rows, flight.rejected, flight.bytes, flight.end, flight.since, flight.claimedAt]).toEqual([
      [],
      0,
      0,
      null,
      1_000,
      990,
    ]);
    flight.stage('default', '1');
    flight.stage('other', '2');
    flight.reject();
    flight.reject();
    flight.measure(5);
    flight.measure(7);
    expect(flight.rows).toEqual([
      { dataset: 'default', json: '1' },
      { dataset: 'other', json: '2' },
    ]);
    expect([flight.rejected, flight.bytes]).toEqual([2, 7]);
  });

  it('says what it does now', () => {
    const flight = open();
    expect(flight.phase).toBe('queued');
    flight.enter('connecting');
    flight.close();
    flight.enter('committing');
    expect(flight.phase).toBe('committing');
  });

  it('that is closed keeps what it has and takes no more', () => {
    const flight = open('LIST');
    flight.stage('default', '1');
    flight.reject();
    flight.close();
    expect(() => flight.stage('default', '2')).toThrow(SurefootError);
    expect(() => flight.stage('default', '2')).toThrow(/a\.example.*LIST handler/);
    flight.reject();
    expect([flight.rows.length, flight.rejected]).toEqual([1, 1]);
  });

  it.each([null, 'failed', 'missing', 'skipped'] as const)('that is abandoned (%s) has no rows', (end) => {
    const flight = open();
    flight.stage('default', '1');
    flight.reject();
    flight.abandon(end);
    expect([flight.rows, flight.rejected, flight.end]).toEqual([[], 0, end]);
    expect(() => flight.stage('default', '4')).toThrow(/unlabelled handler/);
  });
});
