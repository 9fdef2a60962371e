// Runs code of ours in a page, in a world of its own: the page's scripts neither see it nor change what it finds. By CDP:
// Playwright's `evaluate()` runs in the page's own world, and its `content()` reads no shadow roots.
import type { CDPSession } from 'playwright';

export interface Apart {
  /** @returns The value of an expression, by value; of a promise, what it resolves to. Rejects while the page is between two
   *  documents (`isBetween`). */
  evaluate<T>(expression: string): Promise<T>;
}

/** What Chromium says when a document has gone from under a call. */
const BETWEEN =
  /Cannot find context|uniqueContextId not found|Execution context was destroyed|Inspected target navigated|No frame for given id|promise was collected/i;

export function isBetween(error: unknown): boolean {
  return error instanceof Error && BETWEEN.test(error.message);
}

/** @param mainFrame Its id, which lasts as long as the page. */
export function openApart(cdp: CDPSession, mainFrame: string): Apart {
  let contextId: number | null = null;
  const enter = async () => {
    const made = await cdp.send('Page.createIsolatedWorld', { frameId: mainFrame, worldName: 'surefoot' });
    return made.executionContextId;
  };
  const ask = async <T>(expression: string): Promise<T> => {
    contextId ??= await enter();
    const asked = { expression, contextId, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', asked);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  };
  return {
    async evaluate<T>(expression: string) {
      try {
        return await ask<T>(expression);
      } catch (error) {
        if (!isBetween(error)) throw error;
        // Another document has come since the world was made.
        contextId = null;
        return ask<T>(expression);
      }
    },
  };
}
