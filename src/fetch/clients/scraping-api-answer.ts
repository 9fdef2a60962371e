// What the Web Scraping API's answer means: the page, or which failure, and whose. Decides; scraping-api.ts calls.
import type { HttpResponse } from '@crawlee/core';
import { z } from 'zod';

import { messageOf } from '../../core/errors.ts';
import { TransportError, type TransportFault } from '../../core/transport.ts';
import { VerdictError, type Verdict } from '../../core/verdict.ts';

/** The target's answer, as the API tells it. */
export interface ScrapedPage {
  readonly status: number;
  readonly content: string;
  /** Names in lower case; none of the body's framing and encoding, which is undone by now. */
  readonly headers: Record<string, string>;
  /** Null, if the API names none. */
  readonly url: string | null;
}

const ANSWER = z.object({
  results: z
    .array(
      z.object({
        content: z.unknown(),
        status_code: z.number(),
        url: z.string().nullish(),
        headers: z.record(z.string(), z.unknown()).nullish().catch(null),
      }),
    )
    .optional()
    .catch(undefined),
  status: z.string().optional().catch(undefined),
  status_code: z.number().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});

/** The API's own codes, for a page that it gave up, begin here; a target's end before. */
export const FIRST_OWN_CODE = 600;
/** HTTP 402: the plan is used up. */
const CREDENTIALS = new Set([401, 402, 403]);
const MAX_MESSAGE = 200;
const OF_THE_BODY = new Set(['content-encoding', 'content-length', 'content-type', 'transfer-encoding', 'set-cookie']);

/** @param secrets What the API may quote and no message may show.
 *  @throws {TransportError} `proxy-refused`: token or plan. @throws {VerdictError} Any other failure. */
export function readResult(response: HttpResponse<'text'>, secrets: readonly string[]): ScrapedPage {
  const { statusCode, headers } = response;
  const parsed = parse(response.body);
  const [result] = parsed?.results ?? [];
  const said = withoutSecrets(parsed?.message ?? '', secrets)
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_MESSAGE);
  const tail = said === '' ? '' : `: ${said}`;
  if (result === undefined && CREDENTIALS.has(statusCode)) {
    throw new TransportError(
      'proxy-refused',
      `The Web Scraping API refuses the token (HTTP ${statusCode})${tail}. Check DECODO_API_TOKEN, that it fits --api-plan, and that the plan is not used up.`,
    );
  }
  // A failure comes as HTTP 200 too, with the status inside, where a result may have one as well.
  const status = result?.status_code ?? (statusCode === 200 ? (parsed?.status_code ?? 200) : statusCode);
  if (result === undefined || status >= FIRST_OWN_CODE) {
    const [verdict, what] = verdictOf(status);
    const retryAfter = headers['retry-after']?.toString();
    throw new VerdictError(verdict, `The Web Scraping API ${what} (${status})${tail}`, { status, retryAfter });
  }
  if (typeof result.content !== 'string') {
    throw new VerdictError('fatal', 'The Web Scraping API gives something other than text for this page.', { status });
  }
  const url = result.url && /^https?:/.test(result.url) && URL.canParse(result.url) ? result.url : null;
  return { status, content: result.content, headers: toHeaders(result.headers ?? {}), url };
}

function verdictOf(status: number): [Exclude<Verdict, 'ok'>, string] {
  // 613: it has tried several times by then. Another session is another address, which is what may help.
  if (status === 613 || CREDENTIALS.has(status)) return ['blocked', 'could not get the page'];
  if (status === 429) return ['throttled', 'is asked too often'];
  if (status >= 300 && status < 500 && status !== 408) return ['fatal', 'does not take this request'];
  return ['transient', status < 300 ? 'gave no result' : 'failed'];
}

/** Faults of the way to the API say nothing of the page. One that may pass within a page's tries is not among them. */
const UNREACHABLE: ReadonlySet<TransportFault> = new Set([
  'connect-timeout',
  'refused',
  'dns',
  'tls',
  'bad-answer',
  'bad-redirect',
]);

/** What ended a call, in the tier's words. */
export function nameApiFault(error: unknown, host: string): unknown {
  if (!(error instanceof TransportError) || !UNREACHABLE.has(error.fault)) return error;
  const message = `The Web Scraping API at ${host} cannot be reached: ${messageOf(error)}`;
  return new TransportError('proxy-unreachable', message, { cause: error });
}

function parse(text: string): z.output<typeof ANSWER> | undefined {
  try {
    return ANSWER.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function toHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && !OF_THE_BODY.has(entry[0])),
  );
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}
