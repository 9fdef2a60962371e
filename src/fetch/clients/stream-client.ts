// A TierClient over any way to send one request: redirects, the time limit of the whole and the body's own limits are the
// same for all of them.
import type { RedirectHandler, StreamingHttpResponse } from '@crawlee/core';

import { openBody } from './body.ts';
import { nameFault, requestTimeout, type Limits, type Phase } from './faults.ts';
import type { Lines } from './lines.ts';
import type { Reach } from './reach.ts';
import { follow, type Outgoing } from './redirects.ts';
import type { RoutedRequest, TierClient } from './tier-client.ts';
import { wholeAnswer } from './whole-answer.ts';

export interface StreamClientOptions {
  readonly limits: Limits;
  readonly lines: Lines;
  /** @default anywhere */
  readonly reach?: Reach | undefined;
}

/** `stream()` resolves with the headers. Its body must be read to the end or destroyed: until then it holds a connection, at
 *  most until the request's timeout. */
export function createStreamClient({ limits, lines, reach }: StreamClientOptions): TierClient {
  const { maxBodyBytes: maxBytes, requestTimeoutMillis } = limits;

  const stream = async (request: RoutedRequest, onRedirect?: RedirectHandler): Promise<StreamingHttpResponse> => {
    const asked = new URL(request.url);
    const proxied = request.proxyUrl !== undefined;
    const { line, leave } = lines.take(request);
    const deadline = startDeadline(requestTimeoutMillis, request.signal);
    const toError = (error: unknown, phase: Phase) =>
      deadline.passed ? requestTimeout(requestTimeoutMillis) : nameFault(error, phase, limits);
    try {
      const send = async (outgoing: Outgoing, page: URL | undefined) => {
        const admitted = reach?.admit(outgoing.url.hostname, { from: page?.href ?? request.from ?? null, proxied });
        if (admitted) await admitted;
        return line.send(outgoing, deadline.signal, request.onSent);
      };
      const followed = await follow(send, request, onRedirect);
      const { answer, headers, url, redirectUrls } = followed;
      const { checkEnd } = answer;
      const { beginningOnly } = request;
      const body = openBody(answer.body, headers, {
        maxBytes,
        beginningOnly,
        checkEnd,
        toError: (error) => toError(error, 'reading'),
      });
      body.once('close', () => {
        deadline.clear();
        line.report(asked.host);
        for (const { host } of redirectUrls) line.report(host);
        leave();
      });
      const progress = { percent: 0, transferred: 0 };
      return {
        stream: body,
        statusCode: answer.statusCode,
        statusMessage: answer.statusText,
        headers,
        trailers: answer.trailers,
        url: addressOf(url, asked),
        redirectUrls,
        complete: true,
        request,
        downloadProgress: progress,
        uploadProgress: progress,
      };
    } catch (error) {
      deadline.clear();
      line.report(asked.host);
      leave();
      throw toError(error, 'sending');
    }
  };

  return {
    stream,
    sendRequest: async (request) => wholeAnswer(request, await stream(request as RoutedRequest)),
    close: lines.close,
  };
}

/** Where an answer is from, without a name and a password that only a redirect has told: the address is stored with the
 *  request, and what a handler makes of it is exported. */
function addressOf({ href, username, password }: URL, asked: URL): string {
  if (username === asked.username && password === asked.password) return href;
  const address = new URL(href);
  address.username = '';
  address.password = '';
  return address.href;
}

/** The time limit of the whole request, and the caller's own signal, as one signal. */
function startDeadline(millis: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  const deadline = {
    signal: controller.signal,
    passed: false,
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
  const timer = setTimeout(() => {
    deadline.passed = true;
    deadline.clear();
    controller.abort();
  }, millis);
  if (outer?.aborted) abort();
  else outer?.addEventListener('abort', abort, { once: true });
  return deadline;
}
