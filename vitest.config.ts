/** One configuration for all tests: beside the sources, and in `test/`. The console is built before them, if it has to be. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      // They change nothing that others see: one process runs many of their files, and loads what they share once.
      { extends: true, test: { name: 'units', include: ['src/**/*.test.ts', 'web/src/**/*.test.ts'], isolate: false } },
      { extends: true, test: { name: 'worlds', include: ['test/**/*.test.ts'] } },
    ],
    globalSetup: './scripts/build-console.mjs',
    pool: 'forks',
    maxWorkers: 3,
    // What is marked as concurrent mostly waits for real processes; more worlds at once would be in each other's way.
    maxConcurrency: 2,
    // Nothing is timed: these end what hangs, also on a machine that does much else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 90_000 } },
    reporters: process.env['CI'] ? ['dot', './scripts/closing-line.ts'] : ['default', './scripts/closing-line.ts'],
  },
});
