/** The last line of a test run, in a form that any tool can read: `123 passed, 0 failed, 2 skipped`. */
import type { Reporter, TestModule, TestCase } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests: TestCase[] = [...module.children.allTests()];
      for (const test of tests) counts[test.result().state] += 1;
      // A file that cannot even be loaded is a failure that has no test.
      if (tests.length === 0 || module.errors().length > 0) counts.failed += 1;
    }
    counts.failed += errors.length;
    process.on('exit', () =>
      process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`),
    );
  }
}
