/**
 * Numbers from another implementation of the same rules, in Python: eight intervals, with margins, restarts, a cap and a
 * dispersion; the roots of the projection; an interval for the ratio; both mixtures for levels.
 */
import { describe, expect, it } from 'vitest';
import { rateAlternatives, shareAlternatives } from './alternatives.ts';
import { estimateOf, noEffect, observeEffect } from './effect.ts';
import { arm, ENOUGH, NO_RESTART } from './evidence.fixtures.ts';
import { mixtureWidth, normalMixture, studentMixture } from './gauges.ts';
import { closestRate, closestShare, logRates, logShares } from './likelihood.ts';
import type { Alternative, Arm, Limit } from './likelihood.ts';
import { logNormalBelow, studentBelow } from './normal.ts';
import { advance, begin, grid, worth } from './process.ts';
import type { Schedule } from './process.ts';

/** Requests of canary and stable, bad ones of canary and stable. */
const TICKS = [
  [120, 1080, 0, 1],
  [118, 1090, 1, 1],
  [121, 1075, 2, 0],
  [119, 1083, 1, 2],
  [240, 960, 3, 1],
  [0, 1200, 0, 2],
  [238, 955, 2, 1],
  [602, 598, 6, 1],
] as const;
const PAIRS = TICKS.map(([n, m, bad, worse]) => ({ canary: arm(n, bad), stable: arm(m, worse) }));
const GRID = grid(1.15, 64, 24);
const RESTARTED: Schedule = { every: 3, restarts: 2, keptBack: 0.3, cap: ENOUGH / 2 };
const STRICT: Limit = { factor: 1, floor: 0 };
const TOLERANT: Limit = { factor: 1.1, floor: 1e-4 };

type Form = {
  readonly limit: Limit;
  readonly schedule: Schedule;
  readonly dispersion?: number;
  readonly alternatives?: (stable: number, limit: Limit) => (ratio: number) => Alternative | null;
  readonly gain?: (canary: Arm, stable: Arm, alternative: Alternative, limit: Limit) => number;
};

function evidence({ limit, schedule, dispersion = 1, alternatives = shareAlternatives, gain = logShares }: Form): number[] {
  let process = begin(GRID, schedule);
  let past = arm(50, 0.5);
  return PAIRS.map(({ canary, stable }) => {
    const bets = alternatives(past.bad / past.n, limit);
    process = advance(process, GRID, schedule, (ratio) => {
      const bet = bets(ratio);
      return canary.n === 0 || bet === null ? 0 : gain(canary, stable, bet, limit) / dispersion;
    });
    past = arm(past.n + stable.n, past.bad + stable.bad);
    return worth(process, GRID);
  });
}

const FORMS: Record<string, readonly [Form, readonly number[]]> = {
  'as strict as can be': [
    { limit: STRICT, schedule: NO_RESTART },
    [-0.242778, 0.271175, 2.121119, 2.607379, 4.947743, 4.947743, 6.370891, 8.258263],
  ],
  'with restarts and a cap': [
    { limit: STRICT, schedule: RESTARTED },
    [-0.163564, 0.197254, 1.561576, 2.043398, 4.054905, 4.054905, 5.407041, 7.273359],
  ],
  'for counts that scatter twice as much': [
    { limit: STRICT, schedule: NO_RESTART, dispersion: 2 },
    [-0.152769, 0.109018, 0.935829, 1.151199, 2.162249, 2.162249, 2.79813, 3.680813],
  ],
  'with a tolerance': [
    { limit: TOLERANT, schedule: NO_RESTART },
    [-0.271114, 0.19877, 1.916946, 2.311854, 4.408822, 4.408822, 5.655095, 7.272364],
  ],
  'with a tolerance, restarts and a cap': [
    { limit: TOLERANT, schedule: RESTARTED },
    [-0.181797, 0.143175, 1.438181, 1.837664, 3.756675, 3.756675, 4.967395, 6.583765],
  ],
  'of rates': [
    { limit: STRICT, schedule: NO_RESTART, alternatives: rateAlternatives, gain: logRates },
    [-0.187747, 0.350673, 2.449109, 2.836582, 5.256232, 5.256232, 6.677377, 8.528019],
  ],
};

