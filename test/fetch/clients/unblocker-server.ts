// A server on this machine that speaks the Site Unblocker's protocol: a proxy with a password that opens every tunnel, signs
// https itself, reads X-SU-* headers inside, and answers in the target's place. What it says is in the page's path.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createSecureContext, TLSSocket } from 'node:tls';
import { promisify } from 'node:util';

export const CREDENTIALS = { user: 'U0001', pass: 'p@ss:w/rd canary' };

/** A page that was asked for. */
export interface Asked {
  /** As the client named it to the proxy, or in the request itself. */
  readonly target: string;
  readonly secure: boolean;
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The address it was fetched from: one for a session, a new one without. */
  readonly exit: string;
}

export interface UnblockerServer {
  readonly port: number;
  readonly asked: Asked[];
  /** Tunnels that were opened, and refused. */
  readonly tunnels: { opened: number; refused: number };
  /** What a wrong password is told, where 407 is not what it is told. */
  refuseWith: number;
  close(): Promise<void>;
}

const MARKS = 'x-su-';
const HEADLESS = new Set([undefined, 'html', 'png']);
/** Its own, for the request of a client; none of them reaches the target. */
const TAKEN = new Set(['host', 'connection', 'cache-control']);

export async function startUnblocker(): Promise<UnblockerServer> {
  const asked: Asked[] = [];
  const tunnels = { opened: 0, refused: 0 };
  const exits = new Map<string, string>();
  const sockets = new Set<Socket>();
  const targets = new WeakMap<Socket, { target: string; secure: boolean }>();
  const secureContext = createSecureContext(selfSigned());

  const exitOf = (session: string | undefined) => {
    const known = session === undefined ? undefined : exits.get(session);
    const exit = known ?? `10.0.0.${exits.size + asked.length + 1}`;
    if (session !== undefined) exits.set(session, exit);
    return exit;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { target, secure } = targets.get(request.socket) ?? { target: new URL(request.url ?? '').host, secure: false };
    const headers = request.headers;
    const { pathname } = new URL(request.url ?? '/', `http://${target}`);
    const exit = exitOf(headers['x-su-session-id']?.toString());
    const body = await text(request);
    asked.push({ target, secure, path: pathname, method: request.method ?? '', headers, body, exit });
    if (!HEADLESS.has(headers['x-su-headless']?.toString())) {
      response.writeHead(400).end('X-SU-Headless is html or png');
      return;
    }
    answerAs(pathname, response, { exit, headers: toTarget(headers) });
  };

  const server = createServer((request, response) => {
    // In the open (http, and no tunnel) the password comes with the request itself.
    if (!targets.has(request.socket) && !isAuthorized(request)) {
      tunnels.refused += 1;
      response.writeHead(running.refuseWith, { 'proxy-authenticate': 'Basic realm="unblocker"' }).end('Who is there?');
      return;
    }
    void answer(request, response);
  });
  server.on('connection', (socket) => track(sockets, socket));
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    track(sockets, socket);
    if (!isAuthorized(request)) {
      tunnels.refused += 1;
      socket.end(
        `HTTP/1.1 ${running.refuseWith} Refused\r\nproxy-authenticate: Basic realm="unblocker"\r\ncontent-length: 0\r\n\r\n`,
      );
      return;
    }
    tunnels.opened += 1;
    const target = request.url ?? '';
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      const secure = first[0] === TLS_HANDSHAKE;
      const inner = secure ? new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] }) : socket;
      inner.on('error', () => {});
      targets.set(inner, { target, secure });
      server.emit('connection', inner);
      if (!secure) socket.resume();
    });
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const running: UnblockerServer = {
    port: (server.address() as AddressInfo).port,
    asked,
    tunnels,
    refuseWith: 407,
    async close() {
      for (const socket of sockets) socket.destroy();
      await promisify(server.close.bind(server))();
    },
  };
  return running;
}

const TLS_HANDSHAKE = 0x16;

function answerAs(path: string, response: ServerResponse, seen: { exit: string; headers: OutgoingHttpHeaders }): void {
  const [, kind, detail] = path.split('/');
  const html = { 'content-type': 'text/html; charset=utf-8' };
  switch (kind) {
    case 'hang':
      return;
    case 'large':
      response.writeHead(200, html).end('x'.repeat(Number(detail)));
      return;
    case 'status':
      response
        .writeHead(Number(detail), { ...html, ...(detail === '429' && { 'retry-after': '9' }) })
        .end(`<title>${detail}</title>`);
      return;
    case 'redirect':
      response.writeHead(302, { location: 'https://elsewhere.example/echo', 'set-cookie': 'step=1' }).end();
      return;
    default:
      // What the target would see.
      response.writeHead(200, { ...html, 'set-cookie': 'seen=1; Path=/' }).end(JSON.stringify(seen));
  }
}

/** The headers as the target gets them: X-SU-Custom-Name as Name. */
function toTarget(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const custom = `${MARKS}custom-`;
  const passed = Object.entries(headers).filter(([name]) => !name.startsWith(MARKS) && !TAKEN.has(name));
  const renamed = Object.entries(headers).filter(([name]) => name.startsWith(custom));
  return Object.fromEntries([...passed, ...renamed.map(([name, value]) => [name.slice(custom.length), value])]);
}

function isAuthorized({ headers }: IncomingMessage): boolean {
  const expected = Buffer.from(`${CREDENTIALS.user}:${CREDENTIALS.pass}`).toString('base64');
  return headers['proxy-authorization'] === `Basic ${expected}`;
}

function selfSigned(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'surefoot-unblocker-'));
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=unblocker', ...files], { stdio: 'ignore' });
  const made = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
  rmSync(folder, { recursive: true });
  return made;
}

function track(sockets: Set<Socket>, socket: Socket): void {
  if (sockets.has(socket)) return;
  sockets.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => sockets.delete(socket));
}
