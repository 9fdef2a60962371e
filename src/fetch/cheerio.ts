// Cheerio, and the parser that it builds its trees with. Both are the copies that Crawlee has loaded by the time they are asked
// for: an `import` would load cheerio's ES modules beside the CommonJS ones, at a tenth of a second and some megabytes.
import { createRequire } from 'node:module';

import type * as Cheerio from 'cheerio';

/** What is used of https://github.com/fb55/htmlparser2: where elements and texts begin and end. */
interface Events {
  onopentag(name: string, attributes: Record<string, string>): void;
  ontext(text: string): void;
  onclosetag(): void;
}

interface ParserClass {
  new (
    events: Events,
    options: { xmlMode: boolean; decodeEntities: boolean },
  ): {
    write(text: string): void;
    /** Reads nothing more of what was written. */
    pause(): void;
    /** Closes what is still open. */
    end(): void;
  };
}

const require = createRequire(import.meta.url);
// A newer copy of htmlparser2, which Crawlee brings along, takes time that grows with the square of a page's depth.
const requireOfCheerio = createRequire(require.resolve('cheerio'));

export const { load } = require('cheerio') as typeof Cheerio;
export const { Parser } = requireOfCheerio('htmlparser2') as { Parser: ParserClass };
