/** What holds for the engine whatever it is told: nothing of it depends on names, units or the way through a store. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gaugeCheck, latencyCheck, rateCheck, ratioCheck, sloCheck } from '../judge.fixtures.ts';
import { assess, calibrated, init, specOf, step, together } from './engine.ts';
import type { EvidenceState, Spec, Tick } from './engine.ts';
import {
  ALPHA,
  arm,
  chance,
  counted,
  countSpec,
  DEFAULT_BOUNDS,
  ENOUGH,
  failsAfter,
  FINE_BOUNDS,
  gaugeSpec,
  levelled,
  logEOf,
  NO_RESTART,
  run,
  SCHEDULE,
  tailed,
  tailSpec,
  TICK_MS,
  TOLERANT,
} from './evidence.fixtures.ts';

const SEEDED = { seed: 5, numRuns: 300 };
const draw = chance(3);
const countTicks = (ticks: number, canary: number, stable: number): Tick[] =>
  Array.from({ length: ticks }, (_, k) => counted(k, arm(100, draw.binomial(100, canary)), arm(900, draw.binomial(900, stable))));

const KINDS: readonly { readonly name: string; readonly spec: Spec; readonly ticks: readonly Tick[] }[] = [
  { name: 'ratio', spec: countSpec({ limit: TOLERANT, max: 0.2 }), ticks: countTicks(400, 0.02, 0.01) },
  { name: 'rate', spec: countSpec({ isRate: true }), ticks: countTicks(400, 0.02, 0.01) },
  { name: 'slo', spec: countSpec({ limit: null, max: 0.01 }), ticks: countTicks(400, 0.01, 0.01) },
  {
    name: 'latency',
    spec: tailSpec({ maxMs: 400 }),
    ticks: Array.from({ length: 100 }, (_, k) =>
      tailed(k, FINE_BOUNDS, draw.latencies(100, 110, FINE_BOUNDS), draw.latencies(900, 100, FINE_BOUNDS)),
    ),
  },
  {
    name: 'gauge',
    spec: gaugeSpec(),
    ticks: Array.from({ length: 400 }, (_, k) => levelled(k, [1 + 0.05 * draw.normal()], [1 + 0.05 * draw.normal()])),
  },
];

describe.each(KINDS)('$name', ({ spec, ticks }) => {
  it('goes through a store bit by bit, and goes on as if it had not', () => {
    let stored = init(spec);
    for (const tick of ticks) {
      stored = step(spec, JSON.parse(JSON.stringify(stored)) as EvidenceState, tick); // what a store gives back
      expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
    }
    expect(stored).toEqual(run(spec, ticks));
    expect(assess(spec, stored)).toEqual(assess(spec, run(spec, ticks)));
  });

  it('leaves the state before as it was', () => {
    const before = run(spec, ticks.slice(0, 50));
    const copy = structuredClone(before);
    step(spec, before, ticks[50] ?? counted(0, arm(1, 0), arm(1, 0)));
    expect(before).toEqual(copy);
  });

  it('does not look at a tick of another kind', () => {
    const before = run(spec, ticks.slice(0, 50));
    for (const other of KINDS) {
      const tick = other.ticks[0];
      if (tick && tick.kind !== spec.kind) expect(step(spec, before, tick)).toBe(before);
    }
  });

  it('says nothing before it has seen anything', () => {
    const nothing = assess(spec, init(spec));
    expect(Math.abs(nothing.logE)).toBeLessThan(1e-8);
    expect(nothing).toMatchObject({ effect: null, atLeast: null });
  });
});

describe('an interval without requests', () => {
  it('is no evidence for counts, restarts aside, and leaves what stable was like', () => {
    const spec = countSpec({ limit: TOLERANT, schedule: NO_RESTART });
    const before = run(spec, countTicks(20, 0.02, 0.01));
    for (const tick of [
      counted(20, arm(0, 0), arm(900, 9)),
      counted(20, arm(100, 2), arm(0, 0)),
      counted(20, arm(0, 0), arm(0, 0)),
    ])
      expect(logEOf(spec, [tick], before)).toBe(assess(spec, before).logE);
    const { past } = run(spec, [counted(20, arm(100, 5), arm(0, 0))], before) as Extract<EvidenceState, { kind: 'counts' }>; // of counts
    expect(past).toEqual((before as Extract<EvidenceState, { kind: 'counts' }>).past); // of counts
  });

  it('is no evidence for latencies', () => {
    const spec = tailSpec({ schedule: NO_RESTART });
    const stable = [...DEFAULT_BOUNDS, 0].map((_, index) => (index < 6 ? 50 : 5));
    const nobody = stable.map(() => 0);
    const before = run(
      spec,
      [0, 1, 2].map((k) => tailed(k, DEFAULT_BOUNDS, stable, stable)),
    );
    expect(logEOf(spec, [tailed(3, DEFAULT_BOUNDS, nobody, stable)], before)).toBeCloseTo(assess(spec, before).logE, 9);
    expect(logEOf(spec, [tailed(3, DEFAULT_BOUNDS, stable, nobody)], before)).toBeCloseTo(assess(spec, before).logE, 9);
  });
});

describe('one interval', () => {
  it('multiplies no bet by more than the cap, so that three are needed at the least', () => {
    for (const { spec, worst } of [
      { spec: countSpec(), worst: (k: number) => counted(k, arm(1e6, 1e6), arm(1e6, 0)) },
      { spec: countSpec({ isRate: true }), worst: (k: number) => counted(k, arm(1e6, 1e9), arm(1e6, 1)) },
      { spec: countSpec({ limit: null, max: 0.001 }), worst: (k: number) => counted(k, arm(1e6, 1e6), arm(0, 0)) },
    ]) {
      let state = init(spec);
      for (let k = 0; k < 5; k++) {
        const next = step(spec, state, worst(k));
        const gain = assess(spec, next).logE - assess(spec, state).logE;
        expect(gain).toBeLessThanOrEqual(ENOUGH / 2 + 1e-6);
        state = next;
      }
      expect(failsAfter(spec, worst, { ticks: 10 })).toBe(3);
    }
  });

  it('says more the more of the canary is bad, and less the more of stable is', () => {
    const spec = countSpec({ limit: TOLERANT, schedule: NO_RESTART });
    const before = run(spec, countTicks(5, 0.01, 0.01));
    const logE = (bad: number, worse: number): number => logEOf(spec, [counted(5, arm(100, bad), arm(900, worse))], before);
    for (let bad = 0; bad < 100; bad++) expect(logE(bad + 1, 9)).toBeGreaterThan(logE(bad, 9));
    for (let worse = 0; worse < 100; worse++) expect(logE(3, worse + 1)).toBeLessThan(logE(3, worse));
  });

  it('is worth the same however the exposure of a rate is measured', () => {
    const spec = countSpec({ isRate: true });
    const scaled = (by: number): number =>
      logEOf(
        spec,
        Array.from({ length: 30 }, (_, k) => counted(k, arm(10 * by, k % 3), arm(90 * by, k % 5))),
      );
    expect(scaled(3600)).toBeCloseTo(scaled(1), 6);
    expect(scaled(1 / 60)).toBeCloseTo(scaled(1), 6);
  });

  it('is worth the same in milliseconds and in seconds', () => {
    const logE = (unit: number): number => {
      const bounds = DEFAULT_BOUNDS.map((bound) => bound * unit);
      const counts = (slow: number) => bounds.map((_, index) => (index < 6 ? 40 : slow)).concat(slow);
      return logEOf(
        tailSpec(),
        Array.from({ length: 30 }, (_, k) => tailed(k, bounds, counts(12), counts(8))),
      );
    };
    expect(logE(0.001)).toBeCloseTo(logE(1), 9);
  });

  it('that is worse when lower is one with the arms exchanged', () => {
    const lower = countSpec({ limit: TOLERANT, fewerIsWorse: true });
    const higher = countSpec({ limit: TOLERANT });
    const ticks = countTicks(60, 0.3, 0.5);
    const exchanged = ticks.map((tick) =>
      tick.kind === 'counts' ? { ...tick, canary: tick.stable, stable: tick.canary } : tick,
    );
    const own = assess(lower, run(lower, ticks));
    const other = assess(higher, run(higher, exchanged));
    expect(other.logE).toBeGreaterThan(ENOUGH);
    expect(own.logE).toBeGreaterThan(ENOUGH);
    expect(own.effect?.estimate).toBeCloseTo(1 / (other.effect?.estimate ?? NaN), 9);
    expect(own.effect?.estimate).toBeLessThan(1);
  });
});

describe('fewer of what nearly all requests do', () => {
  const spec = countSpec({ limit: TOLERANT, fewerIsWorse: true });
  const tick = (k: number, own: number): Tick => counted(k, arm(100, own), arm(900, 891));
  const intervalsUntil = (state: EvidenceState, from: number, own: number): number => {
    let after = state;
    for (let k = 0; k < 60; k++) {
      after = step(spec, after, tick(from + k, own));
      if (ENOUGH <= assess(spec, after).logE) return k + 1;
    }
    return Infinity;
  };

  it('is seen although the hour before says how many there should be', () => {
    const past = Array.from({ length: 240 }, (_, k): Tick => counted(k, arm(0, 0), arm(900, 891)));
    expect(intervalsUntil(calibrated(spec, past), 240, 50)).toBeLessThanOrEqual(4);
  });

  it('is seen when it begins late', () => {
    const good = run(
      spec,
      Array.from({ length: 120 }, (_, k) => tick(k, 99)),
    );
    expect(assess(spec, good).logE).toBeLessThan(0.1);
    expect(intervalsUntil(good, 120, 50)).toBeLessThanOrEqual(6);
  });
});

describe('impossible intervals', () => {
  const number = fc.oneof(fc.nat(1000), fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -1, 1e12, 1e300, -0));
  const arms = fc.record({ n: number, bad: number });
  const times = { from: fc.oneof(fc.nat(1e6), fc.constant(NaN)), to: fc.oneof(fc.nat(1e6), fc.constant(Infinity)) };
  const counts = fc.array(number, { minLength: 0, maxLength: 5 });
  const ticks: fc.Arbitrary<Tick> = fc.oneof(
    fc.record({
      kind: fc.constant('counts' as const),
      ...times,
      canary: arms,
      stable: arms,
      instances: fc.array(fc.record({ key: fc.string(), group: fc.constantFrom('', 'a', '__proto__'), n: number, bad: number }), {
        maxLength: 3,
      }),
      parts: fc.dictionary(fc.constantFrom('a', 'b', 'other'), fc.record({ canary: arms, stable: arms })),
    }),
    fc.record({
      kind: fc.constant('tails' as const),
      ...times,
      boundsMs: fc.constant([1, 10, 100, 1000]),
      canary: counts,
      stable: counts,
      instances: fc.array(fc.record({ key: fc.string(), counts }), { maxLength: 2 }),
    }),
    fc.record({ kind: fc.constant('gauges' as const), ...times, canary: counts, stable: counts }),
  );
  const specs = fc.constantFrom(
    countSpec({ limit: TOLERANT, max: 0.1 }),
    countSpec({ isRate: true }),
    countSpec({ limit: null, max: 1e-9 }),
    tailSpec({ maxMs: 50 }),
    tailSpec({ tolerance: 0 }),
    gaugeSpec(),
    gaugeSpec({ floor: 1, fewerIsWorse: true }),
  );

  it('never make evidence that is no number, never throw, and leave a state that a store can hold', () => {
    fc.assert(
      fc.property(specs, fc.array(ticks, { maxLength: 12 }), (spec, some) => {
        const state = run(spec, some, calibrated(spec, some.slice(0, 3)));
        const found = assess(spec, state);
        expect(Number.isFinite(found.logE)).toBe(true);
        expect(found.logProof === null || Number.isFinite(found.logProof)).toBe(true);
        expect(found.dispersion === null || found.dispersion.factor >= 1).toBe(true);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
      { ...SEEDED, numRuns: 3000 },
    );
  });

  it('are left out', () => {
    const spec = countSpec();
    const before = run(spec, countTicks(20, 0.02, 0.01));
    for (const wrong of [arm(NaN, 0), arm(100, NaN), arm(-1, 0), arm(100, -1), arm(Infinity, 0), arm(100, 101), arm(1e300, 0)]) {
      expect(step(spec, before, counted(20, wrong, arm(900, 9)))).toBe(before);
      expect(step(spec, before, counted(20, arm(100, 1), wrong))).toBe(before);
    }
    expect(step(spec, before, { ...counted(20, arm(1, 0), arm(9, 0)), from: NaN })).toBe(before);
    expect(step(spec, before, counted(20, arm(1e12, 1e6), arm(1e12, 1e6)))).not.toBe(before);
  });
});

describe('a defect that begins late', () => {
  it('is found sooner because some of the stake was kept back', () => {
    const onset = 120;
    const late = (seed: number) => {
      const { binomial } = chance(seed);
      return (k: number) => counted(k, arm(100, binomial(100, k < onset ? 0.001 : 0.02)), arm(900, binomial(900, 0.001)));
    };
    const median = (spec: Spec): number =>
      Array.from({ length: 41 }, (_, seed) => failsAfter(spec, late(seed + 1), { ticks: 360 }) ?? Infinity).toSorted(
        (a, b) => a - b,
      )[20] ?? NaN;
    const [kept, all] = [median(countSpec()), median(countSpec({ schedule: { ...SCHEDULE, restarts: 0 } }))];
    expect(kept - onset).toBeLessThan(0.8 * (all - onset));
    expect(kept - onset).toBeLessThan(25);
  });
});

describe('the state', () => {
  const bytes = (state: EvidenceState): number => JSON.stringify(state).length;
  const uneven = (k: number, i: number): number => 1000.123 + ((7919 * (k + 1) * (i + 3)) % 1000) / 7;

  it('stays below eight kilobytes with twenty routes and sixteen instances, after thousands of intervals', () => {
    const spec = countSpec({ limit: TOLERANT, max: 0.2 });
    let state = init(spec);
    for (let k = 0; k < 3000; k++) {
      const part = (i: number) => ({ canary: arm(uneven(k, i), (k + i) % 3), stable: arm(9 * uneven(k, i), (k + i) % 17) });
      const parts = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`/a/route/number/${i}`, part(i)]));
      const instances = Array.from({ length: 24 }, (_, i) => arm(9 * uneven(k, i), (k + i) % 13));
      state = step(spec, state, counted(k, arm(40_000, 30), arm(360_000, 200), { parts, instances }));
    }
    expect(bytes(state)).toBeLessThan(8192);
  });

  it('stays below eight kilobytes for latencies of sixty buckets', () => {
    const spec = tailSpec({ maxMs: 400 });
    const state = Array.from({ length: 2000 }).reduce<EvidenceState>((before, _, k) => {
      const counts = (by: number) => [...FINE_BOUNDS, 0].map((_bound, i) => by * uneven(k, i) * Math.exp(-((i - 20) ** 2) / 100));
      const instances = Array.from({ length: 24 }, (_unused, i) => ({ key: `instance-${i}`, counts: counts(0.3) }));
      return step(spec, before, { ...tailed(k, FINE_BOUNDS, counts(1), counts(9)), instances });
    }, init(spec));
    expect(bytes(state)).toBeLessThan(8192);
  });
});

describe('what a plan says', () => {
  const rules = { alpha: ALPHA, tickMs: TICK_MS, horizonMs: 3_600_000 };

  it('becomes a spec of its kind', () => {
    expect(specOf(ratioCheck(), rules)).toEqual(countSpec({ limit: { factor: 1.1, floor: 0.0001 } }));
    expect(specOf(rateCheck({ worse: 'lower' }), rules)).toMatchObject({ isRate: true, fewerIsWorse: true, max: null });
    expect(specOf(sloCheck(), rules)).toEqual(countSpec({ limit: null, max: 0.01 }));
    expect(specOf(latencyCheck({ maxMs: 5 }), rules)).toEqual(tailSpec({ maxMs: 5 }));
    expect(specOf(gaugeCheck({ tolerance: 0, worse: 'lower' }), rules)).toEqual(gaugeSpec({ fewerIsWorse: true }));
  });

  it('plans restarts every five minutes, or a few dozen over a long release', () => {
    const schedule = (horizonMs: number, tickMs = TICK_MS) => {
      const spec = specOf(ratioCheck(), { ...rules, horizonMs, tickMs });
      return spec.kind === 'counts' ? [spec.schedule.every, spec.schedule.restarts] : null;
    };
    expect(schedule(3_600_000)).toEqual([30, 11]);
    expect(schedule(60_000)).toEqual([30, 0]);
    expect(schedule(86_400_000)).toEqual([360, 23]);
    expect(schedule(3_600_000, 3_600_000)).toEqual([1, 11]);
  });
});

describe('several checks together', () => {
  it('are worth their weighted mean, in whatever order', () => {
    const parts = [
      { logE: 5, weight: 1 },
      { logE: -2, weight: 3 },
      { logE: 1, weight: 0.5 },
    ];
    const mean = (Math.exp(5) + 3 * Math.exp(-2) + 0.5 * Math.exp(1)) / 4.5;
    expect(together(parts)).toBeCloseTo(Math.log(mean), 12);
    expect(together(parts.toReversed())).toBeCloseTo(together(parts), 12);
    expect(together([{ logE: 3, weight: 7 }])).toBeCloseTo(3, 12);
    expect(together([])).toBe(0);
    expect(
      together([
        { logE: 2000, weight: 1 },
        { logE: 0, weight: 1 },
      ]),
    ).toBeCloseTo(2000 - Math.log(2), 9);
  });
});
