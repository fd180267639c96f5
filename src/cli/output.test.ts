/** What a log of a wait shows: a line for each change, and none for a countdown. */
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
  const print = printer({ out: new PassThrough(), err });
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
