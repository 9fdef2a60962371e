// The proxy that a session's context is given: a port of this machine, for as long as the context is open, that adds the
// credentials and knows why the real one failed. Chromium would have every request of the page stopped to be asked for a
// password, waits for ever when it is wrong, and says ERR_TUNNEL_CONNECTION_FAILED for whatever else there is.
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callbackify } from 'node:util';

import { messageOf } from '../../core/errors.ts';
import { TransportError } from '../../core/transport.ts';
import { parseProxyUrl, type ProxyAddress } from '../clients/proxy-address.ts';
import { openTunnel, reachProxy, refusalOf } from '../clients/tunnel.ts';

export interface Exit {
  /** For the browser: `http://127.0.0.1:PORT`, or `socks5:`. */
  readonly server: string;
  /** Why the latest connection to this target failed; null if it has not. */
  faultOf(url: string): TransportError | null;
  /** Is told before each visit: cuts connections that the next page could not have opened itself. */
  turn(next: NextVisit): void;
  /** Cuts what is under way. */
  close(): Promise<void>;
}

export interface NextVisit {
  /** Of the page that is asked for. */
  readonly hostname: string;
  /** Where it is to leave by connections of its own: through this proxy. */
  readonly proxy: { readonly url: string; readonly name: string } | null;
}

/** @returns A promise where it matters who asks. */
type Admit = (hostname: string) => void | Promise<void>;

const CONNECT_MILLIS = 15_000;
const BAD_GATEWAY = 'HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Each connection of the browser gets one of its own at the proxy, and both end together: what rotates by connections
 *  rotates with the page, and the connections of one page are kept alive as it keeps them.
 *  @param proxyUrl http(s)://user:pass@host:port.
 *  @param name For messages, where the URL is the relay's.
 *  @param admit Throws for a host that must not be asked for. */
export async function openExit(proxyUrl: string, name: string, admit?: Admit): Promise<Exit> {
  let proxy: ProxyAddress = { ...parseProxyUrl(proxyUrl), name };
  /** Tunnels to hosts that not every page may reach. */
  const judged = new Map<Duplex, string>();
  const sockets = new Set<Socket>();
  const faults = new Map<string, TransportError>();
  const reach = () =>
    reachProxy(proxy, CONNECT_MILLIS, (socket) => {
      socket.on('error', () => {});
      keep(sockets, socket);
    });
  const judge = async (target: string, client?: Duplex) => {
    if (!admit || !URL.canParse(`http://${target}`)) return;
    const { hostname } = new URL(`http://${target}`);
    const admitted = admit(hostname);
    if (admitted && client) {
      judged.set(client, hostname);
      client.once('close', () => judged.delete(client));
    }
    await admitted;
  };
  const note = (target: string, error: unknown) => {
    const fault = error instanceof TransportError ? error : new TransportError('proxy-no-route', messageOf(error));
    faults.set(target, fault);
  };

  const server = createServer();
  server.on('connection', (socket: Socket) => keep(sockets, socket));
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const target = request.url ?? '';
    client.on('error', () => {});
    judge(target, client)
      .then(() => openWay(reach, proxy, target))
      .then((way) => join(client, way, head))
      .then(() => faults.delete(target))
      .catch((error: unknown) => {
        note(target, error);
        client.end(BAD_GATEWAY);
      });
  });
  const agents = new WeakMap<Socket, Agent>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const agent = agents.get(socket) ?? oneConnection(reach);
    if (!agents.has(socket)) socket.once('close', () => agent.destroy());
    agents.set(socket, agent);
    const target = targetOf(request.url ?? '');
    const answered = judge(target).then(() => forward(request, response, { proxy, agent }));
    answered.then(
      (refusal) => (refusal === null ? faults.delete(target) : note(target, refusal)),
      (error: unknown) => {
        note(target, error);
        if (response.headersSent) response.destroy();
        else response.writeHead(502, { connection: 'close' }).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    server: `http://127.0.0.1:${port}`,
    faultOf: (url) => faults.get(targetOf(url)) ?? null,
    turn({ hostname, proxy: next }) {
      for (const [socket, to] of judged) if (to !== hostname) socket.destroy();
      if (next === null) return;
      for (const socket of sockets) socket.destroy();
      faults.clear();
      proxy = { ...parseProxyUrl(next.url), name: next.name };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

async function openWay(reach: () => Promise<Socket>, proxy: ProxyAddress, target: string): Promise<Socket> {
  const way = await reach();
  await openTunnel(way, proxy, target, CONNECT_MILLIS);
  return way;
}

function join(client: Duplex, way: Socket, head: Buffer): void {
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (head.length > 0) way.write(head);
  client.pipe(way).pipe(client);
  client.once('close', () => way.destroy());
  way.once('close', () => client.destroy());
}

/** An agent with one connection, which is opened when the first request wants it. */
function oneConnection(reach: () => Promise<Socket>): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = (_options, callback) => {
    callbackify(reach)((error, socket) => callback?.(error, socket));
    return undefined;
  };
  return agent;
}

/** Sends a request for an http target on through the proxy.
 *  @returns What the proxy refused; null if the answer is the target's. */
function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { proxy, agent }: { proxy: ProxyAddress; agent: Agent },
): Promise<TransportError | null> {
  return new Promise((resolve, reject) => {
    const { 'proxy-connection': _hop, ...headers } = request.headers;
    const onward = httpRequest({
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      agent,
      setHost: false,
      headers: { ...headers, ...(proxy.authorization !== null && { 'proxy-authorization': proxy.authorization }) },
    });
    onward.once('error', reject);
    onward.once('response', (answer) => {
      const { statusCode = 502, statusMessage = '' } = answer;
      if (answer.headers['x-surefoot-relay'] === 'unreachable') {
        answer.resume();
        reject(new TransportError('proxy-unreachable', 'The proxy cannot be reached.'));
        return;
      }
      // Any other status may as well be the target's.
      const refusal = statusCode === 407 ? refusalOf(proxy, statusCode, statusMessage) : null;
      answer.once('error', reject);
      response.once('close', () => resolve(refusal));
      try {
        // A browser that is asked for a password asks its user, and there is none.
        response.writeHead(refusal === null ? statusCode : 502, refusal === null ? answer.rawHeaders : {});
        answer.pipe(response);
      } catch (error) {
        reject(error); // Headers that Node reads but does not write.
      }
    });
    request.pipe(onward);
    response.once('close', () => onward.destroy());
  });
}

/** As CONNECT names it: `shop.example:443`. */
export function targetOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`;
}
