// Signals, sent for real to a process of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { describe, expect, it, onTestFinished } from 'vitest';

import { listenForSignals } from '../../src/platform/signals.ts';

const SIGNALS = fileURLToPath(new URL('../../src/platform/signals.ts', import.meta.url));

/** Says what arrives; the second one ends it. */
const LISTENER = `
  const { listenForSignals } = await import(process.env.SIGNALS);
  const listening = listenForSignals(
    ({ signal, exitCode }) => console.log('first ' + signal + ' ' + exitCode),
    ({ signal, exitCode }) => { console.log('second ' + signal + ' ' + exitCode); process.exit(exitCode); },
  );
  process.on('SIGUSR2', () => { listening.stop(); console.log('stopped'); });
  setInterval(() => {}, 1_000);
  console.log('listening');
`;

async function startListener() {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', LISTENER], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, SIGNALS },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  const next = async () => (await lines.next()).value as string;
  expect(await next()).toBe('listening');
  return { next, exit, send: (signal: NodeJS.Signals) => child.kill(signal) };
}

describe('listenForSignals', () => {
  it.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGHUP', 'SIGINT', 130],
    ['SIGINT', 'SIGHUP', 129],
  ] as const)('%s asks to end, and %s then ends at once with %i', async (first, second, exitCode) => {
    const { next, exit, send } = await startListener();
    send(first);
    expect(await next()).toBe(`first ${first} ${{ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[first]}`);
    send(second);
    expect(await next()).toBe(`second ${second} ${exitCode}`);
    expect(await exit).toEqual([exitCode, null]);
  });

  it('takes the SIGHUPs of a terminal that closes for one: its shell sends one, and the kernel another', async () => {
    const { next, exit, send } = await startListener();
    send('SIGHUP');
    expect(await next()).toBe('first SIGHUP 129');
    send('SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    send('SIGHUP');
    expect(await next()).toBe('second SIGHUP 129');
    expect(await exit).toEqual([129, null]);
  });

  it('stops listening: a signal then ends the process as ever', async () => {
    const { next, exit, send } = await startListener();
    send('SIGUSR2');
    expect(await next()).toBe('stopped');
    send('SIGTERM');
    expect(await exit).toEqual([null, 'SIGTERM']);
  });

  it('leaves no listener behind, and no other listener is taken away', () => {
    const mine = () => {};
    process.on('SIGINT', mine);
    const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
    const { stop } = listenForSignals(mine, mine);
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before.map((count) => count + 1));
    stop();
    stop();
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
    process.off('SIGINT', mine);
  });

  it('keeps out who comes later, as Crawlee does, until it stops', async () => {
    const late = () => {};
    const before = process.listeners('SIGINT');
    const { stop } = listenForSignals(late, late);
    process.once('SIGINT', late);
    await Promise.resolve();
    expect(process.listenerCount('SIGINT')).toBe(before.length + 1);
    stop();
    process.once('SIGINT', late);
    await Promise.resolve();
    expect(process.listeners('SIGINT')).toEqual([...before, late]);
    process.off('SIGINT', late);
  });
});

it('leaveSignalsToParent: no signal that a terminal or a supervisor sends to all ends the process, whoever listens for it', async () => {
  const script = `
    const { leaveSignalsToParent } = await import(process.env.SIGNALS);
    leaveSignalsToParent();
    process.once('SIGINT', () => { console.log('heard'); process.exit(1); });
    process.on('message', () => {});
    setTimeout(() => console.log('ready'), 10);
    process.on('disconnect', () => { console.log('end'); process.exit(7); });
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, SIGNALS },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  expect((await lines.next()).value).toBe('ready');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2', 'SIGHUP', 'SIGINT'] as const) child.kill(signal);
  child.disconnect();
  expect((await lines.next()).value).toBe('end');
  expect(await exit).toEqual([7, null]);
});
