/** One configuration for all tests: beside the sources, and in `test/`. The console is built before them, if it has to be. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts'],
    globalSetup: './scripts/build-console.mjs',
    pool: 'forks',
    maxWorkers: 2,
    // Nothing is timed: these end what hangs, also on a machine that does much else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: process.env['CI'] ? ['dot', './scripts/closing-line.ts'] : ['default', './scripts/closing-line.ts'],
  },
});
