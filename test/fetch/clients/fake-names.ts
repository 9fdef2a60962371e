// A resolver that knows the names of a test: each look-up of a name takes its next answer, and the last one holds.
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIPv6 } from 'node:net';

import type { ReachOptions } from '../../../src/fetch/clients/reach.ts';

export interface FakeNames {
  readonly resolve: NonNullable<ReachOptions['resolve']>;
  /** Every name that was asked for. */
  readonly asked: string[];
}

/** @param names Its answers, each an address or several. A name that is not there has none. */
export function fakeNames(names: Readonly<Record<string, readonly (string | readonly string[])[]>>): FakeNames {
  const asked: string[] = [];
  const resolve = (given: string, _options: LookupOptions, callback: (error: Error | null, found: LookupAddress[]) => void) => {
    const name = given.replace(/\.$/, '');
    const answers = names[name] ?? [];
    const answer = answers[Math.min(asked.filter((other) => other === name).length, answers.length - 1)];
    asked.push(name);
    setImmediate(() => {
      if (answer === undefined) {
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []);
      } else {
        callback(
          null,
          [answer].flat().map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
        );
      }
    });
  };
  return { resolve: resolve as FakeNames['resolve'], asked };
}
