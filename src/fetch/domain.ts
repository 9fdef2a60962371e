// The registrable domain of a host, by the Public Suffix List.
import { createRequire } from 'node:module';

import type * as Tldts from 'tldts';

// Crawlee has it loaded; an `import` would search its 200 kB for exported names.
export const { getDomain } = createRequire(import.meta.url)('tldts') as typeof Tldts;
