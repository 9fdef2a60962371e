// The `demo-site` command: serves the bundled demo site until interrupted.
import { once } from 'node:events';

import { startDemoSite } from '../demo/server.ts';
import type { Settings } from '../input/schema.ts';

/** @returns The exit code: 0, for being stopped is how it ends. */
export async function demoSiteCommand({ port }: Settings, { print }: { print(text: string): void }): Promise<number> {
  const site = await startDemoSite({ port, ladder: true });
  print(`The demo site is at ${site.url}. Ctrl+C ends it.`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await site.close();
  return 0;
}
