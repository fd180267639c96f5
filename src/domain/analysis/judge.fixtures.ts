/** Checks, answers and a clock for the judge's tests. */
import { prng } from '../../lib/prng.ts';
import { Instant } from '../ids.ts';
import type {
  Check,
  GaugeCheck,
  LatencyCheck,
  MannWhitneyCheck,
  Plan,
  RateCheck,
  RatioCheck,
  SloCheck,
  ThresholdCheck,
} from '../plan.ts';
import { judge } from './judge.ts';
import type { JudgeContext, Judged, JudgeState } from './judge.ts';
import type { CounterSeries, Measurement } from './measurement.ts';
import { judgedTogether } from './together.ts';

export const START = 1_800_000_000_000;
export const INTERVAL_MS = 10_000;
/** Instant `seconds` after the start. */
export const at = (seconds: number): Instant => Instant(START + Math.round(1000 * seconds));

const base = {
  provider: 'prom',
  query: { bad: 'b', total: 't' },
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
} as const;

export const ratioCheck = (change: Partial<RatioCheck> = {}): RatioCheck => ({
  ...base,
  kind: 'ratio',
  worse: 'higher',
  weight: 1,
  name: 'errors',
  tolerance: 0.1,
  floor: 0.0001,
  max: null,
  hardMax: null,
  minRequests: 100,
  ...change,
});

export const latencyCheck = (change: Partial<LatencyCheck> = {}): LatencyCheck => ({
  ...base,
  kind: 'latency',
  weight: 1,
  name: 'latency',
  quantile: 0.95,
  tolerance: 0.25,
  maxMs: null,
  hardMaxMs: null,
  minRequests: 100,
  ...change,
});

export const rateCheck = (change: Partial<RateCheck> = {}): RateCheck => ({
  ...base,
  kind: 'rate',
  worse: 'higher',
  weight: 1,
  name: 'restarts',
  tolerance: 0.1,
  floor: 0,
  minRequests: null,
  ...change,
});

export const sloCheck = (change: Partial<SloCheck> = {}): SloCheck => ({
  ...base,
  kind: 'slo',
  weight: 1,
  name: 'availability',
  max: 0.01,
  hardMax: null,
  minRequests: 100,
  ...change,
});

export const gaugeCheck = (change: Partial<GaugeCheck> = {}): GaugeCheck => ({
  ...base,
  kind: 'gauge',
  worse: 'higher',
  weight: 1,
  name: 'cpu',
  tolerance: 0.1,
  floor: 0,
  ...change,
});

export const rankCheck = (change: Partial<MannWhitneyCheck> = {}): MannWhitneyCheck => ({
  ...base,
  kind: 'mann-whitney',
  name: 'ranks',
  direction: 'increase',
  tolerance: 0.25,
  allowed: { increase: 1, decrease: 1 },
  criticalAllowed: { increase: 1, decrease: 1 },
  critical: false,
  mustHaveData: false,
  group: 'all',
  lookbackMs: null,
  minValues: 10,
  ...change,
});

export const thresholdCheck = (change: Partial<ThresholdCheck> = {}): ThresholdCheck => ({
  ...base,
  kind: 'threshold',
  failures: { breaches: 2, of: 3 },
  name: 'saturation',
  min: null,
  max: 0.9,
  hardMin: null,
  hardMax: 0.99,
  ...change,
});

export const contextAt = (seconds: number, change: Partial<JudgeContext> = {}): JudgeContext => ({
  since: at(0),
  evidenceFrom: at(0),
  alpha: 0.01,
  beta: 0.05,
  horizonMs: 3_600_000,
  part: 1,
  warmUpMs: 0,
  minMeasurements: 3,
  intervalMs: INTERVAL_MS,
  now: at(seconds),
  ...change,
});

type Counts = readonly [total: number, bad: number];

export const series = (role: 'canary' | 'stable', [total, bad]: Counts, change: Partial<CounterSeries> = {}): CounterSeries => ({
  key: 'a',
  role,
  startedAt: null,
  total,
  bad,
  ...change,
});

