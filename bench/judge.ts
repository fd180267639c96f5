/**
 * What it costs to judge one check once: microseconds, and bytes of state that the store keeps. Each kind is told an hour of
 * answers, one every ten seconds, as its provider gives them; all kinds take turns in one run, so that what else the
 * machine does falls on all of them, and the ratios to a plain threshold can be compared between machines.
 *
 * `npm run bench:judge -- [--rounds 20]`
 */
import { parseArgs } from 'node:util';
import { judge } from '../src/domain/analysis/judge.ts';
import type { JudgeContext, JudgeState } from '../src/domain/analysis/judge.ts';
import type { Measurement, Role } from '../src/domain/analysis/measurement.ts';
import { Instant } from '../src/domain/ids.ts';
import type { Check } from '../src/domain/plan.ts';
import { prng } from '../src/lib/prng.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number');

const START = 1_800_000_000_000;
const INTERVAL_MS = 10_000;
const TICKS = 360;
/** Instances of each version. */
const INSTANCES = { canary: 2, stable: 6 };
const ROLES: readonly Role[] = ['canary', 'stable'];
const CLASSIC = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];
const NATIVE = Array.from({ length: 60 }, (_, k) => 10 * 2 ** (k / 8));

const random = prng(1);
const at = (k: number): Instant => Instant(START + k * INTERVAL_MS);
/** About so many: what a counter grows by. */
const about = (mean: number): number => Math.floor(mean * (0.5 + random()) + random());

type Told = (k: number) => Measurement;

function counters(strata: readonly string[]): Told {
  const totals = new Map<string, [total: number, bad: number]>();
  return (k) => ({
    kind: 'counters',
    at: at(k),
    series: ROLES.flatMap((role) =>
      Array.from({ length: INSTANCES[role] }, (_, instance) => instance).flatMap((instance) =>
        strata.map((stratum) => {
          const key = `${instance} ${stratum}`;
          const total = totals.get(`${role} ${key}`) ?? [0, 0];
          total[0] += about(100 / strata.length);
          total[1] += about(1 / strata.length);
          totals.set(`${role} ${key}`, total);
          return { key, role, stratum, startedAt: null, total: total[0], bad: Math.min(total[0], total[1]) };
        }),
      ),
    ),
  });
}

function histograms(boundsMs: readonly number[]): Told {
  const totals = new Map<string, number[]>();
  return (k) => ({
    kind: 'histogram',
    at: at(k),
    boundsMs,
    series: ROLES.flatMap((role) =>
      Array.from({ length: INSTANCES[role] }, (_, instance) => {
        const key = `${instance}`;
        const before = totals.get(`${role} ${key}`) ?? [...boundsMs, 0].map(() => 0);
        const counts = before.map((count, index) => {
          const away = Math.log((boundsMs[index] ?? 10_000) / 100) / 0.6;
          return count + about((400 / boundsMs.length) * Math.exp((-away * away) / 2));
        });
        totals.set(`${role} ${key}`, counts);
        return { key, role, startedAt: null, counts };
      }),
    ),
  });
}

const gauges: Told = (k) => ({
  kind: 'gauges',
  at: at(k),
  series: ROLES.flatMap((role) =>
    Array.from({ length: INSTANCES[role] }, (_, instance) => ({ key: `${role}-${instance}`, role, value: 0.5 + 0.1 * random() })),
  ),
});

const numbers: Told = (k) => ({ kind: 'value', at: at(k), value: 0.5 + 0.1 * random() });

const base = {
  name: 'check',
  provider: 'prom',
  query: {},
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
} as const;
const evidence = { ...base, weight: 1, tolerance: 0.1, minRequests: null };
const sides = { increase: 1, decrease: 1 };
const ratio: Check = { ...evidence, kind: 'ratio', worse: 'higher', floor: 0.0001, max: null, hardMax: null };
const latency: Check = { ...evidence, kind: 'latency', quantile: 0.95, maxMs: null, hardMaxMs: null };
const threshold: Check = {
  ...base,
  kind: 'threshold',
  min: null,
  max: 0.9,
  hardMin: null,
  hardMax: null,
  failures: { breaches: 3, of: 5 },
};
const ranks: Check = {
  ...base,
  kind: 'mann-whitney',
  direction: 'increase',
  tolerance: 0.25,
  allowed: sides,
  criticalAllowed: sides,
  critical: false,
  mustHaveData: false,
  group: 'all',
  lookbackMs: 60 * INTERVAL_MS,
  minValues: 50,
};
const routes = Array.from({ length: 20 }, (_, index) => `/route/${index}`);

