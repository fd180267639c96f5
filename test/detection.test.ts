/**
 * The detection bench: that its chance is the chance it says it is, that each rival decides by its own published rule,
 * and a short run of everything.
 */
import { describe, expect, it, test } from 'vitest';
import { exactTest } from '../bench/detection/exact-u.ts';
import type { Decision, Judge, Setting } from '../bench/detection/judge.ts';
import { JUDGES } from '../bench/detection/judges/all.ts';
import { argoDefault, argoDocs } from '../bench/detection/judges/argo.ts';
import { bandWidth } from '../bench/detection/judges/dkw.ts';
import { flagger10, flagger5, flaggerLatency, flaggerOracle } from '../bench/detection/judges/flagger.ts';
import { halfWidth } from '../bench/detection/judges/growthbook.ts';
import { kayentaGrowing, kayentaOnce } from '../bench/detection/judges/kayenta.ts';
import { lindonMalek, logEvidence } from '../bench/detection/judges/lindon-malek.ts';
import { pipecdEither, pipecdHigh } from '../bench/detection/judges/pipecd.ts';
import { pictureOf } from '../bench/detection/picture.ts';
import { rampReport } from '../bench/detection/ramp.ts';
import { clustered } from '../bench/detection/clusters.ts';
import { binomial, normals, poisson } from '../src/lib/draws.ts';
import { reportOf } from '../bench/detection/report.ts';
import { runScenario } from '../bench/detection/run.ts';
import { SCENARIOS } from '../bench/detection/scenarios.ts';
import { summarize } from '../bench/detection/summary.ts';
import { bucketOf, BOUNDS_MS, meanMs, noBuckets, quantileMs, STABLE_INSTANCES } from '../bench/detection/tick.ts';
import type { Arm, CountTick } from '../bench/detection/tick.ts';
import { openRun } from '../bench/detection/traffic.ts';
import { prng } from '../src/lib/prng.ts';

describe('chance', () => {
  const DRAWS = 20_000;
  const moments = (draw: () => number): { mean: number; variance: number } => {
    const values = Array.from({ length: DRAWS }, draw);
    const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (DRAWS - 1) };
  };
  /** Within five standard errors of mean and variance; of the latter as of a nearly normal quantity. */
  const expectMoments = (draw: () => number, mean: number, variance: number): void => {
    const found = moments(draw);
    expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / DRAWS));
    expect(Math.abs(found.variance / variance - 1)).toBeLessThan(5 * Math.sqrt((2 + 1 / variance) / DRAWS));
  };

  test.each([
    [1, 0.3],
    [100, 0.001],
    [900, 0.01],
    [900, 0.02],
    [5000, 0.3],
    [200, 0.9],
    [40, 0.5],
  ])('%i requests that fail at %f', (n, share) => {
    const random = prng(7);
    expectMoments(() => binomial(random, n, share), n * share, n * share * (1 - share));
  });

  test.each([0.3, 9.9, 10.1, 900])('arrivals, %f on average', (mean) => {
    const random = prng(8);
    expectMoments(() => poisson(random, mean), mean, mean);
  });

  it('draws every number of failures as often as it should, by either method', () => {
    const random = prng(9);
    const counts = Array.from({ length: 31 }, () => 0);
    for (let draw = 0; draw < 100_000; draw++) counts[binomial(random, 30, 0.4)]! += 1;
    let chance = 0.6 ** 30;
    let [chiSquared, cells] = [0, 0];
    for (let k = 0; k <= 30; k++) {
      const expected = 100_000 * chance;
      if (expected > 20) {
        chiSquared += (counts[k]! - expected) ** 2 / expected;
        cells++;
      }
      chance *= ((30 - k) / (k + 1)) * (0.4 / 0.6);
    }
    expect(chiSquared).toBeLessThan(cells + 5 * Math.sqrt(2 * cells));
  });

  it('clusters failures without changing how many there are', () => {
    const random = prng(10);
    // A geometric cluster around 3 has a mean square of 15.
    expectMoments(() => clustered(random, 10_000, 0.01, 3), 100, (100 / 3) * 15);
  });

  it('draws normal numbers', () => {
    expectMoments(normals(prng(11)), 0, 1);
  });

  it('never draws outside', () => {
    const random = prng(12);
    expect([binomial(random, 0, 0.5), binomial(random, 9, 0), binomial(random, 9, 1), poisson(random, 0)]).toEqual([0, 0, 9, 0]);
    expect(clustered(random, 3, 0.9, 6)).toBeLessThanOrEqual(3);
  });
});

