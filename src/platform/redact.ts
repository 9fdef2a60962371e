// Takes secrets out of text that leaves the process: log lines, errors, exports, reports. Known values wherever they stand,
// and what looks like a secret by where it stands. commands/crawl.ts and main.ts hand the function to whoever writes.
import { matchSecrets } from './secret-forms.ts';

/** What stands in a secret's place. */
const MASK = '***';

/** Never throws, leaves text without secrets as it is, and may be applied twice. */
export type Redact = (text: string) => string;

// Names whose value is a secret as a header or a field: until its quote, or until the end of the line.
const HEADER = '(?:proxy-)?authorization|(?:set-)?cookie(?:2| header string)?|x-api-key|x-auth-token';
// Names whose value is a secret in a query, a form or a variable; a page token is a place in a list.
const FIELD =
  '(?:passw(?:or)?d|pwd|secret|credential)[\\w-]{0,30}|(?<!page[_-]?)token|api[_-]?key|access[_-]?key|private[_-]?key|signature|jwt';
// Too short to mean a secret anywhere else.
const QUERY = '(?<=[?&;])(?:auth|authorization|sig|pass|pw|sid|[a-z]{0,4}sess(?:ion)?_?id)';

// A quote with the backslashes before it, ended by the same: as JSON, as JSON within JSON, and as util.inspect has it. With n
// backslashes before a quote that ends, there are 2n + 1 before one that does not, and each backslash of the value is 2n + 2.
const quoted = (group: number) => {
  const one = `\\${group}\\\\`;
  return `(\\\\*)(["'\`])[^]{0,8192}?(?<!\\\\)(?:${one}${one})*\\${group}\\${group + 1}`;
};
const VALUE_CHARACTER = '[^&#\\s"<>`]';

// Anything between :// and @ counts: a name without a password is most often a key. The second form is no valid URL, which
// is when an error message shows it.
const USERINFO =
  /(:\/\/)(?:[^\s/?#"<>\\`]{1,1024}@|[^\s:@/?#"<>]{1,256}:(?!\d{1,5}[/?#])[^\s"<>@]{1,1024}@)|(%3A%2F%2F)(?:(?!%2F|%3F|%23|%40)[^\s&"'<>/?#]){1,1024}%40/gi;

const RULES: readonly (readonly [RegExp, string | ((...groups: string[]) => string)])[] = [
  [USERINFO, (_, plain, encoded) => (plain ? `${plain}${MASK}@` : `${encoded}${MASK}%40`)],
  // A header at a line's beginning is no object's field, whatever quotes its value has.
  [new RegExp(`^((?:${HEADER})\\s*:[ \\t]*)[^\\r\\n]+`, 'gim'), `$1${MASK}`],
  // name: "value", "name":"value", 'name' => 'value', and lists of names and values in turn, as Node's rawHeaders.
  [
    new RegExp(`((?:${HEADER}|${FIELD})(?:\\\\*["'\`]\\s*(?:=>|[:,])|\\s*(?:=>|:)|=)\\s*)${quoted(2)}`, 'gi'),
    (_, name, slashes, quote) => `${name}${slashes}${quote}${MASK}${slashes}${quote}`,
  ],
  [
    new RegExp(`((?:${HEADER})(?:\\\\*["'\`])?\\s*(?:=>|:)\\s*)\\[(?:\\s*${quoted(2)},?)+`, 'gi'),
    (_, name, slashes, quote) => `${name}[${slashes}${quote}${MASK}${slashes}${quote}`,
  ],
  [
    new RegExp(
      `((?:${HEADER})(?:\\\\*["'\`])?\\s*(?:=>|:)[ \\t]*)(?!\\[?\\s*(\\\\*["'\`])\\*\\*\\*\\2\\s*(?:[,\\])}\\\\"'\`]|$)|(?:null|undefined)\\b|\\s)[^\\r\\n]+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [new RegExp(`((?:${FIELD}|${QUERY})=)${VALUE_CHARACTER}+`, 'gi'), `$1${MASK}`],
  [new RegExp(`((?:${FIELD})%3D)(?:(?!%26)${VALUE_CHARACTER})+`, 'gi'), `$1${MASK}`],
  [/\b(Basic|Bearer) +(?=[\w+/.~-]*\d)[\w+/.~-]{8,}=*/gi, `$1 ${MASK}`],
  // A JSON Web Token begins with {" in base64.
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, MASK],
];

/** No rule can match a text without one of these. */
const TRIGGER =
  /@|%40|authorization|cookie|passw|pwd|secret|credential|token|key|signature|jwt|[?&;](?:au|s|p)|sess|basic|bearer|eyJ/i;

/** Makes the one redactor.
 *  @param secrets Values from the settings: passwords, tokens, proxy URLs (their password counts). Found also when they are
 *    percent-encoded, escaped or part of something in base64. Those of less than 4 characters are words of any text, and
 *    are not looked for. */
export function createRedactor(secrets: readonly string[]): Redact {
  const maskSecrets = matchSecrets(secrets, MASK);
  return (text) => {
    const known = maskSecrets(text);
    if (!TRIGGER.test(known)) return known;
    return RULES.reduce((masked, [pattern, mask]) => masked.replace(pattern, mask as string), known);
  };
}

/** A process's one redactor, which learns its secrets as they are read: its last words are masked by it as well. */
export interface Redactor {
  /** Masks what is known so far. */
  readonly redact: Redact;
  /** @param secrets As for `createRedactor()`. */
  learn(secrets: readonly string[]): void;
}

export function openRedactor(): Redactor {
  const known: string[] = [];
  let mask = createRedactor(known);
  return {
    redact: (text) => mask(text),
    learn(secrets) {
      known.push(...secrets);
      mask = createRedactor(known);
    },
  };
}

const SECRET_NAME = new RegExp(`^(?:${HEADER}|.*(?:${FIELD}))$`, 'i');

/** Redacts every text in plain data (as JSON has it), and the whole of a text or a list of texts under a secret's name.
 *  Use it for what is written as JSON: a rule for headers takes the rest of a line, and with it a serialised object's end. */
export function redactData<Data>(data: Data, redact: Redact): Data {
  const walk = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return SECRET_NAME.test(name) && value !== '' ? MASK : redact(value);
    if (Array.isArray(value)) return value.map((item) => walk(item, name));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), walk(item, key)]));
  };
  return walk(data, '') as Data;
}