type Kind = { readonly name: string; readonly check: Check; readonly told: Told };

const KINDS: readonly Kind[] = [
  { name: 'threshold', check: threshold, told: numbers },
  { name: 'ratio', check: ratio, told: counters(['']) },
  { name: 'ratio, 20 routes', check: ratio, told: counters(routes) },
  { name: 'rate', check: { ...evidence, kind: 'rate', worse: 'higher', floor: 0 }, told: counters(['']) },
  { name: 'slo', check: { ...base, kind: 'slo', weight: 1, minRequests: null, max: 0.02, hardMax: null }, told: counters(['']) },
  { name: 'latency, 10 buckets', check: latency, told: histograms(CLASSIC) },
  { name: 'latency, 60 buckets', check: latency, told: histograms(NATIVE) },
  { name: 'gauge', check: { ...base, kind: 'gauge', weight: 1, tolerance: 0.1, worse: 'higher', floor: 0 }, told: gauges },
  { name: 'mann-whitney, 60 values', check: ranks, told: gauges },
];

const contextAt = (k: number): JudgeContext => ({
  since: at(0),
  evidenceFrom: at(0),
  warmUpMs: 0,
  minMeasurements: 3,
  intervalMs: INTERVAL_MS,
  alpha: 0.01,
  beta: 0.05,
  horizonMs: TICKS * INTERVAL_MS,
  part: 1,
  now: at(k),
});

/** Microseconds per check, and the largest state. */
type Cost = { readonly judged: number; readonly stored: number; readonly bytes: number };

/** An hour of one check; each state goes through JSON as it does through a store, which is timed by itself. */
function anHour({ check }: Kind, answers: readonly Measurement[]): Cost {
  let state: JudgeState | null = null;
  let [judgedMs, storedMs, bytes] = [0, 0, 0];
  for (const [k, answer] of answers.entries()) {
    const context = contextAt(k);
    const began = performance.now();
    const judged = judge(check, state, answer, context);
    const judgedAt = performance.now();
    const text = JSON.stringify(judged.state);
    state = JSON.parse(text) as JudgeState; // what a store gives back
    storedMs += performance.now() - judgedAt;
    judgedMs += judgedAt - began;
    bytes = Math.max(bytes, text.length);
  }
  return { judged: (1000 * judgedMs) / answers.length, stored: (1000 * storedMs) / answers.length, bytes };
}

const worlds = KINDS.map((kind) => ({
  kind,
  answers: Array.from({ length: TICKS }, (_, k) => kind.told(k)),
  costs: new Array<Cost>(),
}));
for (const { kind, answers } of worlds) anHour(kind, answers); // warms the code up
for (let round = 0; round < rounds; round++) for (const { kind, answers, costs } of worlds) costs.push(anHour(kind, answers));

/** Of the rounds, the one in the middle: a round in which the machine did something else does not count. */
const middle = (numbersOf: readonly number[]): number =>
  numbersOf.toSorted((a, b) => a - b)[Math.floor(numbersOf.length / 2)] ?? NaN;

const unit = middle(worlds[0]?.costs.map(({ judged }) => judged) ?? []);
console.log(`node ${process.version}, ${rounds} rounds of ${TICKS} answers each, one core`);
console.log('| check | judged, µs | state to JSON and back, µs | state, bytes | times a threshold | checks per second |');
console.log('|---|---|---|---|---|---|');
for (const { kind, costs } of worlds) {
  const judged = middle(costs.map((cost) => cost.judged));
  const stored = middle(costs.map((cost) => cost.stored));
  const bytes = Math.max(...costs.map((cost) => cost.bytes));
  const perSecond = Math.round(1e6 / (judged + stored));
  console.log(
    `| ${kind.name} | ${judged.toFixed(1)} | ${stored.toFixed(1)} | ${bytes} | ${(judged / unit).toFixed(1)} | ${perSecond} |`,
  );
}
