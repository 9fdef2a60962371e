// What settings ask of each other. schema.ts checks it; gather.ts says where the settings were given.
import { parseAllowed } from '../core/address.ts';
import type { fields } from './fields.ts';
import type { Settings } from './schema.ts';

/** A rule between settings. */
export interface Rule {
  /** The setting that the rule is about. Commands that do not take it are not held to the rule. */
  readonly about: keyof typeof fields;
  readonly isBroken: (settings: Settings) => boolean;
  /** What to tell. `{name}` stands for the place where a setting was given; what is missing is called by its flag or variable. */
  readonly sentence: string;
}

/** Pairs of on/off settings of which at most one may be on. */
export const EXCLUSIVE = [
  ['fresh', 'resume'],
  ['quiet', 'verbose'],
] as const satisfies readonly (readonly [keyof Settings, keyof Settings])[];

export const RULES: readonly Rule[] = [
  ...EXCLUSIVE.map(([one, other]) => ({
    about: one,
    isBroken: (settings: Settings) => settings[one] && settings[other],
    sentence: `{${one}} and {${other}} exclude each other: give one of them.`,
  })),
  {
    about: 'workers',
    isBroken: ({ workers, store }) => workers > 1 && store !== 'sqlite',
    sentence: '{workers} above 1 needs --store sqlite.',
  },
  {
    about: 'allowPrivate',
    isBroken: ({ allowPrivate }) => allowPrivate.some((entry) => parseAllowed(entry) === null),
    sentence: '{allowPrivate} must have names such as wiki.corp or *.corp, addresses, or nets such as 10.0.0.0/8, without ports.',
  },
  {
    about: 'maxCost',
    isBroken: ({ maxCost, pricePerGb, pricePerApiCall }) => maxCost !== undefined && pricePerGb === 0 && pricePerApiCall === 0,
    sentence: '{maxCost} needs --price-per-gb or --price-per-api-call above 0.',
  },
  {
    about: 'tiers',
    isBroken: ({ tiers, unblockerUser, unblockerPass }) =>
      tiers.includes('unblocker') && (unblockerUser === undefined || unblockerPass === undefined),
    sentence: '{tiers} has unblocker, which needs DECODO_UNBLOCKER_USER and DECODO_UNBLOCKER_PASS, best in .env.',
  },
  {
    about: 'tiers',
    isBroken: ({ tiers, apiToken }) => tiers.includes('api') && apiToken === undefined,
    sentence: '{tiers} has api, which needs DECODO_API_TOKEN, best in .env.',
  },
];