describe('the world', () => {
  const scenario = (name: string) => SCENARIOS.find((each) => each.name === name)!;
  const hour = (name: string, seed: number) => {
    const { world, weight, minutes } = scenario(name);
    const { next } = openRun(world(prng(seed)), seed);
    return Array.from({ length: minutes * 6 }, (_, index) => next((index + 1) * 10, weight((index + 1) * 10)));
  };

  it('is the same for the same seed, and asking for its history changes nothing', () => {
    expect(hour('diurnal 0.5..3%', 3)).toEqual(hour('diurnal 0.5..3%', 3));
    expect(hour('diurnal 0.5..3%', 3)).not.toEqual(hour('diurnal 0.5..3%', 4));
    const { world } = scenario('cpu');
    const [plain, asked] = [openRun(world(prng(1)), 1), openRun(world(prng(1)), 1)];
    expect(asked.history()).toHaveLength(360);
    expect(asked.next(10, 0.1)).toEqual(plain.next(10, 0.1));
  });

  it('adds up: instances, routes, minutes', () => {
    const ticks = hour('1 of 20 routes 0.1->10%', 5).filter((tick) => tick.kind === 'counts');
    const total = (arms: readonly Arm[]): Arm => ({
      n: arms.reduce((sum, { n }) => sum + n, 0),
      bad: arms.reduce((sum, { bad }) => sum + bad, 0),
    });
    for (const { instances, stable, canary, strata } of ticks) {
      expect(instances).toHaveLength(STABLE_INSTANCES);
      expect(total(instances)).toEqual(stable);
      expect(total(Object.values(strata!).map((arms) => arms.stable))).toEqual(stable);
      expect(total(Object.values(strata!).map((arms) => arms.canary))).toEqual(canary);
    }
    const minutes = ticks.flatMap(({ minute }) => minute ?? []);
    expect(minutes).toHaveLength(60);
    expect(total(minutes.map((minute) => minute.canary))).toEqual(total(ticks.map((tick) => tick.canary)));
  });

  it('draws what the scenario says', () => {
    const ticks = hour('0.1->1% at 20 min', 6).filter((tick) => tick.kind === 'counts');
    const share = (some: readonly CountTick[]): number =>
      some.reduce((sum, { canary }) => sum + canary.bad, 0) / some.reduce((sum, { canary }) => sum + canary.n, 0);
    expect(share(ticks.slice(0, 120))).toBeLessThan(0.002);
    expect(share(ticks.slice(120))).toBeCloseTo(0.01, 2);
    expect(ticks[0]!.canary.n / (ticks[0]!.canary.n + ticks[0]!.stable.n)).toBeCloseTo(0.1, 1);
  });

  it('puts latencies into the buckets of a native histogram', () => {
    const buckets = noBuckets();
    for (let ms = 1; ms <= 1000; ms++) buckets[bucketOf(Math.log2(ms))]! += 1;
    expect(BOUNDS_MS[bucketOf(Math.log2(100))]).toBeGreaterThanOrEqual(100);
    expect(Math.abs(quantileMs(buckets, 0.99) / 990 - 1)).toBeLessThan(0.05);
    expect(Math.abs(meanMs(buckets) / 500.5 - 1)).toBeLessThan(0.05);
    expect([quantileMs(noBuckets(), 0.5), meanMs(noBuckets())]).toEqual([NaN, NaN]);
  });
});

