/** Checks of every kind and questions about them, for tests of what providers answer. */
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { Question } from '../../src/ports/metric-provider.ts';

type Texts = Readonly<Record<string, string>>;

const base = {
  provider: 'metrics',
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
} as const;
const evidence = { tolerance: 0.1, weight: 1, minRequests: null };

export const checkOf = {
  ratio: (query: Texts): Check => ({
    ...{ ...base, ...evidence, name: 'errors', query, kind: 'ratio', worse: 'higher', floor: 0.001, max: null, hardMax: null },
  }),
  rate: (query: Texts): Check => ({ ...base, ...evidence, name: 'restarts', query, kind: 'rate', worse: 'higher', floor: 0 }),
  latency: (query: Texts): Check => ({
    ...{ ...base, ...evidence, name: 'latency', query, kind: 'latency', quantile: 0.95, maxMs: null, hardMaxMs: null },
  }),
  gauge: (query: Texts): Check => ({
    ...{ ...base, name: 'memory', query, kind: 'gauge', tolerance: 0.1, weight: 1, worse: 'higher', floor: 0 },
  }),
  slo: (query: Texts): Check => ({
    ...base,
    name: 'slo',
    query,
    kind: 'slo',
    weight: 1,
    minRequests: null,
    max: 0.01,
    hardMax: null,
  }),
  threshold: (query: Texts): Check => ({
    ...{ ...base, name: 'load', query, kind: 'threshold', min: null, max: 1, hardMin: null, hardMax: null },
    failures: { breaches: 1, of: 1 },
  }),
  mannWhitney: (query: Texts): Check => ({
    ...{ ...base, name: 'ranks', query, kind: 'mann-whitney', direction: 'either', tolerance: 0.25, critical: false },
    ...{ allowed: { increase: 1, decrease: 1 }, criticalAllowed: { increase: 1, decrease: 1 }, mustHaveData: false },
    ...{ group: 'all', lookbackMs: null, minValues: 50 },
  }),
};

export const questionOf = (check: Check, change: Partial<Question> = {}): Question => ({
  check,
  service: 'shop',
  canaryVersion: '2.0',
  stableVersion: '1.0',
  canarySlot: 'green',
  stableSlot: 'blue',
  routes: [],
  since: Instant(0),
  intervalMs: 5_000,
  now: Instant(Date.now()),
  ...change,
});