/** Cumulative counters of one canary and one stable series. */
export const counters = (seconds: number, canary: Counts, stable: Counts): Measurement => ({
  kind: 'counters',
  at: at(seconds),
  series: [series('canary', canary), series('stable', stable)],
});

export const value = (seconds: number, number: number): Measurement => ({
  kind: 'value',
  at: at(seconds),
  value: number,
});

/** Levels of one instance of each version for each number. */
export const gauges = (seconds: number, canary: readonly number[], stable: readonly number[]): Measurement => ({
  kind: 'gauges',
  at: at(seconds),
  series: [
    ...canary.map((level, index) => ({ key: `c${index}`, role: 'canary' as const, value: level })),
    ...stable.map((level, index) => ({ key: `s${index}`, role: 'stable' as const, value: level })),
  ],
});

export const histogram = (seconds: number, canary: readonly number[], stable: readonly number[]): Measurement => ({
  kind: 'histogram',
  at: at(seconds),
  boundsMs: [100, 250, 500, 1000],
  series: [
    { key: 'a', role: 'canary', startedAt: null, counts: canary },
    { key: 'a', role: 'stable', startedAt: null, counts: stable },
  ],
});

export type Poll = {
  readonly seconds: number;
  readonly answer: Measurement;
  readonly context?: Partial<JudgeContext>;
};

/** A plan of one check, whose evidence is then the whole of it. */
export const planOf = (...checks: readonly Check[]): Pick<Plan, 'checks' | 'falseRollbackRate' | 'score'> => ({
  checks: Object.fromEntries(checks.map((check) => [check.name, check])),
  falseRollbackRate: 0.01,
  score: { pass: 95, marginal: 75, groups: {} },
});

/** One answer, as the controller judges it: by itself, and then as the only check of its release. */
export function judgeOne(check: Check, state: JudgeState | null, answer: Measurement, context: JudgeContext): Judged {
  const judged = judge(check, state, answer, context);
  const [verdict] = judgedTogether(planOf(check), [{ check, ...judged }], {});
  return { ...judged, verdict: verdict ?? judged.verdict };
}

/** Judges one answer after the other, the state going through JSON as in a store. */
export function judgeAll(check: Check, polls: readonly Poll[], start: JudgeState | null = null): Judged {
  let judged: Judged | null = null;
  let state = start;
  for (const { seconds, answer, context } of polls) {
    judged = judgeOne(check, state, answer, contextAt(seconds, context));
    state = JSON.parse(JSON.stringify(judged.state)) as JudgeState; // what a store gives back
  }
  if (judged === null) throw new Error('nothing was judged');
  return judged;
}

/** Polls every interval, of arms whose counters grow by so much in each; the first is the baseline at 0 s. */
export function steady(canary: Counts, stable: Counts, polls: number): Poll[] {
  return Array.from({ length: polls }, (_, k) => ({
    seconds: 10 * k,
    answer: counters(10 * k, [canary[0] * k, canary[1] * k], [stable[0] * k, stable[1] * k]),
  }));
}

export type Traffic = {
  readonly perSecond: number;
  readonly weight: number;
  readonly canaryErrors: number;
  readonly stableErrors: number;
};

/** Counters of simulated requests, one answer per interval. */
export function* simulated(
  seed: number,
  { perSecond, weight, canaryErrors, stableErrors }: Traffic,
  intervals: number,
): Generator<Poll> {
  const random = prng(seed);
  const canary = { total: 0, bad: 0 };
  const stable = { total: 0, bad: 0 };
  for (let k = 0; k <= intervals; k++) {
    yield {
      seconds: 10 * k,
      answer: counters(10 * k, [canary.total, canary.bad], [stable.total, stable.bad]),
    };
    for (let request = 0; request < 10 * perSecond; request++) {
      const arm = random() < weight ? canary : stable;
      arm.total++;
      if (random() < (arm === canary ? canaryErrors : stableErrors)) arm.bad++;
    }
  }
}
