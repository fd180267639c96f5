/**
 * Every metric of Headgate in one file, on a registry of its own. Labels are bounded by what the operator configured;
 * names of checks, which a plan brings along, are bounded here.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PhaseKind } from '../../domain/release.ts';
import type { Recorder, Stock } from '../../ports/recorder.ts';

export type PromRecorder = {
  readonly recorder: Recorder;
  metricsText(): Promise<string>;
  readonly contentType: string;
};

const CALL_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10];
const TICK_BUCKETS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60];
const SAFE_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Totals of what the gauges without that ending say by type already. */
const SAID_TWICE = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Phases of releases that have not ended. */
const PHASES: Readonly<Record<Exclude<PhaseKind, 'promoted' | 'rolledBack' | 'superseded'>, true>> = {
  queued: true,
  starting: true,
  shifting: true,
  watching: true,
  paused: true,
  awaitingApproval: true,
  baking: true,
  promoting: true,
  rollingBack: true,
  settling: true,
};

const CHECKS_OF_A_SERVICE = 50;

/** The name, or `other` once a service has had so many of them. */
function boundedChecks(): (service: string, check: string) => string {
  const known = new Map<string, Set<string>>();
  return (service, check) => {
    const names = known.get(service) ?? new Set();
    known.set(service, names);
    if (!names.has(check) && CHECKS_OF_A_SERVICE <= names.size) return 'other';
    names.add(check);
    return check;
  };
}

export function promRecorder(): PromRecorder {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of SAID_TWICE) registry.removeSingleMetric(name);
  const { begin, ...counts } = counting([registry]);
  const standing = stocktaking([registry]);
  const stock = (seen: Stock): void => {
    begin(seen);
    standing(seen);
  };
  const recorder = { ...counts, stock };
  return { recorder, metricsText: () => registry.metrics(), contentType: registry.contentType };
}

/**
 * What happens, counted and timed as it does. A series that begins above zero is an increase that nobody sees: `begin` makes
 * those that alerts go by as soon as their labels are known.
 */
