// Tests run in one process each; those in test/e2e start real crawls as child processes.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    coverage: { include: ['src/**/*.ts'] },
  },
});
