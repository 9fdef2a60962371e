// Pages in flight at once: as many as were asked for, from the start, and none any more once the crawl is stopped.
import type { IncomingMessage, ServerResponse } from 'node:http';
import os from 'node:os';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Page } from '../../src/core/page.ts';
import { newFolder, openIn } from '../storage/sqlite/fixture.ts';
import { crawlLab, labSite, page, pushPath, startServer } from './lab.ts';

describe('concurrency', () => {
  /** What the operating system says of its processors: since the last look they were idle, or all of them busy. */
  function stubProcessors(state: 'idle' | 'busy'): void {
    let ticks = 0;
    const cpus = vi.spyOn(os, 'cpus').mockImplementation(() => {
      ticks += 1_000;
      const [idle, user] = state === 'idle' ? [ticks, 0] : [0, ticks];
      return [{ model: '', speed: 1, times: { user, nice: 0, sys: 0, idle, irq: 0 } }];
    });
    onTestFinished(() => cpus.mockRestore());
  }

  function newGate(): { opened: Promise<void>; open: () => void } {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { opened, open: () => open() };
  }

  it.each(['idle', 'busy'] as const)(
    'is there from the start, kept and never exceeded, on a machine that is %s',
    async (state) => {
      stubProcessors(state);
      let inFlight = 0;
      const most = [0, 0, 0];
      const gates = Array.from({ length: 3 }, newGate);
      // Nobody of a wave is answered before all twelve have come, or it is clear that they never will. The first wave is
      // held until Crawlee has looked at the machine.
      const answers = Object.fromEntries(
        Array.from({ length: 36 }, (_, n) => [
          `/page-${n}`,
          async (response: ServerResponse, _hit: number, request: IncomingMessage) => {
            const wave = Math.floor(arrived++ / 12);
            const gate = gates[wave] as ReturnType<typeof newGate>;
            most[wave] = Math.max(most[wave] as number, ++inFlight);
            if (most[wave] === 12) setTimeout(gate.open, wave === 0 ? 1_300 : 0);
            setTimeout(gate.open, 2_500);
            await gate.opened;
            inFlight--;
            page(request.url ?? '')(response);
          },
        ]),
      );
      let arrived = 0;
      const server = await startServer(answers);
      onTestFinished(() => server.close());
      const urls = Object.keys(answers).map((path) => server.origin + path);
      const { ends } = await crawlLab({ storage: openIn(newFolder()), site: labSite(), urls, concurrency: 12 });
      expect([ends, most]).toEqual([{ succeeded: 36 }, [12, 12, 12]]);
    },
  );
});

it('a page in flight when the crawl is stopped is still done, and no other is fetched', async () => {
  const stopping = await startServer({});
  const own = openIn(newFolder());
  onTestFinished(() => stopping.close());
  const urls = Array.from({ length: 10 }, (_, n) => `${stopping.origin}/page-${n}`);
  let stop = () => {};
  const site = labSite(
    Object.fromEntries(
      urls.map((url) => [
        new URL(url).pathname,
        async (page: Page) => {
          stop();
          await pushPath(page);
        },
      ]),
    ),
  );
  const { rows, frontier } = await crawlLab({
    storage: own,
    site,
    urls,
    concurrency: 1,
    onStart: ({ frontier }) => {
      stop = () => frontier.stop();
    },
  });
  expect([(await rows('default')).length, frontier.counts(), stopping.hits.size]).toEqual([
    1,
    { total: 10, handled: 1, browser: false },
    1,
  ]);
});
