/** What is estimated beside the evidence: the ratio and its interval, how much counts scatter, how long a look takes. */
import { describe, expect, it } from 'vitest';
import type { Cell } from './dispersion.ts';
import { dispersionFactor, noDispersion, observeScatter } from './dispersion.ts';
import { atLeast, estimateOf, noEffect, observeEffect } from './effect.ts';
import type { Effect } from './effect.ts';
import { arm, chance, TICK_MS } from './evidence.fixtures.ts';
import type { Chance } from './evidence.fixtures.ts';
import { requestsToSee, TO_SEE, worthSeeing } from './planning.ts';
import { noProof, observeProof, observeProofBelow, proofWorth } from './proof.ts';

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('the interval of the ratio', () => {
  const after = (intervals: number, canary: number, stable: number, by = 1): Effect =>
    Array.from({ length: intervals }).reduce<Effect>(
      (effect) => observeEffect(effect, arm(100 * by, canary * by), arm(900 * by, stable * by), 1),
      noEffect(),
    );

  it('is unknown before anything bad was seen, and open where it cannot be told', () => {
    expect(estimateOf(noEffect())).toBeNull();
    expect(estimateOf(after(9, 0, 0))).toBeNull();
    expect(estimateOf(observeEffect(noEffect(), arm(100, 3), arm(0, 0), 1))).toBeNull();
    expect(estimateOf(after(20, 0, 9))).toMatchObject({ low: null, high: expect.closeTo(0.2, 0) as number });
    expect(estimateOf(after(20, 3, 0))).toMatchObject({ high: null });
  });

  it('contains the estimate, which is the ratio that was seen', () => {
    for (const [canary, stable] of [
      [1, 9],
      [3, 9],
      [10, 2],
      [1, 60],
    ] as const) {
      const found = estimateOf(after(10, canary, stable));
      expect((found?.estimate ?? 0) / ((9 * canary) / stable)).toBeCloseTo(1, 1);
      expect(found?.low ?? 0).toBeLessThanOrEqual(found?.estimate ?? NaN);
      expect(found?.high ?? Infinity).toBeGreaterThanOrEqual(found?.estimate ?? NaN);
    }
  });

  it('shrinks to less than half with ten times the data, and is wider for data that scatter and for more confidence', () => {
    const width = (effect: Effect): number => {
      const found = estimateOf(effect);
      return Math.log((found?.high ?? Infinity) / (found?.low ?? 0));
    };
    expect(width(after(10, 20, 180))).toBeLessThan(width(after(10, 2, 18)) / 2);
    expect(atLeast(after(10, 2, 18), 0.01) ?? 0).toBeLessThan(atLeast(after(10, 2, 18), 0.05) ?? 0);
    const scattered = Array.from({ length: 10 }).reduce<Effect>(
      (effect) => observeEffect(effect, arm(100, 2), arm(900, 18), 3),
      noEffect(),
    );
    expect(width(scattered)).toBeGreaterThan(width(after(10, 2, 18)));
  });

  it('ever misses the true ratio in no more than one release of twenty', () => {
    const misses = (seed: number): boolean => {
      const { binomial } = chance(seed);
      let effect = noEffect();
      for (let k = 0; k < 180; k++) {
        const base = 0.004 + 0.003 * Math.sin(k / 15);
        effect = observeEffect(effect, arm(100, binomial(100, 2 * base)), arm(900, binomial(900, base)), 1);
        const found = estimateOf(effect);
        if (found && (2 < (found.low ?? 0) || (found.high ?? Infinity) < 2)) return true;
      }
      return false;
    };
    const missed = seeds(150).filter(misses).length;
    expect(missed).toBeLessThanOrEqual(Math.floor(150 * (0.05 + 3 * Math.sqrt((0.05 * 0.95) / 150))));
  });
});

