// A crawl's configuration is found by whoever asks Crawlee for one, and only while the crawl runs.
import { executionAsyncId } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';

import { Configuration } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { withConfiguration } from '../../src/engine/configuration.ts';

const found = () => Configuration.getGlobalConfig();

describe('a crawl', () => {
  it('has its configuration found from anywhere, and the one before it after its end, also after a failure', async () => {
    const before = found();
    const config = new Configuration({ purgeOnStart: false });
    const elsewhere = setImmediate().then(() => found());
    await withConfiguration(config, async () => {
      expect(found()).toBe(config);
      expect(await elsewhere).toBe(config);
    });
    expect(found()).toBe(before);
    const failing = withConfiguration(config, async () => {
      throw new Error('boom');
    });
    await expect(failing).rejects.toThrow('boom');
    expect(found()).toBe(before);
  });

  it('is the only one of its process', async () => {
    const [one, other] = [new Configuration(), new Configuration()];
    await withConfiguration(one, async () => {
      await expect(withConfiguration(other, async () => {})).rejects.toThrow('A process has one crawl at a time');
      expect(found()).toBe(one);
    });
  });

  it('does not have Node follow its promises', async () => {
    // Followed, each promise has an id of its own.
    const inside = await withConfiguration(new Configuration(), async () => {
      await setImmediate();
      return Promise.resolve().then(() => executionAsyncId());
    });
    expect(inside).toBe(0);
  });
});
