// When a page has come to rest: nothing that can be read has changed for a while. How long a while is, is learnt for each host
// and label: most applications write all they have as soon as their answers are there, and need not be waited for after that.

/** The while, as long as nothing is known. */
const QUIET_MILLIS = 200;
const LEAST_MILLIS = 40;
/** Pages that are waited for in full before less will do, and one page in so many ever after. */
const LEARNT_FROM = 5;
const CHECK_EVERY = 10;
const REMEMBERED = 20;
const MAX_KEYS = 1_000;

export interface Rests {
  /** How long a page must have been quiet. @param key Its host and label. */
  quietFor(key: string): number;
  /** @param late Milliseconds from when a page's requests were all answered to its last change; 0 if there was none. */
  learn(key: string, late: number): void;
}

export function createRests(): Rests {
  const known = new Map<string, { pages: number; late: number[] }>();
  return {
    quietFor(key) {
      const { pages = 0, late = [] } = known.get(key) ?? {};
      if (late.length < LEARNT_FROM || pages % CHECK_EVERY === 0) return QUIET_MILLIS;
      return Math.min(QUIET_MILLIS, LEAST_MILLIS + 3 * Math.max(...late));
    },
    learn(key, late) {
      const { pages, late: before } = known.get(key) ?? { pages: 0, late: [] };
      if (!known.has(key) && known.size >= MAX_KEYS) known.delete([...known.keys()][0] as string);
      known.set(key, { pages: pages + 1, late: [...before, late].slice(-REMEMBERED) });
    },
  };
}

/** An expression for the page: resolves when it has been quiet, or its time is up, to when it last changed. A carousel that
 *  changes nothing but classes is quiet. */
export function untilQuiet(quietMillis: number, maxMillis: number): string {
  return `new Promise((resolve) => {
  const begun = performance.now();
  let late = 0;
  const done = () => {
    observer.disconnect();
    clearTimeout(timer);
    clearTimeout(limit);
    resolve(late);
  };
  let timer = setTimeout(done, ${quietMillis});
  const limit = setTimeout(done, ${maxMillis});
  const observer = new MutationObserver(() => {
    late = performance.now() - begun;
    clearTimeout(timer);
    timer = setTimeout(done, ${quietMillis});
  });
  const watched = { childList: true, subtree: true, characterData: true, attributeFilter: ['href', 'src', 'value', 'content', 'title', 'alt'] };
  const watch = (root) => {
    observer.observe(root, watched);
    for (const element of root.querySelectorAll('*')) if (element.shadowRoot) watch(element.shadowRoot);
  };
  watch(document);
})`;
}
