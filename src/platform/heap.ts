// How much memory a process lets pile up before it looks for what can go.
import { setFlagsFromString } from 'node:v8';

/** The old generation may grow by this part of what was alive, in percent, before it is collected. V8's own choice with memory
 *  to spare is three to four times as much; a crawl has some 40 MB alive, and pays a hundredth of its time for the difference
 *  (docs/decisions/013-memory.md). */
const GROWTH_PERCENT = 40;

/** For a crawl that begins. Not sooner: what is loaded at the start would be collected again and again. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
