/** Checks of every kind, and questions, for tests of what speaks the HTTP API of Prometheus. */
import { client, poster } from '../../src/adapters/metrics/prometheus/client.ts';
import type { Post } from '../../src/adapters/metrics/prometheus/client.ts';
import { prometheusOptions } from '../../src/adapters/metrics/prometheus/options.ts';
import { prometheus } from '../../src/adapters/metrics/prometheus/prometheus.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';

type Query = Readonly<Record<string, string>>;

const base = {
  provider: 'prom',
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
} as const;
const evidence = { ...base, tolerance: 0.1, weight: 1, minRequests: null };

export const ratio = (query: Query): Check => ({
  ...{ ...evidence, name: 'errors', query, kind: 'ratio', worse: 'higher', floor: 0.001, max: null, hardMax: null },
});
export const slo = (query: Query): Check => ({
  ...{ ...base, name: 'promise', query, kind: 'slo', weight: 1, minRequests: null, max: 0.01, hardMax: null },
});
export const rate = (query: Query): Check => ({ ...evidence, name: 'events', query, kind: 'rate', worse: 'higher', floor: 0 });
export const latency = (query: Query): Check => ({
  ...{ ...evidence, name: 'latency', query, kind: 'latency', quantile: 0.95, maxMs: null, hardMaxMs: null },
});
export const gauge = (query: string, more: Query = {}): Check => ({
  ...{ ...base, name: 'level', query: { query, ...more }, kind: 'gauge', tolerance: 0.1, weight: 1, worse: 'higher', floor: 0 },
});
export const threshold = (query: string, more: Query = {}): Check => ({
  ...{ ...base, name: 'load', query: { query, ...more }, kind: 'threshold', min: null, max: 1, hardMin: null, hardMax: null },
  failures: { breaches: 1, of: 1 },
});
export const ranks = (query: Query): Check => ({
  ...{ ...base, name: 'ranks', query, kind: 'mann-whitney', direction: 'either', tolerance: 0.25, group: 'all', minValues: 50 },
  ...{ allowed: { increase: 1, decrease: 1 }, criticalAllowed: { increase: 1, decrease: 1 }, critical: false },
  ...{ mustHaveData: false, lookbackMs: null },
});
/** The check that gives just what an operator named. */
export const offered = (check: Check, name: string): Check => ({ ...check, query: { offered: name } });

export const question = (check: Check, change: Partial<Question> = {}): Question => ({
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

/** Over the network, unless a test answers by itself. */
export function providerAt(url: string, options: Readonly<Record<string, unknown>> = {}, post?: Post): MetricProvider {
  const parsed = prometheusOptions.parse({ type: 'prometheus', url, shareMs: 0, ...options });
  const deps = { post: post ?? poster(parsed), monotonicMs: () => performance.now() };
  return prometheus('prom', parsed, client(parsed, deps));
}
