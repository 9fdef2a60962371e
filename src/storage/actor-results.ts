// Puts a finished run's results where Apify's users look: files and OUTPUT in a key-value store, and on somebody's own
// machine the rows in storage/datasets/ as well (on the platform they are in the dataset already).
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { StorageClient } from '@crawlee/types';

import { DATASETS } from '../core/run-store.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const TYPES: Readonly<Record<string, string>> = {
  json: JSON_TYPE,
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

/** The record of an export file: `export.csv`, `failed.json`. The same for every run, so that schemas can name it. */
export function toRecordKey(file: string): string {
  const [, part = 'export', extension = ''] = /(?:-(failed|report))?\.([a-z]+)$/.exec(basename(file)) ?? [];
  return `${part}.${extension}`;
}

/** Uploads files as records.
 *  @param store The key-value store's id. */
export async function uploadFiles(client: StorageClient, store: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const key = toRecordKey(file);
    const contentType = TYPES[key.split('.')[1] ?? ''] ?? 'application/octet-stream';
    await client.keyValueStore(store).setRecord({ key, value: createReadStream(file), contentType });
  }
}

export async function writeOutput(client: StorageClient, store: string, output: object): Promise<void> {
  await client.keyValueStore(store).setRecord({ key: 'OUTPUT', value: JSON.stringify(output), contentType: JSON_TYPE });
}

export interface LocalResults {
  /** The folder of `apify run`: `storage`. */
  dir: string;
  /** The dataset's name. @default default */
  datasetName?: string | undefined;
  /** The key-value store's name. @default default */
  keyValueStoreName?: string | undefined;
  /** Names the run among those that wrote to a dataset with a name. */
  runName: string;
  files: readonly string[];
  output: object;
}

/** Writes what a run has found as Crawlee's own storage would have: datasets a file a row. Done again after a kill, it
 *  leaves the same. */
export async function writeLocalResults(client: StorageClient, results: LocalResults): Promise<void> {
  const { dir, datasetName, keyValueStoreName, runName, files, output } = results;
  await writeRows(client, DATASETS.items, join(dir, 'datasets', datasetName ?? 'default'), datasetName ? `${runName}-` : '');
  for (const dataset of [DATASETS.failed, DATASETS.rejected])
    await writeRows(client, dataset, join(dir, 'datasets', dataset), '');
  const store = join(dir, 'key_value_stores', keyValueStoreName ?? 'default');
  await mkdir(store, { recursive: true });
  for (const file of files) await copyFile(file, join(store, toRecordKey(file)));
  await writeFile(join(dir, 'key_value_stores', 'default', 'OUTPUT.json'), `${JSON.stringify(output, null, 2)}\n`);
}

/** @param prefix Begins the names of this run's files; the others' stay. */
async function writeRows(client: StorageClient, dataset: string, dir: string, prefix: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const mine = (name: string) => name.startsWith(prefix) && /^\d{9}\.json$/.test(name.slice(prefix.length));
  for (const name of (await readdir(dir)).filter(mine)) await rm(join(dir, name));
  const { id } = await client.datasets().getOrCreate(dataset);
  let number = 0;
  for await (const row of client.dataset(id).listItems()) {
    number++;
    await writeFile(join(dir, `${prefix}${String(number).padStart(9, '0')}.json`), JSON.stringify(row, null, 4));
  }
}