describe('the rivals decide by their own rules', () => {
  const SETTING: Setting = { scenario: { group: 'good', kind: 'counts', known: null, minutes: 60 }, history: () => [] };

  /** One tick a minute with these shares; what the judge says at the end of each minute. */
  function decisions(judge: Judge, canary: readonly (number | null)[], stable = 0.001, setting = SETTING): Decision[] {
    const trial = judge.start(setting)!;
    return canary.map((share, index) => {
      const arm = (n: number, bad: number): Arm => ({ n, bad });
      const own = share === null ? arm(0, 0) : arm(1000, 1000 * share);
      // Not the same value each minute: the rank tests need something to rank.
      const other = arm(9000, 9000 * stable + (index % 5));
      return trial({
        kind: 'counts',
        atS: (index + 1) * 60,
        weight: 0.1,
        canary: own,
        stable: other,
        instances: [],
        strata: null,
        truth: { canary: share ?? 0, stable },
        minute: { canary: own, stable: other, baseline: arm(1000, 1000 * stable + (index % 5)) },
      });
    });
  }
  const rolledBackAt = (judge: Judge, canary: readonly (number | null)[], stable?: number): number =>
    decisions(judge, canary, stable).indexOf('rollback') + 1;
  const steady = (share: number | null, minutes = 60): (number | null)[] => Array.from({ length: minutes }, () => share);

  test('Flagger: one check later than the threshold, with failures that are never forgiven', () => {
    expect(rolledBackAt(flagger5, steady(0.02))).toBe(6);
    expect(rolledBackAt(flagger10, steady(0.02))).toBe(11);
    const everyOther = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 0.02 : 0));
    expect(rolledBackAt(flagger5, everyOther)).toBe(10);
    expect(decisions(flagger5, everyOther).slice(0, 3)).toEqual(['hold', 'go on', 'hold']);
  });

  test('Flagger: exactly at the limit passes, no traffic does not', () => {
    expect(rolledBackAt(flagger5, steady(0.01))).toBe(0);
    expect(rolledBackAt(flagger5, steady(null))).toBe(6);
    expect(flaggerOracle.start(SETTING)).toBeNull();
    const known = { right: 0.001, wrong: 0.003 };
    const decided = decisions(flaggerOracle, steady(0.0021), 0.001, { ...SETTING, scenario: { ...SETTING.scenario, known } });
    expect(decided.indexOf('rollback') + 1).toBe(6);
  });

  test('Flagger: the 99th percentile of the canary', () => {
    const trial = flaggerLatency.start(SETTING)!;
    const slow = noBuckets();
    slow[bucketOf(Math.log2(800))] = 100;
    const minute = { canary: slow, stable: slow, baseline: slow };
    const tick = { kind: 'latency', weight: 0.1, canary: slow, stable: slow, instances: [], minute } as const;
    const decided = Array.from({ length: 6 }, (_, index) => trial({ ...tick, atS: (index + 1) * 60 }));
    expect(decided.indexOf('rollback') + 1).toBe(6);
  });

  test('Argo: at once when the failures are more than the limit, and NaN is a failure', () => {
    expect(rolledBackAt(argoDocs, steady(0.06))).toBe(20);
    expect(rolledBackAt(argoDocs, steady(0.04))).toBe(0);
    expect(rolledBackAt(argoDefault, steady(0.02))).toBe(1);
    expect(rolledBackAt(argoDefault, [0, 0, null])).toBe(3);
  });

  test('Kayenta: at its own pace, and every judgement must be above marginal', () => {
    expect(rolledBackAt(kayentaGrowing, steady(0.05))).toBe(10);
    expect(rolledBackAt(kayentaOnce, steady(0.05))).toBe(60);
    expect(rolledBackAt(kayentaOnce, steady(0.05, 59))).toBe(0);
    expect(rolledBackAt(kayentaGrowing, steady(0.0005))).toBe(0);
    expect(rolledBackAt(kayentaGrowing, steady(null))).toBe(10);
  });

  test('PipeCD: on the last interval only, and by default an improvement is a failure too', () => {
    const late = [...steady(0.001, 12), ...steady(0.05, 8)];
    expect(rolledBackAt(pipecdHigh, late)).toBe(20);
    expect(rolledBackAt(pipecdHigh, steady(0), 0.01)).toBe(0);
    expect(rolledBackAt(pipecdEither, steady(0), 0.01)).toBe(5);
    expect(rolledBackAt(pipecdHigh, steady(null))).toBe(5);
  });

  test('GrowthBook: the sequence of its formula, which is sharpest around 5,000 users', () => {
    // By hand with alpha 0.05: rho squared is (4.60517 + ln 5.60517) / 5000 = 0.001265772, so n rho squared + 1 = 7.32886,
    // and the square of the half width is 0.005 x 2 x 7.32886 / 31644.3 x ln(1 + 2.70719 / 0.1) = 7.7233e-6.
    expect(halfWidth(1e-6, 5000, 0.05)).toBeCloseTo(0.0027791, 7);
    const inDeviations = (n: number): number => halfWidth(1, n, 0.05);
    expect(inDeviations(5000)).toBeLessThan(inDeviations(500));
    expect(inDeviations(5000)).toBeLessThan(inDeviations(100_000));
    expect(halfWidth(1e-6, 5000, 0.01)).toBeGreaterThan(halfWidth(1e-6, 5000, 0.05));
  });

  test('Lindon and Malek: the ratio of a beta mixture to the part of the traffic', () => {
    // One failure of one: the mixture expects it as the part does. Two of two: 10 x 11 / (100 x 101) against 0.01.
    expect(logEvidence(1, 0, 0.1)).toBeCloseTo(0, 12);
    expect(logEvidence(2, 0, 0.1)).toBeCloseTo(Math.log((10 * 11) / (100 * 101) / 0.01), 12);
    expect(logEvidence(3, 2, 0.1)).toBeCloseTo(
      Math.log((10 * 11 * 12 * 90 * 91) / (100 * 101 * 102 * 103 * 104)) - 3 * Math.log(0.1) - 2 * Math.log(0.9),
      12,
    );
    // The mean over the part's own chance is one: it is a bet at fair odds.
    const mean = [0, 1, 2, 3].reduce(
      (sum, k) => sum + [1, 3, 3, 1][k]! * 0.1 ** k * 0.9 ** (3 - k) * Math.exp(logEvidence(k, 3 - k, 0.1)),
      0,
    );
    expect(mean).toBeCloseTo(1, 12);
    const failures = [0.02, 0.02, 0.02, 0.02];
    const due = failures.findIndex((_, index) => {
      const stableBad = 9 * (index + 1) + (index * (index + 1)) / 2;
      return logEvidence(20 * (index + 1), stableBad, 0.1) >= Math.log(100);
    });
    expect(rolledBackAt(lindonMalek, failures)).toBe(due + 1);
    expect(rolledBackAt(lindonMalek, steady(0), 0.05)).toBe(0);
  });

  test('bands: the constants of Howard and Ramdas', () => {
    expect(bandWidth(1, 0.05)).toBeCloseTo(0.85 * Math.sqrt(0.8 * Math.log(1612 / 0.05)), 12);
    expect(bandWidth(1e4, 0.05)).toBeLessThan(bandWidth(1e3, 0.05));
    expect(bandWidth(0, 0.05)).toBe(Infinity);
  });
});

