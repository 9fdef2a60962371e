// Where a proxy's exit is to be: what may be asked of Decodo's gateway, and in which spelling. Each rule has a sentence.
import { SurefootError } from '../core/errors.ts';

/** A place by Decodo's rules. After `checkPlace()` in the gateway's own spelling: `de`, `new_york`, `us_california`. */
export interface Place {
  readonly continent?: string | undefined;
  /** Two letters. */
  readonly country?: string | undefined;
  /** Of the United States: `us_california`. */
  readonly state?: string | undefined;
  readonly city?: string | undefined;
  /** Five digits, of the United States. */
  readonly zip?: string | undefined;
  /** A network by its number, wherever it is. */
  readonly asn?: string | undefined;
}

/** The parts of a place, in the order of a gateway's user name. */
export const PLACE_PARTS = ['continent', 'country', 'state', 'city', 'zip', 'asn'] as const satisfies readonly (keyof Place)[];

const MAX_ASN = 4_294_967_295;

/** Which parts cannot be asked for together, and why not. */
const EXCLUSIONS: readonly { part: keyof Place; excludes: readonly (keyof Place)[]; because: string }[] = [
  { part: 'asn', excludes: ['continent', 'country', 'state', 'city', 'zip'], because: 'a network is asked for by itself' },
  { part: 'continent', excludes: ['country', 'state', 'city', 'zip'], because: 'a continent is asked for by itself' },
  { part: 'zip', excludes: ['state', 'city'], because: 'a ZIP code says where it is' },
];

/** A place as the gateway spells it: `Germany`'s code in either case, `New York` as `new_york`, `California` as `us_california`.
 *  @returns Only the parts that were given.
 *  @throws {SurefootError} kind `input`: names the flag, its rule and what is allowed. */
export function checkPlace(place: Place): Place {
  const checked: Partial<Record<keyof Place, string>> = {};
  for (const part of PLACE_PARTS) {
    const value = place[part];
    if (value !== undefined) checked[part] = SPELLINGS[part](value.trim());
  }
  for (const { part, excludes, because } of EXCLUSIONS) {
    const other = excludes.find((name) => checked[name] !== undefined);
    if (checked[part] !== undefined && other)
      fail(`--${part} cannot be combined with --${other}: ${because}. Leave one of them out.`);
  }
  if (checked.city !== undefined && checked.country === undefined) {
    fail(`--city needs --country, got --city ${checked.city} alone. Add the country, such as --country de.`);
  }
  for (const part of ['state', 'zip'] as const) {
    if (checked[part] === undefined || checked.country === 'us') continue;
    const got = checked.country === undefined ? 'none' : `--country ${checked.country}`;
    fail(`--${part} needs --country us, got ${got}: the gateway knows it in the United States alone.`);
  }
  return checked;
}

/** Each part's spelling at the gateway, or an error. */
const SPELLINGS: Readonly<Record<keyof Place, (value: string) => string>> = {
  continent: (value) => spellName('continent', value, 'europe'),
  city: (value) => spellName('city', value, 'new_york'),
  country: spellCountry,
  state(value) {
    const name = spellName('state', value, 'california').replace(/^us_/, '');
    // No state's name is as short as that, but its postal code is.
    if (name.length < 4) fail(`--state must be a state's full name, such as california, got "${value}".`);
    return `us_${name}`;
  },
  zip(value) {
    if (!/^\d{5}$/.test(value)) fail(`--zip must be five digits, such as 10001, got "${value}".`);
    return value;
  },
  asn(value) {
    const digits = /^(?:AS)?0*(\d{1,10})$/i.exec(value)?.[1];
    const number = Number(digits);
    if (digits === undefined || number < 1 || number > MAX_ASN) {
      fail(`--asn must be a network's number from 1 to ${MAX_ASN}, such as 3320, got "${value}".`);
    }
    return digits;
  },
};

/** Names are in lower case, and `-` separates the parts of a user name: what parts words becomes `_`. */
function spellName(part: 'continent' | 'city' | 'state', value: string, example: string): string {
  const name = plain(value)
    .replaceAll(/[.'’]/g, '')
    .replaceAll(/[\s_-]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  if (!/^[a-z0-9_]+$/.test(name)) {
    fail(`--${part} must be a name of letters, digits and spaces in its English spelling, such as ${example}, got "${value}".`);
  }
  return name;
}

function spellCountry(value: string): string {
  const country = value.toLowerCase();
  if (!/^[a-z]{2}$/.test(country)) fail(`--country must be a two-letter code, got "${value}".${tryCode(codeOf(value))}`);
  const official = new Intl.Locale(`und-${country}`).region?.toLowerCase();
  if (nameOf(country) === undefined) fail(`--country must be a country's two-letter code, got "${value}", which is none.`);
  // `uk` is the one that is often written and that no gateway knows.
  if (official !== country) fail(`--country must be a country's official two-letter code, got "${value}".${tryCode(official)}`);
  return country;
}

function tryCode(code: string | undefined): string {
  return code === undefined ? ' Try "de" or "us".' : ` Try "${code}".`;
}

/** Without accents, in lower case. */
function plain(value: string): string {
  return value.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

/** The code of a country that is known by its English name, or by one that people use. */
function codeOf(name: string): string | undefined {
  const wanted = plain(name);
  if (wanted === 'usa' || wanted === 'united states of america') return 'us';
  const codes = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));
  return codes.find((code) => {
    const known = nameOf(code);
    return known !== undefined && plain(known) === wanted && new Intl.Locale(`und-${code}`).region?.toLowerCase() === code;
  });
}

/** Made when a country is asked for: that takes as long as ten modules to load. */
let english: Intl.DisplayNames | undefined;

/** English, or undefined if there is no such country. */
function nameOf(code: string): string | undefined {
  english ??= new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  return english.of(code.toUpperCase());
}

function fail(message: string): never {
  throw new SurefootError('input', message);
}
