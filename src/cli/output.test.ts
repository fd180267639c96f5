/** How progress is written: drawn over itself for a person, and line by line into a log, though it may look like a terminal. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { ReleaseView } from '../contract/wire.ts';
import { printer } from './output.ts';

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
