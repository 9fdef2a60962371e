// Which ES modules a process has loaded since this one was: a hook of Node's loader says so, from the loader's own thread.
import { register } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

const HOOK = `
let port;
export const initialize = (data) => { port = data.port; };
export const resolve = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  port.postMessage(resolved.url);
  return resolved;
};
`;

const { port1, port2 } = new MessageChannel();
const urls: string[] = [];
port1.on('message', (url: string) => urls.push(url));
port1.unref();
register<{ port: MessagePort }>(`data:text/javascript,${encodeURIComponent(HOOK)}`, {
  data: { port: port2 },
  transferList: [port2],
});

/** All so far. */
export async function loadedModules(): Promise<readonly string[]> {
  await setTimeout(200); // What the loader's thread has posted is on its way.
  return [...urls];
}
