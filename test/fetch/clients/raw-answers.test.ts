// Answers that are not as they should be are read as Chromium reads them, or their pages climb to it.
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PAGE, RAW_ANSWERS, type RawAnswer } from './raw-answers.ts';
import { faultOf, get, open } from './setup.ts';

const ALL = Object.values(RAW_ANSWERS).flat();
const sockets = new Set<Socket>();
/** Answers `/N` with the Nth. */
const server = createServer((socket) => {
  sockets.add(socket.on('error', () => {}));
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    for (const [, nth] of received.matchAll(/ \/(\d+) [^]*?\r\n\r\n/g)) {
      const { bytes, ends } = ALL[Number(nth)] as RawAnswer;
      if (ends) socket.end(bytes);
      else socket.write(bytes);
    }
    received = '';
  });
});
let origin = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

describe.each(Object.entries(RAW_ANSWERS))('an odd %s', (_, answers) => {
  it.each(answers.map((answer) => ({ ...answer, expected: answer.ours ?? (answer.shown ? 'page' : 'bad-answer') })))(
    '$name: $expected',
    async (answer) => {
      const client = open({ idleTimeoutMillis: 5_000 });
      const url = `${origin}/${ALL.findIndex(({ bytes }) => bytes === answer.bytes)}`;
      if (answer.expected === 'page') expect(await get(url, client)).toBe(PAGE);
      else expect((await faultOf(get(url, client))).fault).toBe(answer.expected);
    },
  );
});

it('what Chromium shows is shown, or climbs to it; only half a page is neither', () => {
  const lost = ALL.filter(({ shown, ours = 'page' }) => shown && ours !== 'page' && ours !== 'bad-answer');
  expect(lost.map(({ name }) => name)).toEqual(['gzip cut in its data']);
});

it('a connection is kept behind answers that are in order, and behind no other', async () => {
  const client = open({});
  const before = sockets.size;
  for (const _ of [1, 2, 3]) await get(`${origin}/0`, client);
  expect(sockets.size - before).toBe(1);
  const odd = ALL.findIndex(({ name }) => name === 'with line feeds alone');
  for (const _ of [1, 2, 3]) await get(`${origin}/${odd}`, client);
  expect(sockets.size - before).toBe(3);
});
