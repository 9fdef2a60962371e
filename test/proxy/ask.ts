// Requests through a proxy without any client of ours: what it answers, to the byte.
import http from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface AskOptions {
  method?: string;
  body?: string;
  /** Keeps connections. @default each request has its own */
  agent?: http.Agent;
}

/** By an absolute URL, as clients ask a proxy for http. */
export function ask(proxyUrl: string, url: string, { method = 'GET', body, agent }: AskOptions = {}): Promise<Answer> {
  const { hostname, port } = new URL(proxyUrl);
  const headers = { host: new URL(url).host, 'proxy-authorization': authorizationOf(proxyUrl) };
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path: url, method, headers, agent: agent ?? false }, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        (error: unknown) => reject(error as Error),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Opens a tunnel. @returns The socket if the answer is 200; `tunnel` is destroyed otherwise. */
export async function openTunnel(proxyUrl: string, target: string): Promise<Omit<Answer, 'body'> & { tunnel: Socket }> {
  const { hostname, port } = new URL(proxyUrl);
  const headers = { 'proxy-authorization': authorizationOf(proxyUrl) };
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method: 'CONNECT', path: target, headers, agent: false });
    request.on('error', reject);
    request.on('connect', ({ statusCode: status = 0, headers }, tunnel: Socket, head: Buffer) => {
      tunnel.unshift(head);
      if (status !== 200) tunnel.destroy();
      resolve({ status, headers, tunnel });
    });
    request.end();
  });
}

/** An https page through a tunnel. */
export async function askByTunnel(proxyUrl: string, url: string, ca: Buffer): Promise<Answer> {
  const { hostname, port, host } = new URL(url);
  const { tunnel } = await openTunnel(proxyUrl, `${hostname}:${port || 443}`);
  const secure = connectTls({ socket: tunnel, servername: hostname, ca });
  return new Promise((resolve, reject) => {
    const options = { createConnection: () => secure, path: new URL(url).pathname, headers: { host, connection: 'close' } };
    http
      .get(options, (response) => {
        text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          (error: unknown) => reject(error as Error),
        );
      })
      .on('error', reject);
  });
}

/** A bare connection. */
export function dial(proxyUrl: string, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const { hostname, port } = new URL(proxyUrl);
  const socket = connectTcp({ host: hostname, port: Number(port), ...options });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

export function authorizationOf(proxyUrl: string): string {
  const { username, password } = new URL(proxyUrl);
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
}
