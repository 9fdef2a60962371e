// What a response or an error means. The table that decides; fetch/outcome.ts acts on it.
import { saysBusy, saysTooFast } from './apology.ts';
import { blockPageOf } from './block-pages.ts';
import { outlineOf } from './outline.ts';
import type { Dom } from './page.ts';
import { mayBeShell, shellOf } from './shell.ts';
import { faultOfCode, TRANSPORT_FAULTS, TransportError } from './transport.ts';

/** - `ok`: hand it to the site's handler.
 *  - `missing`: the page is not there (404, 410); no retry, no row, no failure.
 *  - `skipped`: not a page that is wanted (see `SkipRule`); no failure either.
 *  - `early`: handed out before something was known that it needs (its host's Crawl-delay, whose rows are whose); no attempt.
 *  - `throttled`: too fast (429, 503 with Retry-After, a page that says no more than that).
 *  - `blocked`: refused (401, 403, 428, a challenge page with any status); another session or tier may do better.
 *  - `transient`: likely to work a little later: 408, 425, 5xx, timeouts, connections that broke, a handler that threw.
 *  - `needs-browser`: an application's shell; what it is about comes with its scripts.
 *  - `proxy`: the proxy refuses (407); fatal for the proxy, not for the page.
 *  - `fatal`: will not work however often it is tried: other 4xx, a certificate that is not valid, a wrong content type. */
export type Verdict =
  | 'ok'
  | 'missing'
  | 'skipped'
  | 'early'
  | 'throttled'
  | 'blocked'
  | 'transient'
  | 'needs-browser'
  | 'proxy'
  | 'fatal';

/** Why a page is skipped: robots.txt forbids it, a link that was to stay on its host has led away from it, or a page has led
 *  to a private net. */
export type SkipRule = 'robots' | 'redirect' | 'private-net';

/** A response that is not `ok`, as an error that carries its verdict through Crawlee to fetch/outcome.ts. */
export class VerdictError extends Error {
  override readonly name = 'VerdictError';
  readonly verdict: Exclude<Verdict, 'ok'>;
  /** HTTP status, if an answer came. */
  readonly status: number | null;
  /** The response's Retry-After, as it was sent. */
  readonly retryAfter: string | undefined;
  /** Of a page that is `skipped`: why. */
  readonly rule: SkipRule | undefined;

  constructor(
    verdict: Exclude<Verdict, 'ok'>,
    reason: string,
    response: { status?: number; retryAfter?: string | undefined; rule?: SkipRule } = {},
  ) {
    super(reason);
    this.verdict = verdict;
    this.status = response.status ?? null;
    this.retryAfter = response.retryAfter;
    this.rule = response.rule;
  }
}

/** A response as far as its verdict goes. */
export interface JudgedResponse {
  readonly status: number;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** After redirects. */
  readonly url: string;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** For people: `HTTP 503: a block page of Cloudflare`. */
  readonly reason: string;
}

/** What a response means, before the site's handler sees it. Never throws.
 *  @param html The body, decoded; '' if it was not read.
 *  @param $ The page, parsed; null for one that is not to be parsed: an error's page, or no HTML. */
export function judgeResponse(response: JudgedResponse, html: string, $: Dom | null): Judgement {
  return judgeText(response, html, $ === null ? null : () => $);
}

/** What becomes of a page's scripts: they may be run yet, they have been, or that has shown nothing more of pages as this. */
type Scripts = 'to-run' | 'ran' | 'in-vain';

/** As `judgeResponse()`, for a page that is parsed only if it has to be: most are told by their text alone.
 *  @param scripts Asked of a page that may be a shell. */
export function judgeText(
  response: JudgedResponse,
  html: string,
  parse: (() => Dom) | null,
  scripts: () => Scripts = () => 'to-run',
): Judgement {
  const { status, headers } = response;
  const said = verdictOfStatus(status, headers['retry-after'] !== undefined);
  const reason = `HTTP ${status}`;
  if (said === 'proxy') return { verdict: said, reason };
  const page = outlineOf(html);
  const blocker = blockPageOf(response, page);
  if (blocker !== null) return { verdict: 'blocked', reason: `${reason}: a block page of ${blocker}` };
  const noMore = `${reason}: the page says no more than "${page.text.slice(0, 80)}"`;
  if ((said === 'ok' || said === 'transient' || said === 'fatal') && saysTooFast(page, said !== 'ok')) {
    return { verdict: 'throttled', reason: noMore };
  }
  if (said === 'ok' && saysBusy(page)) return { verdict: 'transient', reason: noMore };
  if (said === 'ok' && parse !== null && mayBeShell(page)) {
    const shell = shellOf(parse(), page);
    const ran = shell !== null && scripts();
    if (ran === 'to-run' || (ran === 'in-vain' && shell !== 'unfilled')) {
      const what = "an application's shell, with nothing to read before its scripts have run";
      return { verdict: 'needs-browser', reason: `${reason}: ${what}` };
    }
    // What there is after that is the page, as long as there is anything: an application whose data did not come shows nothing.
    if (ran === 'ran' && shell !== 'unfilled') {
      const what = shell === 'blank' ? 'nothing to see' : `no more than "${page.text.slice(0, 80)}"`;
      return { verdict: 'transient', reason: `${reason}: ${what}, also after its scripts have run` };
    }
  }
  return { verdict: said, reason };
}

/** @param status HTTP status. @param hasRetryAfter Whether the response says when to come back. */
export function verdictOfStatus(status: number, hasRetryAfter: boolean): Verdict {
  if (status === 404 || status === 410) return 'missing';
  if (status === 429 || (status === 503 && hasRetryAfter)) return 'throttled';
  // 999 is LinkedIn's own; 428 asks for a condition that no page is asked with, and comes with Akamai's challenge.
  if (status === 401 || status === 403 || status === 428 || status === 999) return 'blocked';
  if (status === 407) return 'proxy';
  if (status === 408 || status === 425 || status >= 500) return 'transient';
  if (status >= 400) return 'fatal';
  return 'ok';
}

/** What an error that ended an attempt means. One that says nothing of itself is most often a connection that broke or a
 *  handler that threw: each deserves another try. */
export function verdictOfError(error: unknown): Exclude<Verdict, 'ok'> {
  if (error instanceof VerdictError) return error.verdict;
  if (error instanceof TransportError) return TRANSPORT_FAULTS[error.fault];
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fault = faultOfCode(code);
  if (fault !== null) return TRANSPORT_FAULTS[fault];
  const message = error instanceof Error ? error.message : '';
  // Crawlee's own words for a content type it does not parse, and for an encoding it does not know.
  if (/served Content-Type|unsupported charset/.test(message)) return 'fatal';
  return 'transient';
}

/** Whether a failed attempt tells nothing about the session it was made with. */
export function saysNothingOfSession(error: unknown): boolean {
  const verdict = verdictOfError(error);
  return verdict === 'missing' || verdict === 'skipped' || verdict === 'early' || verdict === 'needs-browser';
}
