// The listening end of SOCKS 5, as much of it as is needed here: CONNECT, with a user and a password for impit (loopback.ts),
// and without for Chromium (browser/direct-exit.ts).
// https://www.rfc-editor.org/rfc/rfc1928 and https://www.rfc-editor.org/rfc/rfc1929
import { once } from 'node:events';
import { isIPv6, type Socket } from 'node:net';

export interface SocksRequest {
  /** The user name that was given; '' without one. */
  readonly user: string;
  /** A name or an address; an IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
}

const VERSION = 5;
const BY_NOTHING = 0;
const BY_PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;

/** Reads a request up to the point where it wants its answer: `socksReply()`.
 *  @param open Whether it is taken from anyone, without user and password. @default false
 *  @returns Null for what is no SOCKS 5 of that kind, or asks for something else than a connection. */
export async function readSocksRequest(socket: Socket, open = false): Promise<SocksRequest | null> {
  const method = open ? BY_NOTHING : BY_PASSWORD;
  const [version, methods = 0] = await read(socket, 2);
  const offered = await read(socket, methods);
  if (version !== VERSION || !offered.includes(method)) {
    socket.end(Buffer.from([VERSION, NO_METHOD]));
    return null;
  }
  socket.write(Buffer.from([VERSION, method]));
  const user = open ? '' : await readUser(socket);

  const [, command, , kind] = await read(socket, 4);
  const hostname = await readHostname(socket, kind);
  const port = (await read(socket, 2)).readUInt16BE();
  return command === CONNECT && hostname !== null ? { user, hostname, port } : null;
}

async function readUser(socket: Socket): Promise<string> {
  const [, userLength = 0] = await read(socket, 2);
  const user = (await read(socket, userLength)).toString();
  const [passwordLength = 0] = await read(socket, 1);
  await read(socket, passwordLength);
  socket.write(Buffer.from([1, 0]));
  return user;
}

/** @param connected False: "connection refused", whatever the reason. */
export function socksReply(connected: boolean): Buffer {
  return Buffer.from([VERSION, connected ? 0 : 5, 0, 1, 0, 0, 0, 0, 0, 0]);
}

async function readHostname(socket: Socket, kind: number | undefined): Promise<string | null> {
  if (kind === 1) return (await read(socket, 4)).join('.');
  if (kind === 4) {
    const groups = (await read(socket, 16)).toString('hex').match(/.{4}/g);
    return groups && groups.join(':');
  }
  if (kind !== 3) return null;
  const [length = 0] = await read(socket, 1);
  const name = (await read(socket, length)).toString();
  // impit sends an IPv6 address as a name, with the brackets that it has in a URL.
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return isIPv6(address) ? address : name;
}

/** Exactly so many bytes, and nothing of what follows them. */
async function read(socket: Socket, bytes: number): Promise<Buffer> {
  if (bytes === 0) return Buffer.alloc(0);
  for (;;) {
    const chunk: Buffer | null = socket.read(bytes);
    if (chunk?.length === bytes) return chunk;
    if (chunk || socket.readableEnded || socket.destroyed) throw new Error('The connection ended inside its own introduction.');
    await once(socket, 'readable');
  }
}
