// The conformance suite over each storage client. Every known difference was measured with Crawlee 3.18.1.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';

import { MemoryStorage } from '@crawlee/memory-storage';

import type { StorageCall } from '../../src/core/worker-messages.ts';
import { fromWireError, toWireError } from '../../src/core/wire-error.ts';
import { forwardStorage, makeCall } from '../../src/storage/forwarding.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/client.ts';
import { KINDS } from './conformance/collections.ts';
import { describeStorageClient } from './conformance.ts';
import { newFolder } from './sqlite/fixture.ts';

/** One difference for all kinds of store. */
function everyKind(check: string, why: string): Record<string, string> {
  return Object.fromEntries(Object.keys(KINDS).map((kind) => [`${kind}: ${check}`, why]));
}

/** Crawlee's own client is held to all of it when its version changes: `npm run test:crawlee`. */
const ALL = process.env['SUREFOOT_CONFORMANCE'] === 'all';

const IN_MEMORY_AND_ON_DISK = {
  ...everyKind('a store can be deleted by its name', 'delete() looks for the id only and does nothing'),
  ...everyKind('one name asked for several times at once makes one store', 'makes one store for each call'),
  'queue: a handled request can be made pending again': 'it stays in the count of the handled as well',
  'queue: a request added at the forefront can be deleted': 'the next look at the head throws a TypeError',
  'queue: counts and order stay true through any sequence with deletions': 'a deleted forefront request breaks the queue',
  'queue: the forefront is the same for every handle of the queue': 'each handle remembers only its own forefront',
  'queue: listHead shows the order of handing out, also after a reclaim': 'listHead puts it last, listAndLockHead first',
  'queue: queueHasLockedRequests is true until all is handled': 'it is never set',
  'queue: a prolonged lock lasts lockSecs from now': 'lockSecs are added to the end of the old lock',
  'queue: a lock that another client has taken over cannot be prolonged': 'a lock has no owner',
  'dataset: listItems({"desc":true,"offset":3,"limit":10}) of five rows': 'the offset is lost at the end: gives all five',
  'dataset: listItems({"desc":true,"offset":3}) of five rows': 'the offset is lost without a limit: gives all five',
  'key-value store: an array comes back as it was set': 'refuses an array that is not serialised yet',
  'key-value store: paging goes on where it was when the start key has been deleted': 'begins again with the first key',
};

describeStorageClient('MemoryStorage in memory', {
  open: async () => ({ client: new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() }), close: () => {} }),
  reopens: false,
  differencesOnly: !ALL,
  knownDifferences: {
    ...IN_MEMORY_AND_ON_DISK,
    ...everyKind('a renamed store keeps its id and its content', 'moves a directory that does not exist: ENOENT'),
    'dataset: changing a row that was pushed or read does not change the dataset': 'keeps and returns the object itself',
    'key-value store: a string of a binary type comes back as it was set': 'gives a string back, not a Buffer',
  },
});

if (ALL)
  describeStorageClient('MemoryStorage on disk', {
    open: async (dir) => {
      const client = new MemoryStorage({
        localDataDirectory: dir,
        persistStorage: true,
        writeMetadata: true,
      });
      // What it writes in the background begins after the call that it belongs to, so one wait is not always enough.
      const close = async () => {
        for (let waits = 0; waits < 3; waits++) await client.teardown().then(() => sleep(30));
      };
      return { client, close };
    },
    reopens: true,
    knownDifferences: {
      ...IN_MEMORY_AND_ON_DISK,
      ...everyKind('list() names every store of an earlier session', 'names only stores that were opened since'),
      'queue: a reopened queue keeps its order': 'the order is that of the directory',
      'queue: a reopened queue keeps its forefront': 'the forefront is lost',
      'queue: locks of an earlier session are void at once': 'they hold until they run out',
      'crash: the queue has its order, marks and counts, and no locks':
        'locked requests stay locked, counts may be those of before',
      'key-value store: a renamed store keeps its id and its content': 'looks for the records under the old name',
      'key-value store: a reopened store has its id, name and date of creation':
        'metadata of records is written as JSON in JSON and read as a record without a key: listKeys throws',
      'key-value store: a reopened one has every value with its type': 'listKeys throws, as above',
      'key-value store: a reopened one has the last value, also of another type': 'the file of the old type stays and wins',
      'key-value store: a reopened one has odd keys': 'a key with a slash is not found again',
      'RequestQueue: a new session goes on with what was in flight, then with the rest':
        'what the last session had locked stays locked: 3 minutes with nothing to fetch, and not finished',
    },
  });

describeStorageClient('SQLite', {
  open: async (dir) => {
    const client = openSqliteStorage(join(dir, 'crawl.sqlite'));
    return { client, close: () => client.close() };
  },
  reopens: true,
  knownDifferences: {},
});

/** As it is after its way to another process. */
const sent = <Data>(data: Data): Data => deserialize(serialize(data)) as Data;

describeStorageClient('SQLite, from a worker', {
  open: async (dir) => {
    const client = openSqliteStorage(join(dir, 'crawl.sqlite'));
    const call = async (asked: StorageCall): Promise<unknown> => {
      try {
        return sent(await makeCall(client, sent(asked)));
      } catch (error) {
        throw fromWireError(sent(toWireError(error)));
      }
    };
    return { client: forwardStorage(call), close: () => client.close() };
  },
  reopens: true,
  knownDifferences: {},
});