describe('scatter', () => {
  const factorAfter = (intervals: number, cells: (k: number) => readonly Cell[], isRate = false): number => {
    let dispersion = noDispersion();
    for (let k = 0; k < intervals; k++)
      dispersion = observeScatter(dispersion, cells(k), { from: k * TICK_MS, to: (k + 1) * TICK_MS, isRate });
    return dispersionFactor(dispersion);
  };
  const cells = (count: number, bad: () => number, group = ''): Cell[] =>
    Array.from({ length: count }, (_, index) => ({ key: `${index}`, group, ...arm(100, bad()) }));
  /** Ten requests of one client at a time. */
  const clustered = (draw: Chance): number => 10 * draw.binomial(10, 0.02);

  it('is none for independent requests of several instances, nearly always', () => {
    const factors = seeds(60).map((seed) => {
      const { binomial } = chance(seed);
      return factorAfter(360, () => cells(9, () => binomial(100, 0.01)));
    });
    expect(factors.filter((factor) => factor === 1).length).toBeGreaterThanOrEqual(54);
    expect(Math.max(...factors)).toBeLessThan(2.2);
  });

  it('is about as much as requests come at once', () => {
    for (const seed of seeds(5)) {
      const draw = chance(seed);
      const factor = factorAfter(360, () => cells(9, () => clustered(draw)));
      expect(factor).toBeGreaterThan(8);
      expect(factor).toBeLessThan(20);
    }
  });

  it('shows in one series, too, by how it changes', () => {
    const draw = chance(1);
    expect(factorAfter(360, () => cells(1, () => clustered(draw)))).toBeGreaterThan(5);
  });

  it('does not take an incident that all instances share for bursts', () => {
    const { binomial } = chance(2);
    expect(factorAfter(360, (k) => cells(9, () => binomial(100, 100 <= k && k < 130 ? 0.3 : 0.005)))).toBeLessThan(2.2);
  });

  it('does not compare routes with each other', () => {
    const { binomial } = chance(4);
    const both = (): Cell[] => [...cells(4, () => binomial(100, 0.002), 'a'), ...cells(4, () => binomial(100, 0.2), 'b')];
    expect(factorAfter(360, both)).toBeLessThan(2.2);
  });

  it('of events is about their mean, which is more than that of a share', () => {
    const often = (): Cell[] => cells(2, () => 60);
    expect(factorAfter(10, often)).toBe(1);
    const apart = (k: number): Cell[] =>
      cells(2, () => 0).map((cell, index) => ({ ...cell, bad: (index + k) % 2 === 0 ? 90 : 60 }));
    expect(factorAfter(5, apart, true)).toBeLessThan(factorAfter(5, apart));
  });

  it('says nothing of instances without requests', () => {
    const before = noDispersion();
    expect(observeScatter(before, [{ key: 'a', group: '', n: 0, bad: 0 }], { from: 0, to: 1, isRate: false })).toEqual(before);
  });
});

describe('planning', () => {
  it('asks for as many requests as the simulations needed', () => {
    expect(requestsToSee(0.001, 0.005, 0.01)).toBeGreaterThan(1600);
    expect(requestsToSee(0.001, 0.005, 0.01)).toBeLessThan(1660);
    expect(Math.abs(requestsToSee(0.01, 0.02, 0.01) - 1709)).toBeLessThanOrEqual(5);
    expect(Math.abs(requestsToSee(0.01, 0.015, 0.01) - 6100)).toBeLessThanOrEqual(40);
  });

  it('asks for more to see less, and to be surer', () => {
    expect(requestsToSee(0.01, 0.03, 0.01)).toBeLessThan(requestsToSee(0.01, 0.02, 0.01));
    expect(requestsToSee(0.01, 0.03, 0.001)).toBeGreaterThan(requestsToSee(0.01, 0.03, 0.01));
    expect(requestsToSee(0, 0.01, 0.01)).toBeLessThan(100);
  });

  it('takes three times the share to be worth seeing, and no less than one in a hundred more', () => {
    expect(worthSeeing(0.1)).toBeCloseTo(0.1 * TO_SEE, 12);
    expect(worthSeeing(0)).toBeCloseTo(0.01, 12);
    expect(worthSeeing(0.9)).toBeLessThan(1);
  });
});

describe('the proof that it is not twice as bad', () => {
  const PROVED = Math.log(20);
  const proves = (seed: number, canary: number, ticks: number): boolean => {
    const { binomial } = chance(seed);
    let proof = noProof();
    for (let k = 0; k < ticks; k++) {
      proof = observeProof(proof, arm(200, binomial(200, canary)), arm(800, binomial(800, 0.01)), 1);
      if (PROVED <= proofWorth(proof)) return true;
    }
    return false;
  };

  it('is had of a good canary in some minutes', () => {
    expect(seeds(100).filter((seed) => proves(seed, 0.01, 60)).length).toBeGreaterThan(80);
  });

  it('is had of one that is twice as bad in no more than one release of twenty', () => {
    const wrong = seeds(200).filter((seed) => proves(seed, 0.02, 180)).length;
    expect(wrong).toBeLessThanOrEqual(Math.floor(200 * (0.05 + 3 * Math.sqrt((0.05 * 0.95) / 200))));
  });

  it('is had below a promised limit, and not at it', () => {
    const below = (seed: number, share: number): boolean => {
      const { binomial } = chance(seed);
      let proof = noProof();
      for (let k = 0; k < 60; k++) {
        proof = observeProofBelow(proof, arm(200, binomial(200, share)), 0.01, 1);
        if (PROVED <= proofWorth(proof)) return true;
      }
      return false;
    };
    expect(seeds(50).filter((seed) => below(seed, 0.002)).length).toBeGreaterThan(40);
    expect(seeds(200).filter((seed) => below(seed, 0.01)).length).toBeLessThanOrEqual(19);
  });

  it('is none without requests on both sides', () => {
    expect(observeProof(noProof(), arm(0, 0), arm(900, 9), 1)).toEqual(noProof());
    expect(proofWorth(noProof())).toBeCloseTo(0, 12);
  });
});
