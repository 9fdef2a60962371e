// Crawlee's values; its types are imported from its packages. They are CommonJS: before an `import` of them runs, Node reads
// all their files and searches them for the names they export, which takes as long as running them (0.1 s of a start).
import { createRequire } from 'node:module';

import type * as Crawlee from '@crawlee/cheerio';

/** Crawlee, but for what drives a browser. */
export const crawlee = createRequire(import.meta.url)('@crawlee/cheerio') as typeof Crawlee;
