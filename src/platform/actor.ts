// The Apify SDK, and all that is asked of it: input, the platform's client, events, status. The only import of `apify`;
// main.ts loads this file for an Actor's run alone.
import type { EventManager } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';
import { Actor } from 'apify';

import { messageOf, SurefootError } from '../core/errors.ts';
import { crawlee } from '../crawlee.ts';

/** Ids of the run's default stores. */
interface DefaultStores {
  readonly dataset: string;
  readonly keyValueStore: string;
  readonly requestQueue: string;
}

/** The Actor's run that this process is. */
export interface ActorHost {
  /** The input with its secrets decrypted; null without one. */
  readonly input: unknown;
  /** What only the platform has; null on somebody's machine. */
  readonly home: {
    readonly client: StorageClient;
    /** The same, for calls that are not to be repeated when their answer is lost. */
    readonly once: StorageClient;
    readonly events: EventManager;
    readonly defaults: DefaultStores;
    /** Datasets that actor.json declares, by their alias: id. */
    readonly datasets: Readonly<Record<string, string>>;
  } | null;
  /** What the form's proxy editor chose, as proxy URLs: one without a session, whose address changes with each connection,
   *  or so many with a session each, whose address stays. Null: no proxy.
   *  @throws {SurefootError} kind `input`: no access to it. */
  proxyUrls(choice: Readonly<Record<string, unknown>>, sessions: number): Promise<readonly string[] | null>;
  /** Where `apify run` keeps input and results. */
  readonly storageDir: string;
  /** Told of what the platform announces. A listener may be called more than once. */
  on(event: 'migrating' | 'aborting' | 'persistState', listener: () => void | Promise<void>): void;
  /** Says how far the run is, or, with `last`, how it ended. Never throws. */
  say(text: string, last?: 'INFO' | 'WARNING' | 'ERROR'): Promise<void>;
  /** Asks the platform to restart the run elsewhere. It ends this process; it returns only if that does not happen. */
  restart(): Promise<void>;
  /** Saves what is to be saved and closes the connection to the platform. */
  close(exitCode: number): Promise<void>;
}

/** @throws {SurefootError} kind `run`: the platform cannot be reached. */
export async function openActor({ atHome }: { atHome: boolean }): Promise<ActorHost> {
  // Locally the SDK would empty the default stores; CRAWLEE_PURGE_ON_START, which `apify run` sets, still can.
  Actor.config.set('purgeOnStart', false);
  // What the SDK would do at a migration and an abort is done by commands/actor.ts, which knows what is in flight.
  await Actor.init({ gracefulShutdown: false }).catch((error: unknown) => {
    throw new SurefootError('run', `The Apify platform cannot be reached: ${messageOf(error)}`, { cause: error });
  });
  // The SDK enters its configuration into it, which is also the global one; as long as it is on, Node follows every promise
  // (engine/configuration.ts).
  crawlee.Configuration.storage.disable();
  const { config, apifyClient } = Actor;
  const id = (key: 'defaultDatasetId' | 'defaultKeyValueStoreId' | 'defaultRequestQueueId'): string => String(config.get(key));
  return {
    input: (await Actor.getInput()) ?? null,
    home: atHome
      ? {
          client: apifyClient as unknown as StorageClient,
          once: Actor.newClient({ maxRetries: 0 }) as unknown as StorageClient,
          events: config.getEventManager(),
          defaults: {
            dataset: id('defaultDatasetId'),
            keyValueStore: id('defaultKeyValueStoreId'),
            requestQueue: id('defaultRequestQueueId'),
          },
          datasets: toAliases(config.get('actorStoragesJson')),
        }
      : null,
    proxyUrls: toProxyUrls,
    storageDir: storageDirOf(config.getStorageClient()),
    on: (event, listener) => Actor.on(event, () => void listener()),
    async say(text, last) {
      // Only progress and the end of the run are shown by it; neither may end a crawl.
      await Actor.setStatusMessage(text, { isStatusMessageTerminal: last !== undefined, level: last ?? 'INFO' }).catch(() => {});
    },
    async restart() {
      await Actor.reboot();
    },
    async close(exitCode) {
      await Actor.exit({ exit: false, exitCode });
    },
  };
}

/** See `ActorHost.proxyUrls`. */
export async function toProxyUrls(
  choice: Readonly<Record<string, unknown>>,
  sessions: number,
): Promise<readonly string[] | null> {
  try {
    const configuration = await Actor.createProxyConfiguration(choice);
    // Undefined for `{ useApifyProxy: false }`, and off the platform also where the proxy cannot be used: the SDK would go
    // without one.
    if (!configuration && choice['useApifyProxy'] === true) throw new Error('there is no access to Apify Proxy (`apify login`)');
    if (!configuration) return null;
    if (Array.isArray(choice['proxyUrls'])) return choice['proxyUrls'] as string[];
    if (sessions === 0) return [await configuration.newUrl()].filter((url) => url !== undefined);
    const names = Array.from({ length: sessions }, (_, session) => `surefoot${session}`);
    const urls = await Promise.all(names.map((name) => configuration.newUrl(name)));
    return urls.filter((url) => url !== undefined);
  } catch (error) {
    throw new SurefootError('input', `proxyConfiguration in the Actor's input cannot be used: ${messageOf(error)}`);
  }
}

/** https://docs.apify.com/platform/actors/development/programming-interface/environment-variables: ACTOR_STORAGES_JSON */
function toAliases(json: unknown): Record<string, string> {
  if (typeof json !== 'string' || json === '') return {};
  const { default: _, ...aliases } = (JSON.parse(json) as { datasets?: Record<string, string> }).datasets ?? {};
  return aliases;
}

/** MemoryStorage knows where CRAWLEE_STORAGE_DIR led to. */
function storageDirOf(client: unknown): string {
  const dir = (client as { localDataDirectory?: unknown }).localDataDirectory;
  return typeof dir === 'string' ? dir : 'storage';
}
