// The frame of the conformance suite: one temporary directory and one opened client for each check.
// A check that a client is known to fail must go on failing: it turns red on the day it is met.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { StorageClient } from '@crawlee/types';
import { expect, it } from 'vitest';

export interface Opened {
  readonly client: StorageClient;
  readonly close: () => Promise<void> | void;
}

export interface ConformanceOptions {
  /** Opens the client over a directory: an empty one, or one that was used before. */
  readonly open: (dir: string) => Promise<Opened>;
  /** Whether closing and opening again over the same directory keeps the data. */
  readonly reopens: boolean;
  /** Name of the check → why this client fails it, measured. */
  readonly knownDifferences: Readonly<Record<string, string>>;
  /** Runs what `knownDifferences` names and nothing else: for a client that is not ours, `npm run test:crawlee` runs all. */
  readonly differencesOnly?: boolean;
}

/** What a check works with. */
export interface Bench {
  readonly client: StorageClient;
  /** Closes the client and opens another one over the same directory. */
  readonly reopen: () => Promise<StorageClient>;
  /** Opens another client over what a process that is killed at this moment leaves on disk. */
  readonly reopenAfterCrash: () => Promise<StorageClient>;
  /** Ends the check as skipped: the client lacks an optional method. */
  readonly skip: (why: string) => never;
}

type Body = (bench: Bench) => Promise<void>;

export interface Suite {
  readonly check: (guarantee: string, body: Body) => void;
  /** Registered only for clients that keep their data. */
  readonly checkReopened: (guarantee: string, body: Body) => void;
}

/** Collects checks under their names. `finish()` adds the check that no known difference is misspelt. */
export function createSuite(options: ConformanceOptions): Suite & { finish(): void } {
  const names = new Set<string>();

  function check(guarantee: string, body: Body): void {
    if (names.has(guarantee)) throw new Error(`Two checks are called "${guarantee}"`);
    names.add(guarantee);
    const why = options.knownDifferences[guarantee];
    if (why === undefined) {
      if (options.differencesOnly !== true) it(guarantee, ({ skip }) => withBench(options, skip, body));
    } else {
      it(`${guarantee} (known difference: ${why})`, ({ skip }) =>
        withBench(options, skip, (bench) => expectFailure(guarantee, body(bench))));
    }
  }

  return {
    check,
    checkReopened: (guarantee, body) => {
      if (options.reopens) check(guarantee, body);
    },
    finish: () => {
      it('known differences name existing checks', () => {
        expect(Object.keys(options.knownDifferences).filter((name) => !names.has(name))).toEqual([]);
      });
    },
  };
}

async function expectFailure(guarantee: string, outcome: Promise<void>): Promise<void> {
  const met = await outcome.then(
    () => true,
    () => false,
  );
  expect(met, `"${guarantee}" is met now: take it out of knownDifferences`).toBe(false);
}

// Opening and closing stay outside the body, so that a client that cannot even be opened never counts as a known difference.
async function withBench(options: ConformanceOptions, skip: (why: string) => never, body: Body): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'surefoot-conformance-'));
  const dir = join(root, 'storage');
  await mkdir(dir);
  let opened = await options.open(dir);
  try {
    await body({
      get client() {
        return opened.client;
      },
      reopen: async () => {
        await opened.close();
        opened = await options.open(dir);
        return opened.client;
      },
      reopenAfterCrash: async () => {
        const remains = join(root, 'remains');
        await cp(dir, remains, { recursive: true });
        await opened.close();
        opened = await options.open(remains);
        return opened.client;
      },
      skip,
    });
  } finally {
    await opened.close();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}
