// One visit to one page in a real browser: opens it, judges what comes, waits until it is what it is to be, and reads it.
import { setTimeout } from 'node:timers/promises';

import type { Page as BrowserPage } from 'playwright';

import { blockPageOf } from '../../core/block-pages.ts';
import { outlineOf } from '../../core/outline.ts';
import type { Dom, Page } from '../../core/page.ts';
import type { BrowserRules, BrowserView } from '../../core/site.ts';
import { shellOf } from '../../core/shell.ts';
import type { TransportError } from '../../core/transport.ts';
import { VerdictError, type JudgedResponse } from '../../core/verdict.ts';
import { decode, encodingOf } from '../decode.ts';
import { parse } from '../document.ts';
import type { Activity } from './activity.ts';
import { isNoPage, judgeDocument, kindOf, noPage, throwUnlessOk, toJudged } from './document.ts';
import { isTimeout, nameBrowserError } from './net-errors.ts';
import { startPatience } from './patience.ts';
import { createView } from './view.ts';
import { isBetween } from './apart.ts';
import { readContent } from './content.ts';
import { untilQuiet, type Rests } from './rest.ts';
import type { Tab } from './tab.ts';
import { inTime, isReached, loaded, NAVIGATION_MILLIS, SECOND, startTime, tooLate } from './waits.ts';

/** For what a site's `waitFor` names. */
const WAIT_FOR_MILLIS = 30 * SECOND;
/** For scripts to fill a page, where the site names nothing. */
const FILL_MILLIS = 5 * SECOND;
const STEP_MILLIS = 200;
const LOOK_MILLIS = 10;
/** A page may send its reader on, but not for ever. */
const MAX_ROUNDS = 5;
/** How a proxy that cannot reach a target says so where there is no tunnel. */
const BAD_GATEWAY = 502;
/** As much of an error's page as the HTTP lane reads. */
const MAX_JUDGED_LENGTH = 256 * 1024;

export interface VisitOptions {
  readonly url: string;
  readonly referer: string | undefined;
  /** How long pages of this one's host and label are waited for. */
  readonly rests: Rests;
  readonly restKey: string;
  readonly waitFor: NonNullable<BrowserRules['waitFor']>[string];
  readonly prepare: ((view: BrowserView) => Promise<void>) | undefined;
  /** Says that the answer has begun to arrive. */
  onArrived(): void;
  /** Why an address was not reached; null if it was. */
  faultOf(url: string): TransportError | null;
  /** Where a page sends its reader that has been read; null for one that is to be handled. */
  next(seen: Visit): Promise<string | null>;
  /** Closes what asks for consent; only pages that are used need it. */
  closeBanners(): Promise<void>;
}

export interface Visit {
  readonly html: string;
  /** What the page was decoded from, by its name in the Encoding standard. */
  readonly encoding: string;
  readonly $: Dom;
  readonly response: Pick<Page['response'], 'status' | 'headers'>;
}

/** @throws {VerdictError | TransportError} A page that is none, and a browser that crashed; what `prepare` throws. */
export async function visit(tab: Tab, options: VisitOptions): Promise<Visit> {
  try {
    return await Promise.race([openAndRead(tab, options), tab.activity.crashed]);
  } catch (error) {
    const answered = error instanceof VerdictError && error.status !== BAD_GATEWAY;
    throw (answered ? null : options.faultOf(tab.activity.asked ?? options.url)) ?? nameBrowserError(error);
  }
}

async function openAndRead(tab: Tab, options: VisitOptions): Promise<Visit> {
  await open(tab, options);
  for (let rounds = 1; ; rounds += 1) {
    const seen = await read(tab, options);
    // The browser has followed what waits for nothing.
    const next = rounds === MAX_ROUNDS ? null : await options.next(seen);
    if (next === null) return seen;
    await open(tab, { ...options, url: next, referer: tab.page.url() });
  }
}

async function read(tab: Tab, options: VisitOptions): Promise<Visit> {
  const { waitFor, prepare, closeBanners, rests, restKey } = options;
  const { page, activity } = tab;
  let filled: string | null = null;
  let judged = await passChallenge(tab);
  for (let rounds = 1; judged.kind === 'html'; rounds += 1) {
    if (waitFor !== undefined) await waitUntil(page, waitFor);
    else filled = await waitUntilFilled(tab, rests, restKey);
    if (activity.answer === judged.answer || rounds === MAX_ROUNDS) break;
    judged = await passChallenge(tab); // A script has gone elsewhere meanwhile.
  }
  if (judged.kind === 'sent') return judged;
  if (prepare) {
    await inTime(closeBanners());
    await prepare(createView(tab));
    filled = null;
  }
  const html = withoutBannerStyles(filled ?? (await readContent(tab)));
  const encoding = (await inTime(tab.apart.evaluate<string>('document.characterSet'))).toLowerCase();
  const { status, headers } = toJudged(activity, page.url());
  const response = activity.answer === judged.answer ? judged.response : { status, headers };
  return { html, encoding, $: parse(html), response };
}

async function open({ page, activity }: Tab, { url, referer, onArrived }: VisitOptions): Promise<void> {
  try {
    await page.goto(url, { timeout: NAVIGATION_MILLIS, waitUntil: 'commit', ...(referer !== undefined && { referer }) });
  } catch (error) {
    const { answer, download } = activity;
    if (answer !== null && (download || isNoPage(answer.status(), answer.headers()))) {
      onArrived();
      const judged = toJudged(activity, url);
      throwUnlessOk(judgeDocument(judged, '', null), judged);
      throw noPage(answer.status(), answer.headers());
    }
    if (isTimeout(error)) throw tooLate();
    throw error;
  }
  onArrived();
}