function counting(registers: Registry[]): Omit<Recorder, 'stock'> & { begin(stock: Stock): void } {
  const histogram = <T extends string>(name: string, help: string, labelNames: readonly T[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Counter({ name, help, labelNames, registers });
  const tick = histogram('headgate_tick_duration_seconds', 'Duration of one look at one release', ['outcome'], TICK_BUCKETS);
  const lag = histogram('headgate_queue_lag_seconds', 'How late a due release or target was picked up', ['queue'], TICK_BUCKETS);
  const router = histogram('headgate_router_call_seconds', 'Calls to routers', ['router', 'operation', 'outcome'], CALL_BUCKETS);
  const provider = histogram(
    'headgate_provider_call_seconds',
    'Questions to metric providers',
    ['provider', 'outcome'],
    CALL_BUCKETS,
  );
  const safe = histogram(
    'headgate_time_to_safe_seconds',
    'From deciding a rollback until no traffic was read back on the new version',
    ['service'],
    SAFE_BUCKETS,
  );
  const evidence = new Gauge({
    name: 'headgate_evidence',
    help: 'Natural logarithm of the evidence that the canary is worse than tolerated',
    labelNames: ['service', 'check'],
    registers,
  });
  const threshold = new Gauge({
    name: 'headgate_evidence_threshold',
    help: 'Where the evidence takes a release back',
    labelNames: ['service', 'check'],
    registers,
  });
  const verdicts = counter('headgate_verdicts_total', 'What checks said, once per look', ['service', 'check', 'verdict']);
  const deliveries = counter('headgate_deliveries_total', 'Notifications tried', ['notifier', 'outcome']);
  const webhooks = counter('headgate_webhooks_total', 'Webhooks that came in, and what became of them', ['source', 'outcome']);
  const flagReads = counter('headgate_flag_reads_total', 'Flags read from their platforms', ['source', 'outcome']);
  const events = counter('headgate_events_total', 'Events committed', ['type']);
  const drift = counter('headgate_drift_total', 'Times a target served another weight than wanted', ['target']);
  const storeErrors = counter('headgate_store_errors_total', 'Calls of the store that failed', []);
  const weight = new Gauge({
    name: 'headgate_target_second_slot_ratio',
    help: "Share of a target's second slot: wanted, and as last read (absent while nobody can tell)",
    labelNames: ['target', 'kind'],
    registers,
  });
  const breaker = new Gauge({
    name: 'headgate_breaker_open',
    help: 'Whether calls to a dependency are held back',
    labelNames: ['dependency'],
    registers,
  });
  const bounded = boundedChecks();
  const timed = new Set<string>();
  const judged = new Map<string, Map<string, { service: string; check: string }>>();
  const beginTiming = (service: string): void => {
    if (!timed.has(service)) safe.zero({ service });
    timed.add(service);
  };
  const beginDelivering = (notifier: string): void => {
    for (const outcome of ['delivered', 'retry', 'parked', 'gone']) deliveries.inc({ notifier, outcome }, 0);
  };
  for (const outcome of ['ok', 'stale', 'crashed']) tick.zero({ outcome });
  return {
    begin({ stored, notifiers }) {
      notifiers.forEach(beginDelivering);
      for (const { id, service } of stored?.targets ?? []) {
        drift.inc({ target: id }, 0);
        beginTiming(service);
      }
    },
    ended(service) {
      for (const labels of judged.get(service)?.values() ?? []) {
        evidence.remove(labels);
        threshold.remove(labels);
      }
      judged.delete(service);
    },
    tick: (seconds, outcome) => tick.observe({ outcome }, seconds),
    lag: (queue, seconds) => lag.observe({ queue }, seconds),
    routerCall: (name, operation, outcome, seconds) => router.observe({ router: name, operation, outcome }, seconds),
    providerCall: (name, outcome, seconds) => provider.observe({ provider: name, outcome }, seconds),
    verdict(service, check, { verdict, evidence: { weighed } }) {
      const labels = { service, check: bounded(service, check) };
      verdicts.inc({ ...labels, verdict });
      if (weighed === null) return;
      judged.set(service, (judged.get(service) ?? new Map()).set(labels.check, labels));
      evidence.set(labels, weighed.together);
      threshold.set(labels, weighed.threshold);
    },
    delivery: (notifier, outcome) => deliveries.inc({ notifier, outcome }),
    webhook: (source, outcome) => webhooks.inc({ source, outcome }),
    flagRead: (source, outcome) => flagReads.inc({ source, outcome }),
    event: (type) => events.inc({ type }),
    weight(target, kind, basisPoints) {
      if (basisPoints === null) weight.remove({ target, kind });
      else weight.set({ target, kind }, basisPoints / 10_000);
    },
    drift: (target) => drift.inc({ target }),
    breaker: (dependency, open) => breaker.set({ dependency }, open ? 1 : 0),
    timeToSafe(service, seconds) {
      beginTiming(service);
      safe.observe({ service }, seconds);
    },
    storeFailed: () => storeErrors.inc(),
  };
}

/** How things stand, set anew at every scrape. While the store is away it stays as it was: an alert is not over for that. */
function stocktaking(registers: Registry[]): Recorder['stock'] {
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Gauge({ name, help, labelNames, registers });
  const silence = gauge('headgate_loop_silence_seconds', 'Since the slowest loop of the scheduler came round', []);
  const clockStep = gauge('headgate_clock_step_seconds', "How far the machine's clock is ahead of Headgate's", []);
  const storeUp = gauge('headgate_store_up', 'Whether the store answers', []);
  const phases = gauge('headgate_releases', 'Releases that have not ended', ['phase']);
  const held = gauge('headgate_releases_held', 'Releases that are held', ['service', 'reason']);
  const unverified = gauge('headgate_releases_unverified', 'Rollbacks that could not be read back', ['service']);
  const quarantined = gauge('headgate_releases_quarantined', 'Releases whose handler keeps crashing', ['service']);
  const pending = gauge('headgate_outbox_pending', 'Notifications that are not delivered yet', ['notifier']);
  const inbox = gauge('headgate_inbox_pending', 'Webhooks that came in and are not worked off yet', ['source']);
  const oldest = gauge('headgate_outbox_oldest_age_seconds', 'Age of the oldest one of them, 0 for none', ['notifier']);
  const parked = gauge('headgate_outbox_parked', 'Notifications that were given up and can be queued again', ['notifier']);
  const disabled = gauge('headgate_endpoint_disabled', 'Whether a receiver said that it is gone, 1 when it did', ['notifier']);
  const driftAge = gauge(
    'headgate_target_drift_age_seconds',
    'How long a target has served another weight than wanted, 0 when it does not',
    ['target'],
  );
  const unreachable = gauge(
    'headgate_target_unreachable_age_seconds',
    'How long a target has been out of reach, 0 when it is not',
    ['target'],
  );
  const ofStore = [phases, held, unverified, quarantined, pending, inbox, oldest, parked, disabled, driftAge, unreachable];
  return ({ loopSilence, clockStep: step, stored, notifiers }: Stock) => {
    silence.set(loopSilence);
    clockStep.set(step);
    storeUp.set(stored ? 1 : 0);
    if (!stored) return;
    for (const each of ofStore) each.reset();
    const age = (since: number | null): number => (since === null ? 0 : Math.max(0, stored.now - since) / 1000);
    for (const phase of Object.keys(PHASES)) phases.set({ phase }, 0);
    for (const { service, phase, hold, count, ...standing } of stored.releases) {
      phases.inc({ phase }, count);
      if (hold !== null) held.inc({ service, reason: hold }, count);
      if (standing.unverified) unverified.inc({ service }, count);
      if (standing.quarantined) quarantined.inc({ service }, count);
    }
    for (const notifier of notifiers) {
      pending.set({ notifier }, 0);
      oldest.set({ notifier }, 0);
    }
    for (const { notifier, pending: rows, oldestAt } of stored.outbox) {
      pending.set({ notifier }, rows);
      oldest.set({ notifier }, age(oldestAt));
    }
    for (const { notifier, ...endpoint } of stored.endpoints) {
      parked.set({ notifier }, endpoint.parked);
      disabled.set({ notifier }, endpoint.disabledAt === null ? 0 : 1);
    }
    for (const { source, pending: rows } of stored.inbox) inbox.set({ source }, rows);
    for (const { id: target, differs, driftAt, unreachableSince } of stored.targets) {
      driftAge.set({ target }, differs === null ? 0 : Math.max(0.001, age(driftAt)));
      unreachable.set({ target }, unreachableSince === null ? 0 : Math.max(0.001, age(unreachableSince)));
    }
  };
}
