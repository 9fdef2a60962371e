// The parser that cheerio builds its trees with: cheerio's own copy of htmlparser2, so that declared fields and `$` see the
// same page. A newer copy, which Crawlee brings along, takes time that grows with the square of a page's depth.
import { createRequire } from 'node:module';

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

const ofCheerio = createRequire(createRequire(import.meta.url).resolve('cheerio'));

export const { Parser } = ofCheerio('htmlparser2') as { Parser: ParserClass };