/** As the browser shows it, or as it was sent. */
type Judged = { readonly answer: Activity['answer'] } & ((Omit<Visit, 'encoding'> & { kind: 'html' }) | Sent);
type Sent = Visit & { readonly kind: 'sent'; readonly answer: Activity['answer'] };

/** Reads a page until it is none of a challenge's, which many solve by themselves in a real browser. */
async function passChallenge(tab: Tab): Promise<Judged> {
  const { page, activity } = tab;
  const patience = startPatience(() => performance.now());
  let challenge: string | null = null;
  for (;;) {
    const came = await loaded(page, activity);
    const response = activity.answer;
    const answer = toJudged(activity, page.url());
    if (answer.status < 400 && isNoPage(answer.status, answer.headers)) throw noPage(answer.status, answer.headers);
    const { status, headers } = answer;
    if (kindOf(headers) === 'text' && status < 400) return await readText(response);
    if (came === 'ended' && status < 400) return await readEnded(response, answer);

    const html = await readContent(tab);
    const $ = parse(html);
    const isError = status >= 400;
    let judged = judgeDocument(answer, isError ? html.slice(0, MAX_JUDGED_LENGTH) : html, isError ? null : $);
    let passed = status;
    if (challenge !== null && html !== challenge && isError) {
      // Some put the page in the challenge's place without a second answer: the status is still the challenge's.
      const anew = judgeDocument({ ...answer, status: 200, headers: {} }, html, $);
      if (anew.verdict === 'ok') [judged, passed] = [anew, 200];
    }
    if (judged.verdict === 'ok' || judged.verdict === 'needs-browser') {
      return { kind: 'html', html, $, response: { status: passed, headers }, answer: response };
    }
    const vendor = judged.verdict === 'blocked' ? blockPageOf(answer, outlineOf(html)) : null;
    const busy = activity.leaving || activity.asking > 0;
    if ((vendor === null && challenge === null) || !patience.hasLeft({ vendor, html, busy })) throwUnlessOk(judged, answer);
    challenge ??= html;
    await setTimeout(STEP_MILLIS);
  }
}

async function waitUntil(page: BrowserPage, what: NonNullable<VisitOptions['waitFor']>): Promise<void> {
  if (what === 'network-at-rest') {
    // Some networks never rest; what is there by then is read.
    await isReached(page, 'networkidle', WAIT_FOR_MILLIS);
    return;
  }
  const { selector } = what;
  const element = page.locator(selector).first();
  await element.waitFor({ state: 'attached', timeout: WAIT_FOR_MILLIS }).catch((error: unknown) => {
    if (!isTimeout(error)) throw error;
    throw new VerdictError('transient', `Nothing on the page matched "${selector}" within ${WAIT_FOR_MILLIS / SECOND} s.`);
  });
}

/** Until a page is no shell any more, has its answers, and has stopped changing; or for as long as that may take.
 *  @returns What it holds then. */
async function waitUntilFilled(tab: Tab, rests: Rests, key: string): Promise<string> {
  const { activity, apart } = tab;
  const time = startTime(FILL_MILLIS);
  for (;;) {
    while (activity.asking > 0 && !time.isUp()) await setTimeout(LOOK_MILLIS);
    const late = await inTime(apart.evaluate<number>(untilQuiet(rests.quietFor(key), FILL_MILLIS))).catch((error: unknown) => {
      if (!isBetween(error)) throw error;
      return null; // It has gone elsewhere, and what comes now is waited for.
    });
    const html = await readContent(tab);
    if (time.isUp()) return html;
    if (late === null || activity.asking > 0) continue;
    const outline = outlineOf(html);
    if (!outline.long && shellOf(parse(html), outline) !== null) continue;
    rests.learn(key, late);
    return html;
  }
}

/** What is no HTML, as it was sent: Chromium has built a viewer around it. */
async function readText(answer: Activity['answer']): Promise<Sent> {
  if (answer === null) throw new VerdictError('transient', 'The page has gone while it was read.');
  const headers = answer.headers();
  const sent = await inTime(answer.body());
  const encoding = encodingOf(sent, headers['content-type']);
  const html = decode(sent, encoding);
  const isXml = /[/+]xml\b/.test(headers['content-type'] ?? '');
  const $ = isXml ? parse(html, true) : parse('');
  return { kind: 'sent', html, encoding, $, response: { status: answer.status(), headers }, answer };
}

/** A document that its own script has ended, as it was sent: what is shown of it lacks the rest. */
async function readEnded(answer: Activity['answer'], judged: JudgedResponse): Promise<Sent> {
  const sent = await inTime(answer?.body() ?? Promise.resolve(null)).catch(() => null);
  if (answer === null || sent === null) {
    throw new VerdictError('transient', 'A script of the page has ended it before it was there.');
  }
  const headers = answer.headers();
  const encoding = encodingOf(sent, headers['content-type']);
  const html = decode(sent, encoding);
  const $ = parse(html);
  const judgement = judgeDocument(judged, html, $);
  if (judgement.verdict !== 'needs-browser') throwUnlessOk(judgement, judged);
  return { kind: 'sent', html, encoding, $, response: { status: answer.status(), headers }, answer };
}

/** Crawlee's helper for banners adds 370 KB of style to a page, which is nothing that the page said. */
function withoutBannerStyles(html: string): string {
  return html.replaceAll(/<style[^>]*>[^<]{50000,}<\/style>/g, (style) => (style.includes(BANNER_STYLE) ? '' : style));
}

const BANNER_STYLE = 'z-index:-99999 !important; visibility:hidden !important';
