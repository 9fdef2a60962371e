// Tests run in one process each; those in test/e2e start real crawls as child processes, as `npm start` does.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/build.ts',
    // Most of a test's time is a crawl's that waits: on CI's two cores, two files at a time take half as long.
    maxWorkers: 2,
    // Far above what any test takes on an idle machine: CI's may be several times slower.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    coverage: { include: ['src/**/*.ts'] },
  },
});
