/** Levels, which depend on their own past: how often they deceive, and what is found all the same. */
import { describe, expect, it } from 'vitest';
import { assess, calibratedGauges, init, step } from './engine.ts';
import type { EvidenceState } from './engine.ts';
import { chance, ENOUGH, failsAfter, gaugeSpec, levelled, run } from './evidence.fixtures.ts';
import type { Chance } from './evidence.fixtures.ts';
import { scatterOf } from './gauges.ts';

const STEP_MS = 15_000;
const HOUR = 240;
const SPREAD = 0.05;

/** Logarithms of levels about one mean, each `inertia` times the one before and some noise. */
function instance({ normal }: Chance, inertia: number): () => number {
  let level = SPREAD * normal();
  return () => {
    level = inertia * level + SPREAD * Math.sqrt(1 - inertia * inertia) * normal();
    return level;
  };
}

type World = { readonly inertia: number; readonly canary?: (k: number) => number; readonly hasHistory?: boolean };

/** One canary instance and nine of stable, with what they all share; after how many of an hour's looks it fails. */
function fails(seed: number, { inertia, canary = () => 1, hasHistory = true }: World, tolerance = 0): number | null {
  const draw = chance(seed);
  const common = instance(draw, 0.9);
  const stable = Array.from({ length: 9 }, () => instance(draw, inertia));
  const own = instance(draw, inertia);
  const levels = (): number[] => {
    const shared = common();
    return stable.map((next) => Math.exp(shared + next()));
  };
  const history = Array.from({ length: 2 * HOUR }, () =>
    Object.fromEntries(levels().map((level, index) => [`s${index}`, level])),
  );
  const spec = gaugeSpec({ tolerance });
  const start: EvidenceState = hasHistory ? calibratedGauges(history, STEP_MS) : init(spec);
  const tick = (k: number) => {
    const shared = common();
    return levelled(
      k,
      [canary(k) * Math.exp(shared + own())],
      stable.map((next) => Math.exp(shared + next())),
      STEP_MS,
    );
  };
  return failsAfter(spec, tick, { ticks: HOUR, start });
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const failing = (count: number, world: World, tolerance?: number): number =>
  seeds(count).filter((seed) => fails(seed, world, tolerance) !== null).length;
const median = (world: World): number =>
  seeds(41)
    .map((seed) => fails(seed, world) ?? Infinity)
    .toSorted((a, b) => a - b)[20] ?? NaN;

describe('with a history of stable', () => {
  for (const inertia of [0, 0.5, 0.9])
    it(`takes back hardly any good canary whose levels have an inertia of ${inertia}`, () => {
      expect(failing(100, { inertia })).toBeLessThanOrEqual(3);
    });

  it('takes back hardly any canary within the tolerance', () => {
    expect(failing(100, { inertia: 0.5, canary: () => 1.1 }, 0.1)).toBeLessThanOrEqual(3);
  });

  it('finds a fifth more within minutes, and a leak within the hour', () => {
    expect(median({ inertia: 0.5, canary: () => 1.2 })).toBeLessThanOrEqual(20);
    expect(median({ inertia: 0.5, canary: (k) => 1 + (0.5 * k) / HOUR })).toBeLessThanOrEqual(120);
  });
});

describe('without a history', () => {
  it('takes back few good canaries, also of some inertia', () => {
    expect(failing(100, { inertia: 0, hasHistory: false })).toBeLessThanOrEqual(3);
    expect(failing(100, { inertia: 0.9, hasHistory: false })).toBeLessThanOrEqual(5);
  });

  it('takes longer, and finds half as much more within the hour', () => {
    const found = median({ inertia: 0.5, canary: () => 1.5, hasHistory: false });
    expect(found).toBeLessThan(HOUR);
    expect(found).toBeGreaterThan(median({ inertia: 0.5, canary: () => 1.5 }));
  });
});

describe('the scatter of stable', () => {
  const history = (seed: number, apart: number, inertia = 0) => {
    const draw = chance(seed);
    const all = Array.from({ length: 6 }, (_, index) => ({ next: instance(draw, inertia), own: apart * (index - 2.5) }));
    return Array.from({ length: 2 * HOUR }, () =>
      Object.fromEntries(all.map(({ next, own }, index) => [`s${index}`, Math.exp(own + next())])),
    );
  };

  it('is the variance of one pair and more, larger where levels have inertia', () => {
    const found = (inertia: number) => seeds(10).map((seed) => scatterOf(history(seed, 0, inertia), STEP_MS)?.longRun ?? NaN);
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(found(0))).toBeGreaterThan(SPREAD ** 2);
    expect(mean(found(0))).toBeLessThan(2 * SPREAD ** 2);
    expect(mean(found(0.8))).toBeGreaterThan(4 * SPREAD ** 2);
  });

  it('knows instances that differ for good', () => {
    expect(scatterOf(history(1, 0), STEP_MS)?.between).toBeLessThan(0.02);
    expect(scatterOf(history(1, 0.05), STEP_MS)?.between).toBeGreaterThan(0.07);
  });

  it('is unknown of one instance, of a short time, and of levels of nothing', () => {
    const some = history(1, 0);
    expect(
      scatterOf(
        some.map(({ s0 }) => ({ s0: s0 ?? 1 })),
        STEP_MS,
      ),
    ).toBeNull();
    expect(scatterOf(some.slice(0, 79), STEP_MS)).toBeNull();
    expect(
      scatterOf(
        some.map(() => ({ a: 0, b: 0 })),
        STEP_MS,
      ),
    ).toBeNull();
    expect(scatterOf([], STEP_MS)).toBeNull();
  });

  it('is unknown where nothing moved, and of levels that are none', () => {
    const still = Array.from({ length: 240 }, () => ({ a: 5, b: 7, c: 0.3 }));
    expect(scatterOf(still, STEP_MS)).toBeNull();
    expect(
      scatterOf(
        still.map((levels, k) => (k === 9 ? { ...levels, a: Infinity } : levels)),
        STEP_MS,
      ),
    ).toBeNull();
    const spec = gaugeSpec({ tolerance: 0.1 });
    const twice = (k: number) => levelled(k, [10], [5, 5], STEP_MS);
    expect(failsAfter(spec, twice, { ticks: HOUR, start: calibratedGauges(still, STEP_MS) })).toBeLessThan(HOUR);
  });

  it('leaves instances out that were not there all the time', () => {
    const some = history(1, 0);
    const shorter = some.map((levels, k) => (k < 100 ? levels : { ...levels, late: 5 }));
    expect(scatterOf(shorter, STEP_MS)).toEqual(scatterOf(some, STEP_MS));
  });
});

