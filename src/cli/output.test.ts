/** How progress is written: drawn over itself for a person, and line by line into a log, though it may look like a terminal. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { ReleaseView } from '../contract/wire.ts';
import { printer } from './output.ts';

const SEEN = {
  service: 'shop',
  version: '1.1.0',
  stableVersion: '1.0.0',
  phase: { kind: 'watching' },
  step: 1,
  steps: 2,
  wantedBp: 500,
  verdict: 'inconclusive',
  hold: null,
  unverified: false,
  quarantined: null,
  sentence: 'stands, 40s left',
  checks: {
    errors: { verdict: 'inconclusive', sentence: '44 of 49' },
    latency: { verdict: 'inconclusive', sentence: '9 of 113' },
  },
};

function logged(...changes: readonly object[]): readonly string[] {
  const err = new PassThrough();
  const print = printer({ out: new PassThrough(), err }, false);
  // Only what a line is made of.
  for (const change of changes) print.progress({ ...SEEN, ...change } as unknown as ReleaseView);
  return String(err.read() ?? '')
    .trimEnd()
    .split('\n');
}

test('another verdict of any check is a line, though the verdict of all is as it was', () => {
  const passed = { checks: { ...SEEN.checks, errors: { verdict: 'pass', sentence: '0 %' } } };
  expect(logged({}, passed)).toEqual([
    expect.stringContaining('errors inconclusive  latency inconclusive'),
    expect.stringContaining('errors ok  latency inconclusive'),
  ]);
});

test('a countdown and a count that grows are none', () => {
  const grown = { checks: { ...SEEN.checks, errors: { verdict: 'inconclusive', sentence: '45 of 49' } } };
  expect(logged({}, { sentence: 'stands, 38s left' }, grown)).toHaveLength(1);
});

test('a time that began again, and a rollback that does not get through, are', () => {
  expect(logged({}, { phase: { kind: 'watching', anew: 'a flag' } }, { unverified: true })).toHaveLength(3);
});

const at = (step: number): ReleaseView =>
  ({
    service: 'shop',
    version: '2',
    stableVersion: '1',
    phase: { kind: 'watching' },
    step,
    steps: 2,
    wantedBp: 500,
    checks: {},
  }) as never;

test.each([
  [true, false, /^~shop .*1\/2.*~shop .*1\/2.*~shop .*2\/2.*\n$/],
  [true, true, /^shop .*1\/2.*\nshop .*2\/2.*\n$/],
  [false, false, /^shop .*1\/2.*\nshop .*2\/2.*\n$/],
])('terminal %s, log %s', (isTTY, isLog, expected) => {
  const err = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  const print = printer({ out: new PassThrough(), err }, isLog);
  for (const step of [1, 1, 2]) print.progress(at(step));
  print.done();
  expect(String(err.read()).replaceAll('\r\u001b[2K', '~')).toMatch(expected);
});
