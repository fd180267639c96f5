/** Every metric of Headgate in one file, on a registry of its own. Labels are bounded by what the operator configured. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Recorder } from '../../ports/recorder.ts';

export type PromRecorder = {
  readonly recorder: Recorder;
  metricsText(): Promise<string>;
  readonly contentType: string;
};

const CALL_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10];
const TICK_BUCKETS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60];

export function promRecorder(): PromRecorder {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const tick = new Histogram({
    name: 'headgate_tick_duration_seconds',
    help: 'Duration of one look at one release',
    labelNames: ['outcome'],
    buckets: TICK_BUCKETS,
    registers,
  });
  const lag = new Histogram({
    name: 'headgate_queue_lag_seconds',
    help: 'How late a due release or target was picked up',
    labelNames: ['queue'],
    buckets: TICK_BUCKETS,
    registers,
  });
  const router = new Histogram({
    name: 'headgate_router_call_seconds',
    help: 'Calls to routers',
    labelNames: ['router', 'operation', 'outcome'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const provider = new Histogram({
    name: 'headgate_provider_call_seconds',
    help: 'Questions to metric providers',
    labelNames: ['provider', 'outcome'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const deliveries = new Counter({
    name: 'headgate_deliveries_total',
    help: 'Notifications tried',
    labelNames: ['notifier', 'outcome'],
    registers,
  });
  const events = new Counter({
    name: 'headgate_events_total',
    help: 'Events committed',
    labelNames: ['type'],
    registers,
  });
  const weight = new Gauge({
    name: 'headgate_target_second_slot_ratio',
    help: "Share of a target's second slot, wanted and served",
    labelNames: ['target', 'kind'],
    registers,
  });
  const drift = new Counter({
    name: 'headgate_drift_total',
    help: 'Times a target served another weight than wanted',
    labelNames: ['target'],
    registers,
  });
  const breaker = new Gauge({
    name: 'headgate_breaker_open',
    help: 'Whether calls to a dependency are held back',
    labelNames: ['dependency'],
    registers,
  });
  return {
    recorder: {
      tick: (seconds, outcome) => tick.observe({ outcome }, seconds),
      lag: (queue, seconds) => lag.observe({ queue }, seconds),
      routerCall: (name, operation, outcome, seconds) => router.observe({ router: name, operation, outcome }, seconds),
      providerCall: (name, outcome, seconds) => provider.observe({ provider: name, outcome }, seconds),
      delivery: (notifier, outcome) => deliveries.inc({ notifier, outcome }),
      event: (type) => events.inc({ type }),
      weight: (target, kind, basisPoints) => weight.set({ target, kind }, basisPoints / 10_000),
      drift: (target) => drift.inc({ target }),
      breaker: (dependency, open) => breaker.set({ dependency }, open ? 1 : 0),
    },
    metricsText: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
