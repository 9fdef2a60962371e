// Says in one sentence that this Node is too old. main.ts loads it before all else: what an old Node makes of the
// rest is nothing that a person could read.

/** Of package.json's `engines`. */
const LEAST = [20, 19] as const;

/** @param version As `process.versions.node`.
 *  @returns What to tell; null: it is new enough. */
export function whyTooOld(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return `Surefoot needs Node.js ${LEAST.join('.')} or newer, and this is ${version}. Install a newer one: https://nodejs.org`;
}

const why = whyTooOld(process.versions.node);
if (why !== null) {
  process.stderr.write(`[setup] ${why}\n`);
  process.exit(1);
}
