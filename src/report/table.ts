// The tables of a report. Their package is loaded with the first one, which a crawl shows at its end.
import { createRequire } from 'node:module';

import type CliTable from 'cli-table3';

const require = createRequire(import.meta.url);

export function newTable(options: CliTable.TableConstructorOptions): CliTable.Table {
  const Table = require('cli-table3') as typeof CliTable;
  return new Table(options);
}