describe('the exact rank-sum test', () => {
  const p = (sample: readonly number[], other: readonly number[]) =>
    (['less', 'differs', 'greater'] as const).map((alternative) => exactTest(sample, other, alternative)!.p);

  it('counts all ways to choose the sample', () => {
    expect(p([2, 1, 3, 5], [12, 11, 13, 15])).toEqual([1 / 70, 2 / 70, 1]);
    expect(p([12, 11, 13, 15], [2, 1, 3, 5])).toEqual([1, 2 / 70, 1 - 69 / 70]);
    expect(p([1, 2, 3, 5], [0, 4, 6, 7])[0]).toBeCloseTo(17 / 70, 12);
  });

  it('agrees with a count of every choice, ties included', () => {
    const random = prng(21);
    for (let round = 0; round < 40; round++) {
      const draw = (): number[] => Array.from({ length: 3 + Math.floor(3 * random()) }, () => Math.floor(5 * random()));
      const [sample, other] = [draw(), draw()];
      const found = exactTest(sample, other, 'less');
      if (found === null) continue;
      expect(found.p).toBeCloseTo(byCounting(sample, other), 12);
    }
  });

  /** Share of the ways to choose as many values with at most this U. */
  function byCounting(sample: readonly number[], other: readonly number[]): number {
    const all = [...sample, ...other];
    const uOf = (chosen: readonly number[], rest: readonly number[]): number =>
      chosen.reduce((sum, own) => sum + rest.reduce((pairs, each) => pairs + (each < own ? 1 : each === own ? 0.5 : 0), 0), 0);
    const u = uOf(sample, other);
    let [ways, atMost] = [0, 0];
    for (let mask = 0; mask < 2 ** all.length; mask++) {
      const chosen = all.filter((_, index) => (mask >> index) & 1);
      if (chosen.length !== sample.length) continue;
      ways++;
      if (
        uOf(
          chosen,
          all.filter((_, index) => !((mask >> index) & 1)),
        ) <= u
      )
        atMost++;
    }
    return atMost / ways;
  }

  it('doubles a tail that is not there, as the original does', () => {
    expect(exactTest([2, 1, 3, 5], [1, 1, 1, 1, 1], 'differs')).toEqual({ u: 17.5, p: 0 });
    expect(exactTest([2, 2, 2, 2], [2, 2, 2, 2], 'differs')).toBeNull();
  });
});

