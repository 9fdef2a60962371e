// The browsers that contexts are opened in: one is started when the first page needs it, and after so many pages the next one
// takes its place, while the pages in the old one come to their end.
import type { Browser } from 'playwright';

/** A browser grows with each page. */
const VISITS_A_BROWSER = 500;

/** One of them; each context in it holds it. */
export class RunningBrowser {
  /** Pages that it has had. */
  visits = 0;
  #contexts = 0;
  #ending: Promise<void> | null = null;
  readonly browser: Browser;

  constructor(browser: Browser) {
    this.browser = browser;
    browser.on('disconnected', () => void this.end());
  }

  /** It takes no further context. */
  get retired(): boolean {
    return this.#ending !== null || this.visits >= VISITS_A_BROWSER;
  }

  hold(): this {
    this.#contexts += 1;
    return this;
  }

  release(): void {
    this.#contexts -= 1;
    if (this.#contexts === 0 && this.retired) void this.end();
  }

  /** Ends it, whatever is in it; a browser that does not do as it is told is killed (endable.ts). */
  end(): Promise<void> {
    this.#ending ??= this.browser.close().catch(() => {});
    return this.#ending;
  }
}

export interface Browsers {
  /** A browser for one more context, which is to release it. @throws What `launch` throws. */
  hold(): Promise<RunningBrowser>;
  /** Ends all of them. */
  close(): Promise<void>;
}

export function createBrowsers(launch: () => Promise<Browser>): Browsers {
  const running = new Set<RunningBrowser>();
  let current: Promise<RunningBrowser> | null = null;
  const start = async () => {
    const started = new RunningBrowser(await launch());
    running.add(started);
    started.browser.on('disconnected', () => running.delete(started));
    return started;
  };
  return {
    async hold() {
      for (;;) {
        current ??= start();
        const asked = current;
        try {
          const browser = await asked;
          if (!browser.retired) return browser.hold();
        } finally {
          if (current === asked && (await isOver(asked))) current = null;
        }
      }
    },
    async close() {
      await current?.catch(() => {});
      current = null;
      await Promise.all([...running].map(async (each) => each.end()));
    },
  };
}

async function isOver(browser: Promise<RunningBrowser>): Promise<boolean> {
  return browser.then(
    ({ retired }) => retired,
    () => true,
  );
}
