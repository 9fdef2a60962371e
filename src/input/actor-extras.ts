// The fields of the Actor's input that are no settings: what the platform has and the command line has not.
import { z } from 'zod';

import type { Section } from './actor-form.ts';

const storeName = z
  .string()
  .regex(/^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)?$/)
  .optional();

/** Their values. */
export const actorExtras = z.object({
  datasetName: storeName,
  keyValueStoreName: storeName,
  requestQueueName: storeName,
  initialCookies: z.array(z.record(z.string(), z.unknown())).optional(),
  /** As the form's proxy editor writes it; platform/actor.ts makes proxy URLs of it. */
  proxyConfiguration: z.record(z.string(), z.unknown()).optional(),
});

export type ActorExtras = z.output<typeof actorExtras>;

const NAME_RULE = 'Letters, digits and "-".';

interface ExtraField {
  readonly section: Section;
  readonly property: Readonly<Record<string, unknown>>;
  /** A setting that it works through; without it there is no such field. */
  readonly needs?: string;
}

/** How the extra fields stand in the form. */
export const EXTRA_FIELDS: Readonly<Record<keyof ActorExtras, ExtraField>> = {
  datasetName: {
    section: 'output',
    property: {
      title: 'Dataset name',
      type: 'string',
      editor: 'textfield',
      description: `Write the rows to a dataset of this name, which is kept, in the place of the run's own. One run at a time may write to it. ${NAME_RULE}`,
    },
  },
  keyValueStoreName: {
    section: 'output',
    property: {
      title: 'Key-value store name',
      type: 'string',
      editor: 'textfield',
      description: `Write the exported files to a key-value store of this name, in the place of the run's own. ${NAME_RULE}`,
    },
  },
  requestQueueName: {
    section: 'output',
    property: {
      title: 'Request queue name',
      type: 'string',
      editor: 'textfield',
      description: `On the platform: take the pages from a request queue of this name, in the place of the run's own. Pages that an earlier run has done are not fetched again. ${NAME_RULE}`,
    },
  },
  proxyConfiguration: {
    section: 'proxy',
    needs: 'proxyUrls',
    property: {
      title: 'Apify Proxy',
      type: 'object',
      editor: 'proxy',
      description: 'Apify Proxy, or proxies of your own. Decodo has the fields below.',
    },
  },
  initialCookies: {
    section: 'start',
    property: {
      title: 'Initial cookies',
      type: 'array',
      editor: 'json',
      isSecret: true,
      description: 'Cookies that every session starts with, as JSON: what browser extensions and Playwright export.',
    },
  },
};
