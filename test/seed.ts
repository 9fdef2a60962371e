// Random moments that can be had again: a test prints its seed, and SUREFOOT_SEED repeats it.
import { createHash, randomInt } from 'node:crypto';

/** Numbers in [0, 1), as of Math.random(). @param name Printed with the seed. */
export function seededRandom(name: string): () => number {
  const seed = process.env['SUREFOOT_SEED'] ?? String(randomInt(2 ** 31));
  process.stdout.write(`${name}: SUREFOOT_SEED=${seed}\n`);
  let count = 0;
  return () => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32BE() / 2 ** 32;
}
