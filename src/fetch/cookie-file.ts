// Reads `--cookies`: a browser's cookies as cookies.txt or JSON. No message shows a value.
import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { messageOf, SurefootError } from '../core/errors.ts';

/** A cookie as a browser keeps it. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Without a dot in front. */
  readonly domain: string;
  /** Whether the domain's subdomains do not get it. */
  readonly hostOnly: boolean;
  readonly path: string;
  /** For https (and this machine) alone. */
  readonly secure: boolean;
  readonly httpOnly: boolean;
  /** Unix seconds; null: for as long as the session lasts. */
  readonly expires: number | null;
}

export interface CookieFile {
  /** Those that have not expired, in the file's order. */
  readonly cookies: readonly Cookie[];
  /** How many had expired and were left out. */
  readonly expired: number;
}

export interface CookieFileOptions {
  /** Epoch milliseconds. */
  now: number;
  /** Finds where a text stops being JSON (input/json-error.ts). V8's own message may quote a value. */
  findJsonError: (text: string) => { line: number; column: number };
}

const COLUMNS =
  'domain, TRUE or FALSE for its subdomains, path, TRUE or FALSE for https only, expiry in Unix seconds, name, value';
const JSON_FORMS =
  'a list of cookies as a browser extension exports them, or an object with such a list as "cookies", as Playwright saves it';

/** Reads a file of cookies: Netscape's cookies.txt (as curl and browser extensions write it, `#HttpOnly_` lines too) or
 *  JSON, told apart by the first character.
 *  @throws {SurefootError} kind `input`: names the file, the line or the cookie's number, and what may stand there. */
export function readCookieFile(path: string, options: CookieFileOptions): CookieFile {
  const text = readText(path).replace(/^\uFEFF/, '');
  const found = /^\s*[[{]/.test(text) ? fromJson(text, path, options.findJsonError) : fromLines(text, path);
  if (found.length === 0) throw new SurefootError('input', `${path} holds no cookies. It takes ${allowedForms()}.`);
  const cookies = found.filter(({ expires }) => expires === null || expires * 1_000 > options.now);
  return { cookies, expired: found.length - cookies.length };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SurefootError('input', `The cookie file cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function fromLines(text: string, path: string): Cookie[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const httpOnly = line.startsWith('#HttpOnly_');
    if (line.trim() === '' || (line.startsWith('#') && !httpOnly)) return [];
    const where = `${path}, line ${index + 1}`;
    const fields = line.slice(httpOnly ? '#HttpOnly_'.length : 0).split('\t');
    // Some programs leave out the tab before an empty value.
    if (fields.length === 6) fields.push('');
    if (fields.length !== 7) {
      const hint = fields.length === 1 ? ' (no tab at all: was it copied from a screen, or is it another format?)' : '';
      throw refusal(
        where,
        `a cookie has 7 fields with tabs between, this line has ${fields.length}${hint}. They are: ${COLUMNS}`,
      );
    }
    const [domain = '', subdomains = '', cookiePath = '', secure = '', expiry = '', name = '', value = ''] = fields;
    if (!/^-?\d+(\.\d+)?$/.test(expiry)) {
      throw refusal(where, 'field 5, the expiry, must be a number of Unix seconds (0 for none)');
    }
    return check(where, {
      name,
      value,
      domain,
      hostOnly: !isTrue(subdomains, `${where}, field 2`),
      path: cookiePath,
      secure: isTrue(secure, `${where}, field 4`),
      httpOnly,
      expires: Number(expiry),
    });
  });
}

function isTrue(field: string, where: string): boolean {
  const word = field.toUpperCase();
  if (word !== 'TRUE' && word !== 'FALSE') throw refusal(where, 'must be TRUE or FALSE');
  return word === 'TRUE';
}

const seconds = z.number().nullish();
/** The union of what EditThisCookie, Cookie-Editor, Puppeteer and Playwright write. */
const jsonCookie = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.string(),
  path: z.string().nullish(),
  hostOnly: z.boolean().nullish(),
  secure: z.boolean().nullish(),
  httpOnly: z.boolean().nullish(),
  expires: seconds,
  expirationDate: seconds,
});

function fromJson(text: string, path: string, findJsonError: CookieFileOptions['findJsonError']): Cookie[] {
  const list = z
    .union([z.array(z.unknown()), z.object({ cookies: z.array(z.unknown()) })])
    .safeParse(parse(text, path, findJsonError));
  if (!list.success) throw refusal(path, `must be ${JSON_FORMS}`);
  const items = 'cookies' in list.data ? list.data.cookies : list.data;
  return items.map((item, index) => {
    const where = `${path}, cookie ${index + 1}`;
    const { data, error } = jsonCookie.safeParse(item);
    if (!data) {
      const [issue] = error.issues;
      throw refusal(
        where,
        `${issue?.path.join('.') || 'it'}: ${issue?.message}. A cookie has name, value, domain, and may have path, ` +
          'secure, httpOnly, hostOnly (true, false) and expires or expirationDate (Unix seconds)',
      );
    }
    return check(where, {
      ...data,
      hostOnly: data.hostOnly ?? !data.domain.startsWith('.'),
      path: data.path ?? '/',
      secure: data.secure ?? false,
      httpOnly: data.httpOnly ?? false,
      expires: data.expirationDate ?? data.expires ?? null,
    });
  });
}

function parse(text: string, path: string, findJsonError: CookieFileOptions['findJsonError']): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { line, column } = findJsonError(text);
    throw refusal(`${path}, line ${line}, column ${column}`, 'the JSON breaks off here');
  }
}

/** What a Cookie header can carry (https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1, with what browsers allow beyond). */
function check(where: string, cookie: Cookie): Cookie {
  if (!/^[\x21-\x3a\x3c\x3e-\x7e]+$/.test(cookie.name)) {
    throw refusal(where, 'the name must have ASCII letters, digits or signs, without spaces, "=" and ";"');
  }
  if (!/^(?:[\x21-\x3a\x3c-\x7e](?:[\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e])?)?$/.test(cookie.value)) {
    throw refusal(
      where,
      `the value of ${cookie.name} must be ASCII, without ";" and control characters, and no space at either end`,
    );
  }
  if (!/^\/[\x20-\x3a\x3c-\x7e]*$/.test(cookie.path)) throw refusal(where, `the path of ${cookie.name} must begin with "/"`);
  const host = `https://${cookie.domain.replace(/^\./, '')}`;
  const url = URL.canParse(host) ? new URL(host) : null;
  if (!url || url.href !== `https://${url.hostname}/`) {
    throw refusal(where, `the domain of ${cookie.name} must be the name of a host, such as example.com or .example.com`);
  }
  const { name, value, hostOnly, path, secure, httpOnly, expires } = cookie;
  // 0 and -1 are how the formats say: none.
  return {
    name,
    value,
    domain: url.hostname,
    hostOnly,
    path,
    secure,
    httpOnly,
    expires: expires && expires > 0 ? expires : null,
  };
}

function refusal(where: string, problem: string): SurefootError {
  return new SurefootError('input', `${where}: ${problem}.`);
}

function allowedForms(): string {
  return `Netscape's cookies.txt (${COLUMNS}; tabs between), or JSON: ${JSON_FORMS}`;
}