describe('evidence', () => {
  for (const [name, [form, expected]] of Object.entries(FORMS))
    it(`is worth what it is elsewhere: ${name}`, () => {
      for (const [index, value] of evidence(form).entries())
        expect(Math.abs(value - (expected[index] ?? NaN))).toBeLessThan(1e-5);
    });

  it('is not worth the same in all forms', () => {
    expect(new Set(Object.values(FORMS).map(([form]) => evidence(form).at(-1)?.toFixed(3))).size).toBe(6);
  });
});

describe('the projection', () => {
  const alternative = { canary: 0.05, stable: 0.01 };

  it('has its root where it is elsewhere', () => {
    expect(closestShare(120, 1080, alternative, { factor: 1.25, floor: 0 })).toBeCloseTo(0.0136697007, 9);
    expect(closestShare(120, 1080, alternative, { factor: 1.1, floor: 1e-4 })).toBeCloseTo(0.0138342066, 9);
  });

  it('is the same by its formula and by its iteration', () => {
    for (const [n, m] of [
      [100, 900],
      [900, 100],
      [5, 5000],
    ] as const)
      expect(closestShare(n, m, alternative, { factor: 1.25, floor: 1e-12 })).toBeCloseTo(
        closestShare(n, m, alternative, { factor: 1.25, floor: 0 }),
        9,
      );
  });

  it('is nearly that of rates where bad requests are rare', () => {
    const rare = { canary: 5e-5, stable: 1e-5 };
    const little = { factor: 1.1, floor: 1e-6 };
    const ratio = closestShare(120, 1080, rare, little) / closestRate(120, 1080, rare, little);
    expect(ratio).toBeCloseTo(1, 3);
  });
});

it('has the interval for the ratio that it has elsewhere', () => {
  const effect = PAIRS.reduce((all, { canary, stable }) => observeEffect(all, canary, stable, 1), noEffect());
  const found = estimateOf(effect);
  expect(found?.estimate).toBeCloseTo(8.877, 3);
  expect(found?.low).toBeCloseTo(2.0705, 4);
  expect(found?.high).toBeCloseTo(46.851, 3);
});

describe('levels', () => {
  it('are worth what they are elsewhere, by a known scatter and by none', () => {
    expect(mixtureWidth(20, 0.01)).toBeCloseTo(1.9996947, 6);
    expect(normalMixture(12, 30, 1.9996947)).toBeCloseTo(1.5397105, 6);
    expect(studentMixture(10, 0.8, 9)).toBeCloseTo(1.8498403, 6);
  });

  // R: pnorm(x, log.p = TRUE) and pt(t, df).
  it('rest on distribution functions that are right far out, too', () => {
    expect(logNormalBelow(0)).toBeCloseTo(Math.log(0.5), 12);
    expect(logNormalBelow(1)).toBeCloseTo(-0.172_753_779_023, 10);
    expect(logNormalBelow(-3)).toBeCloseTo(-6.607_726_221_510, 9);
    expect(logNormalBelow(-7.999)).toBeCloseTo(logNormalBelow(-8.001), 1);
    expect(logNormalBelow(-10)).toBeCloseTo(-53.231_285_15, 6);
    expect(logNormalBelow(-40)).toBeCloseTo(-804.608_442_013_754, 6);
    expect(logNormalBelow(40)).toBeCloseTo(0, 12);
    expect(studentBelow(0, 5)).toBeCloseTo(0.5, 12);
    expect(studentBelow(2, 10)).toBeCloseTo(0.963_305_983, 8);
    expect(studentBelow(-2, 10)).toBeCloseTo(1 - 0.963_305_983, 8);
    expect(studentBelow(1, 1)).toBeCloseTo(0.75, 10);
    expect(studentBelow(12.706_204_736, 1)).toBeCloseTo(0.975, 9);
  });
});
