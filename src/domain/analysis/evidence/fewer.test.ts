import { expect, it } from 'vitest';
import { binomial } from '../../../lib/draws.ts';
import { prng } from '../../../lib/prng.ts';
import { assess, calibrated, specOf, step } from './engine.ts';
import type { EvidenceCheck } from '../../plan.ts';

it('where fewer is worse, the hour before does not blind the judge', () => {
  const check = { kind: 'ratio', worse: 'lower', tolerance: 0.1, floor: 0.0001, max: null } as EvidenceCheck;
  const spec = specOf(check, { alpha: 0.01, tickMs: 10_000, horizonMs: 3_600_000 });
  const tick = (at: number, canary: number, stable: number) =>
    ({
      kind: 'counts',
      from: at * 10_000,
      to: (at + 1) * 10_000,
      canary: { n: 100, bad: canary },
      stable: { n: 900, bad: stable },
      instances: [],
      parts: {},
    }) as const;
  const random = prng(1);
  let state = calibrated(
    spec,
    Array.from({ length: 240 }, (_, at) => tick(at, 0, 270)),
  );
  for (let at = 240; at < 480; at++) state = step(spec, state, tick(at, binomial(random, 100, 0.22), binomial(random, 900, 0.3)));
  expect(assess(spec, state).logE).toBeGreaterThan(Math.log(100));
});
