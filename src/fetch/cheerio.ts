// Cheerio, and the parser that it builds its trees with. Both are the copies that Crawlee has loaded by the time they are asked
// for: an `import` would load cheerio's ES modules beside the CommonJS ones, at a tenth of a second and some megabytes.
import { createRequire } from 'node:module';

import type * as Cheerio from 'cheerio';
import type * as DomHandler from 'domhandler';
import type * as Parse5 from 'parse5';
import type * as Adapter from 'parse5-htmlparser2-tree-adapter';

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

const entities = requireOfCheerio('entities') as {
  decodeHTML(text: string): string;
  decodeHTMLAttribute(text: string): string;
};
/** Character references → what they stand for, as the HTML standard has it. */
export const decodeText = entities.decodeHTML;
export const decodeAttribute = entities.decodeHTMLAttribute;

/** The kinds of nodes that a tree is made of. */
export const nodes = requireOfCheerio('domhandler') as typeof DomHandler;
export const parse5 = requireOfCheerio('parse5') as typeof Parse5;
export const { adapter } = requireOfCheerio('parse5-htmlparser2-tree-adapter') as typeof Adapter;