describe('a pair', () => {
  it('does not decide alone, however large it is', () => {
    const steady = Array.from({ length: 240 }, (_, k) => ({ a: 5 + 0.001 * (k % 7), b: 5 + 0.001 * (k % 5), c: 5 }));
    const start = calibratedGauges(steady, STEP_MS);
    expect(failsAfter(gaugeSpec(), (k) => levelled(k, [50], [5, 5], STEP_MS), { ticks: 10, start })).toBe(3);
  });

  it('of nothing on both sides is a tie, and of nothing on one side says nothing', () => {
    const spec = gaugeSpec();
    expect(run(spec, [levelled(0, [0], [0])])).toMatchObject({ pairs: 1, logRatios: 0 });
    for (const [canary, stable] of [
      [[1], [0]],
      [[0], [1]],
      [[], [1]],
      [[1], []],
      [[-1], [1]],
    ] as const)
      expect(step(spec, init(spec), levelled(0, canary, stable))).toMatchObject({ pairs: 0 });
    expect(step(gaugeSpec({ floor: 1 }), init(spec), levelled(0, [1], [0]))).toMatchObject({ pairs: 1 });
  });

  it('is worse the other way round where lower is worse', () => {
    const lower = gaugeSpec({ fewerIsWorse: true });
    const found = (canary: number): number => {
      const { normal } = chance(9);
      const ticks = Array.from({ length: HOUR }, (_, k) => levelled(k, [canary * Math.exp(0.02 * normal())], [1], STEP_MS));
      return assess(lower, run(lower, ticks)).logE;
    };
    expect(found(0.5)).toBeGreaterThan(ENOUGH);
    expect(found(2)).toBeLessThan(0);
  });

  it('shows how many times as high the canary is', () => {
    const spec = gaugeSpec();
    const state = run(spec, [levelled(0, [2], [1]), levelled(1, [8], [2, 6])]);
    expect(assess(spec, state).effect?.estimate).toBeCloseTo(2, 9);
  });
});
