// What has come as a page's document: HTML, text that Chromium puts a viewer around, or nothing to be read at all.
import type { Dom } from '../../core/page.ts';
import { judgeResponse, VerdictError, type JudgedResponse, type Verdict } from '../../core/verdict.ts';
import { kindOf as kindOfType } from '../media-type.ts';
import type { Activity } from './activity.ts';

type Headers = JudgedResponse['headers'];

/** As `judgeResponse()`. What a proxy asks for never gets as far as a page (exit.ts): a 407 is the target's own. */
export function judgeDocument(answer: JudgedResponse, html: string, $: Dom | null): { verdict: Verdict; reason: string } {
  if (answer.status !== 407) return judgeResponse(answer, html, $);
  return { verdict: 'blocked', reason: 'HTTP 407, and not from the proxy' };
}

/** What Chromium shows as a document, and what it shows as text; the HTTP lane parses the same types. */
export function kindOf(headers: Headers): 'html' | 'text' | 'other' {
  const kind = kindOfType(headers['content-type']);
  if (kind === 'xhtml') return 'html';
  return kind === 'xml' ? 'text' : kind;
}

/** Chromium shows an error of its own instead of some of these, and saves others to a file. */
export function isNoPage(status: number, headers: Headers): boolean {
  const saved = /^\s*attachment/i.test(String(headers['content-disposition'] ?? ''));
  return status >= 400 || status === 204 || status === 205 || saved || kindOf(headers) === 'other';
}

export function noPage(status: number, headers: Headers): VerdictError {
  const [type = ''] = String(headers['content-type'] ?? '').split(';', 1);
  const what = status === 204 || status === 205 ? `nothing (HTTP ${status})` : kindOf(headers) === 'other' ? type : 'a download';
  return new VerdictError('fatal', `It is ${what}, no page.`, { status });
}

/** @param url Where the page is now. */
export function toJudged({ answer }: Activity, url: string): JudgedResponse {
  return { status: answer?.status() ?? 200, headers: answer?.headers() ?? {}, url };
}

export function throwUnlessOk(
  { verdict, reason }: { verdict: Verdict; reason: string },
  { status, headers }: JudgedResponse,
): void {
  if (verdict === 'ok') return;
  throw new VerdictError(verdict, reason, { status, retryAfter: headers['retry-after']?.toString() });
}
