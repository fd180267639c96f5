/** Checks of every kind, and questions, for tests of what speaks the HTTP API of Prometheus. */
import { client, prometheusSender } from '../../src/adapters/metrics/prometheus/client.ts';
import type { Send } from '../../src/adapters/outgoing/client.ts';
import { prometheusOptions } from '../../src/adapters/metrics/prometheus/options.ts';
import { prometheus } from '../../src/adapters/metrics/prometheus/prometheus.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider } from '../../src/ports/metric-provider.ts';
import { checkOf } from './questions.ts';

type Query = Readonly<Record<string, string>>;

const of = (check: Check, name: string): Check => ({ ...check, name, provider: 'prom' });

export const ratio = (query: Query): Check => of(checkOf.ratio(query), 'errors');
export const slo = (query: Query): Check => of(checkOf.slo(query), 'promise');
export const rate = (query: Query): Check => of(checkOf.rate(query), 'events');
export const latency = (query: Query): Check => of(checkOf.latency(query), 'latency');
export const gauge = (query: string, more: Query = {}): Check => of(checkOf.gauge({ query, ...more }), 'level');
export const threshold = (query: string, more: Query = {}): Check => of(checkOf.threshold({ query, ...more }), 'load');
export const ranks = (query: Query): Check => of(checkOf.mannWhitney(query), 'ranks');
/** The check that gives just what an operator named. */
export const offered = (check: Check, name: string): Check => ({ ...check, query: { offered: name } });

export { questionOf as question } from './questions.ts';

/** Over the network, unless a test answers by itself. */
export function providerAt(url: string, options: Readonly<Record<string, unknown>> = {}, send?: Send): MetricProvider {
  const parsed = prometheusOptions.parse({ type: 'prometheus', url, shareMs: 0, ...options });
  const deps = { send: send ?? prometheusSender(parsed), monotonicMs: () => performance.now() };
  return prometheus('prom', parsed, client(parsed, deps));
}