describe('a short run of everything', () => {
  const few = { seed: 1, from: 0, to: 2 };

  it('judges every scenario, the same way twice and in any order of pieces', () => {
    const summaries = SCENARIOS.flatMap((scenario) =>
      runScenario(scenario, JUDGES, few).flatMap((outcomes, index) =>
        outcomes.length === 0 ? [] : [summarize(scenario, JUDGES[index]!.name, outcomes)],
      ),
    );
    expect(summaries.every(({ runs }) => runs === 2)).toBe(true);
    const results = { scenarios: SCENARIOS, judges: JUDGES.map(({ name }) => name), summaries };
    const report = reportOf(results, { runs: 2, seed: 1 });
    expect(report).toContain('| Flagger 99%, threshold 5 |');
    expect(report).not.toMatch(/NaN|undefined/);
    const picture = pictureOf(results, ['SPRT, both shares known']);
    expect(picture).toMatch(/^<svg/);
    expect(picture).not.toMatch(/NaN|undefined/);
  });

  it('is the same run whichever piece it is part of', () => {
    const scenario = SCENARIOS.find(({ name }) => name === '1->2%')!;
    const whole = runScenario(scenario, JUDGES, { seed: 5, from: 0, to: 4 });
    const parts = [0, 2].map((from) => runScenario(scenario, JUDGES, { seed: 5, from, to: from + 2 }));
    expect(whole).toEqual(whole.map((_, index) => parts.flatMap((part) => part[index] ?? [])));
  });

  it('has no two scenarios or judges of one name', () => {
    for (const names of [SCENARIOS, JUDGES].map((all) => all.map(({ name }) => name))) {
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('plays whole rollouts', () => {
    const report = rampReport([flagger5], { runs: 3, seed: 1 });
    expect(report).toContain('| good 0.1% | back 0; promoted 100.0 % at 600 s;');
    expect(report).toContain('| 0.1->50% | back 100.0 % at 360 s; promoted 0;');
  });
});
