// A crawl as the run of an Actor: its input from the platform or from `apify run`, its progress and results back to there.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { DATASETS } from '../core/run-store.ts';
import { messageOf, SurefootError } from '../core/errors.ts';
import type { RunMeta } from '../core/meta.ts';
import { crawl, RUN_AGAIN, STOPPED, type ActorSide, type Surroundings } from './crawl.ts';
import type { ActorExtras } from '../input/actor-extras.ts';
import { assertNoInput, readActorExtras } from '../input/actor-input.ts';
import { fields } from '../input/fields.ts';
import { loadInput, type ActorRun } from '../input/load.ts';
import type { Settings } from '../input/schema.ts';
import { openActor, type ActorHost } from '../platform/actor.ts';
import { createRedactor, redactData } from '../platform/redact.ts';
import { toOutcome } from '../report/actor-outcome.ts';
import { uploadFiles, writeLocalResults, writeOutput } from '../storage/actor-results.ts';
import { openCloudStorage } from '../storage/cloud.ts';
import type { OpenStorage } from '../storage/open.ts';
import { accompany } from './actor-company.ts';
import { readLists, type NamedAmong } from './actor-lists.ts';
import { countRows } from '../engine/exports.ts';

/** Beside INPUT: `apify run` takes it away when it empties the store, and with it the reason to go on. */
const MARKER = 'SUREFOOT_STATE.json';

/** For as long as the process lives. */
const COOKIES = 'initial-cookies.json';

/** Addresses of Apify Proxy that sticky sessions are spread over. */
const PROXY_SESSIONS = 100;

/** Runs a crawl as an Actor.
 *  @param argv As the command line has it: what stands there wins over the Actor's input.
 *  @returns The exit code: on the platform 0 unless nothing at all was fetched; elsewhere as of `crawl`. */
export async function actorCommand(argv: readonly string[], run: ActorRun, surroundings: Surroundings): Promise<number> {
  const host = await openActor(run);
  const dir = host.home ? mkdtempSync(join(tmpdir(), 'surefoot-')) : join(host.storageDir, 'actor');
  try {
    if (!host.home && host.input === null) assertNoInput(join(storeOf(host.storageDir), 'INPUT.json'));
    const extras = readActorExtras(host.input);
    surroundings.redactor.learn((extras.initialCookies ?? []).flatMap(({ value }) => (typeof value === 'string' ? [value] : [])));
    const { settings, namedAmong } = await toSettings(argv, { host, extras, dir, version: surroundings.version });
    return await runCrawl(settings, { host, extras, run, surroundings, namedAmong });
  } catch (error) {
    // A bug's message may quote anything; a SurefootError has no secret in it.
    await host.say(
      surroundings.redactor.redact(error instanceof SurefootError ? error.message : `Failed: ${messageOf(error)}`),
      'ERROR',
    );
    await host.close(1);
    throw error;
  } finally {
    // On the platform all of it: what is to stay is in the platform's stores.
    rmSync(host.home ? dir : join(dir, COOKIES), { recursive: true, force: true });
  }
}

async function toSettings(
  argv: readonly string[],
  { host, extras, dir, version }: { host: ActorHost; extras: ActorExtras; dir: string; version: string },
): Promise<{ settings: Settings; namedAmong: NamedAmong }> {
  const cookies = extras.initialCookies?.length ? ['--cookies', writeCookies(dir, extras.initialCookies)] : [];
  const proxy = extras.proxyConfiguration && (await toProxy(host, extras.proxyConfiguration));
  const input = await loadInput([...argv, ...cookies], { actorInput: { ...(host.input as object | null), ...proxy } });
  if (input.kind !== 'settings') throw new SurefootError('input', 'An Actor has no --help and no --version.');
  const { startUrls, namedAmong, read } = await readLists(input.settings, host.input, version);
  for (const line of read) await host.say(line);
  const { settings } = input;
  return {
    settings: Object.freeze({ ...settings, startUrls: [...startUrls], storageDir: dir, ...wayOn(settings, host) }),
    namedAmong,
  };
}

/** Whether the run goes on with an earlier one. On the platform it always does: its stores are this run's alone. */
function wayOn({ storageDir, fresh, resume }: Settings, host: ActorHost): Pick<Settings, 'fresh' | 'resume'> {
  if (host.home) return { fresh: false, resume: true };
  if (storageDir !== fields.storageDir.default && resolve(storageDir) !== resolve(host.storageDir)) {
    throw new SurefootError(
      'input',
      `An Actor's run keeps to ${host.storageDir}, got ${storageDir} by --storage-dir or SUREFOOT_STORAGE_DIR. ` +
        'Leave that out, or name another folder by the variable CRAWLEE_STORAGE_DIR.',
    );
  }
  // Always asked: it leaves its marker.
  const emptied = isEmptied(host.storageDir);
  return { fresh: fresh || (emptied && !resume), resume };
}

