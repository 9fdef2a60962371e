// Makes a folder and those above it. Node's own `recursive` goes round for ever where a file system says of a folder that is
// there that it is not (`/proc/x`), and takes no signal meanwhile.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** @throws {Error} Node's own, of the folder that could not be made. */
export function makeFolder(dir: string): void {
  const path = resolve(dir);
  const above = dirname(path);
  if (existsSync(path) && statSync(path).isDirectory()) return;
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error;
  }
}