/** The settings that the proxy editor's choice comes to. Where the input leaves the mode open, addresses rotate. */
async function toProxy(host: ActorHost, choice: Readonly<Record<string, unknown>>): Promise<object> {
  const { proxy: asked = 'none' } = (host.input ?? {}) as { proxy?: string };
  const mode = asked === 'none' ? 'rotating' : asked;
  const proxyUrls = await host.proxyUrls(choice, mode === 'sticky' ? PROXY_SESSIONS : 0);
  return proxyUrls ? { proxy: mode, proxyUrls } : {};
}

/** Whether the default stores were emptied since the last run here, which is how `apify run` asks for a new one. */
function isEmptied(storageDir: string): boolean {
  const store = storeOf(storageDir);
  const marker = join(store, MARKER);
  const emptied = !existsSync(marker);
  mkdirSync(store, { recursive: true });
  writeFileSync(marker, `${JSON.stringify({ state: join(storageDir, 'actor') })}\n`);
  return emptied;
}

/** Where INPUT and its like are. */
function storeOf(storageDir: string): string {
  return join(storageDir, 'key_value_stores', 'default');
}

/** Only this user can read the file. */
function writeCookies(dir: string, cookies: readonly object[]): string {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, COOKIES);
  writeFileSync(file, JSON.stringify(cookies), { mode: 0o600 });
  return file;
}

interface RunOptions {
  host: ActorHost;
  extras: ActorExtras;
  run: ActorRun;
  surroundings: Surroundings;
  namedAmong: NamedAmong;
}

async function runCrawl(settings: Settings, { host, extras, run, surroundings, namedAmong }: RunOptions): Promise<number> {
  const { redact } = surroundings.redactor;
  if (!host.home && extras.requestQueueName !== undefined) {
    await host.say(
      `The queue "${extras.requestQueueName}" is the platform's; here the pages are kept in ${settings.storageDir}.`,
    );
  }
  const storage = host.home ? await openHome(host.home, extras) : null;
  const company = await accompany({ host, run, redact, exitNow: surroundings.exitNow });
  let outcome: { text: string; level: 'INFO' | 'WARNING' | 'ERROR'; exitCode: number } | null = null;
  const actor: ActorSide = {
    storage,
    events: host.home?.events,
    wayOn: host.home ? 'Resurrect the run to go on.' : run.byCli ? '`apify run --resurrect` goes on.' : RUN_AGAIN,
    namedAmong,
    attach: company.attach,
    async publish({ client, meta, files }) {
      const rows = await countRows(client);
      outcome = toOutcome(meta, rows);
      await publish({ host, extras, client, meta, files, rows });
    },
  };
  try {
    const exitCode = await crawl(settings, { ...surroundings, actor });
    // Null: it was interrupted, or has stopped before its end.
    await company.leaving;
    const end = outcome as { text: string; level: 'INFO' | 'WARNING' | 'ERROR'; exitCode: number } | null;
    if (end) await host.say(redact(end.text), end.level);
    else if (exitCode === STOPPED) await host.say('Stopped before its end, see the log. Resurrect the run to go on.', 'WARNING');
    const code = host.home && end ? end.exitCode : exitCode;
    await host.close(code);
    return code;
  } finally {
    company.close();
  }
}

async function openHome(home: NonNullable<ActorHost['home']>, extras: ActorExtras): Promise<OpenStorage> {
  const { client, once, defaults, datasets } = home;
  const named = async (collection: { getOrCreate(name: string): Promise<{ id: string }> }, name: string | undefined) =>
    name === undefined ? undefined : (await collection.getOrCreate(name)).id;
  const chosen = {
    dataset: await named(client.datasets(), extras.datasetName),
    requestQueue: await named(client.requestQueues(), extras.requestQueueName),
  };
  return openCloudStorage({ client, once }, { defaults, chosen, datasets });
}

interface Results {
  host: ActorHost;
  extras: ActorExtras;
  client: OpenStorage['client'];
  meta: RunMeta;
  files: readonly string[];
  rows: number;
}

async function publish({ host, extras, client, meta, files, rows }: Results): Promise<void> {
  const { datasetName, keyValueStoreName } = extras;
  if (!host.home) {
    const runName = meta.startedAt.replaceAll(/[^\dTZ]/g, '');
    const output = { rows, ...meta };
    await writeLocalResults(client, { dir: host.storageDir, datasetName, keyValueStoreName, runName, files, output });
    return;
  }
  const { keyValueStore } = host.home.defaults;
  const exportsTo = keyValueStoreName ? (await client.keyValueStores().getOrCreate(keyValueStoreName)).id : keyValueStore;
  await uploadFiles(client, exportsTo, files);
  const stores = {
    rows: (await client.datasets().getOrCreate(DATASETS.items)).id,
    failed: (await client.datasets().getOrCreate(DATASETS.failed)).id,
    rejected: (await client.datasets().getOrCreate(DATASETS.rejected)).id,
    exports: exportsTo,
  };
  await writeOutput(client, keyValueStore, { rows, stores, ...redactData(meta, createRedactor([])) });
}
