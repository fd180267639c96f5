/**
 * The people who use the services, and the provider that counts them. Requests follow the weights that the routers really
 * serve; errors follow the truth about each version. A provider may also be frozen, old, empty, wrong, slow or gone.
 */
import { err } from '../../src/lib/result.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Chance } from './chance.ts';
import type { FaultKind, Faults } from './faults.ts';
import type { SimRouter } from './router.ts';
import type { Truth } from './spec.ts';
import type { VirtualClock } from './virtual-clock.ts';

const BASE_ERRORS = 0.01;
const BOUNDS_MS = [50, 100, 200, 400, 800];

type Counted = { version: string; startedAt: Instant; deployedAtMs: number; total: number; bad: number; slow: number };

export type Traffic = {
  /** Puts a version into a slot; its counters begin at nothing. */
  deploy(slot: string, version: string): void;
  versionIn(slot: string): string | null;
  /** Counts what was served until now; to be called before any weight changes. */
  advance(): void;
  countsOf(slot: string): Readonly<Counted> | null;
  /** Error share of the version in the slot, now. */
  errorsOf(slot: string): number;
};

export type TrafficWorld = {
  readonly clock: VirtualClock;
  readonly draw: Chance;
  readonly storeNow: () => Instant;
  readonly routers: () => readonly SimRouter[];
  readonly truths: ReadonlyMap<string, Truth>;
  readonly requestsPerSecond: number;
};

export function traffic(world: TrafficWorld): Traffic {
  const slots = new Map<string, Counted>();
  let countedMs = 0;

  const errorsOf = (counted: Counted, share: number): number => {
    const truth = world.truths.get(counted.version) ?? { kind: 'good' };
    const ageMs = world.clock.nowMs() - counted.deployedAtMs;
    switch (truth.kind) {
      case 'good':
        return BASE_ERRORS;
      case 'bad':
        return BASE_ERRORS + truth.excess;
      case 'bad_from_weight':
        return BASE_ERRORS + (truth.weight <= share * 10_000 ? truth.excess : 0);
      case 'bad_after':
        return BASE_ERRORS + (truth.ms <= ageMs ? truth.excess : 0);
      default:
        return BASE_ERRORS + Math.min(0.9, (truth.excessPerHour * ageMs) / 3_600_000);
    }
  };
  const shareOf = (slot: string): number => {
    const routers = world.routers();
    const nodes = routers.flatMap((router) =>
      router.nodes.filter((node) => node.isUp).map((node) => (slot === router.slots[1] ? node.share : 10_000 - node.share)),
    );
    return nodes.length === 0 ? 0 : nodes.reduce((sum, share) => sum + share, 0) / nodes.length / 10_000;
  };
  const noisy = (expected: number): number =>
    Math.max(0, expected + Math.sqrt(expected) * (world.draw.next() + world.draw.next() + world.draw.next() - 1.5) * 1.5);

  return {
    deploy(slot, version) {
      slots.set(slot, { version, startedAt: world.storeNow(), deployedAtMs: world.clock.nowMs(), total: 0, bad: 0, slow: 0 });
    },
    versionIn: (slot) => slots.get(slot)?.version ?? null,
    advance() {
      const elapsedS = (world.clock.nowMs() - countedMs) / 1000;
      if (elapsedS <= 0) return;
      countedMs = world.clock.nowMs();
      for (const [slot, counted] of slots) {
        const share = shareOf(slot);
        const requests = elapsedS * world.requestsPerSecond * share;
        if (requests === 0) continue;
        const errors = errorsOf(counted, share);
        counted.total += requests;
        counted.bad = Math.min(counted.total, counted.bad + noisy(requests * errors));
        counted.slow = Math.min(counted.total, counted.slow + noisy(requests * Math.min(0.9, 0.03 + errors / 2)));
      }
    },
    countsOf: (slot) => slots.get(slot) ?? null,
    errorsOf(slot) {
      const counted = slots.get(slot);
      return counted ? errorsOf(counted, shareOf(slot)) : BASE_ERRORS;
    },
  };
}

export const METRIC_FAULTS = [
  'metrics_frozen',
  'metrics_stale',
  'metrics_empty',
  'metrics_nan',
  'metrics_lying',
  'metrics_slow',
  'metrics_down',
] as const satisfies readonly FaultKind[];
export type MetricFault = (typeof METRIC_FAULTS)[number];

/** An honest answer that is new: what the oracle may take for evidence. */
export type Evidence = {
  readonly at: Instant;
  readonly seenAt: Instant;
  readonly canary: readonly [total: number, bad: number];
  readonly stable: readonly [total: number, bad: number];
};

export type ProviderWorld = {
  readonly clock: VirtualClock;
  readonly draw: Chance;
  readonly faults: Faults;
  readonly storeNow: () => Instant;
  readonly trafficOf: (service: string) => Traffic;
  onEvidence(question: Question, evidence: Evidence): void;
};

export type SimProvider = { readonly port: MetricProvider; setFault(fault: MetricFault | null): void };

export function simProvider(name: string, world: ProviderWorld): SimProvider {
  const { clock, draw } = world;
  const last = new Map<string, Measurement>();
  let fault: MetricFault | null = null;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

  const honest = (question: Question, at: Instant): Measurement => {
    const trafficNow = world.trafficOf(question.service);
    trafficNow.advance();
    const canary = trafficNow.countsOf(question.canarySlot);
    const stable = trafficNow.countsOf(question.stableSlot);
    const counts = (counted: typeof canary): [number, number] =>
      counted ? [Math.floor(counted.total), Math.min(Math.floor(counted.total), Math.floor(counted.bad))] : [0, 0];
    if (!canary || canary.version !== question.canaryVersion) return { kind: 'no_data', at, detail: 'no series of the canary' };
    world.onEvidence(question, { at, seenAt: world.storeNow(), canary: counts(canary), stable: counts(stable) });
    const arms = [
      { role: 'canary' as const, counted: canary },
      ...(stable ? [{ role: 'stable' as const, counted: stable }] : []),
    ];
    const named = arms.map(({ role, counted }) => ({ key: counted.version, role, startedAt: counted.startedAt, counted }));
    switch (question.check.kind) {
      case 'ratio':
        return {
          kind: 'counters',
          at,
          series: named.map(({ counted, ...rest }) => ({ ...rest, total: counts(counted)[0], bad: counts(counted)[1] })),
        };
      case 'latency':
        return {
          kind: 'histogram',
          at,
          boundsMs: BOUNDS_MS,
          series: named.map(({ counted, ...rest }) => ({ ...rest, counts: bucketsOf(counted) })),
        };
      default:
        return { kind: 'value', at, value: 0.4 + Math.min(0.6, trafficNow.errorsOf(question.canarySlot)) };
    }
  };

  /** An old sample under a new date is a distinct one as far as anybody can tell. */
  const repeatEvidence = (question: Question, at: Instant): void => {
    const counts = { canary: [0, 0], stable: [0, 0] } as const;
    world.onEvidence(question, { at, seenAt: world.storeNow(), ...counts });
  };

  const dishonest = (question: Question, now: Instant): Measurement => {
    const { kind } = question.check;
    const series = { key: 'x', startedAt: null };
    if (fault === 'metrics_nan') {
      if (kind === 'threshold') return { kind: 'value', at: now, value: draw.pick([Number.NaN, Number.POSITIVE_INFINITY]) };
      if (kind === 'latency')
        return {
          kind: 'histogram',
          at: now,
          boundsMs: BOUNDS_MS,
          series: [{ ...series, role: 'canary', counts: BOUNDS_MS.map(() => Number.NaN).concat(0) }],
        };
      return { kind: 'counters', at: now, series: [{ ...series, role: 'canary', total: Number.NaN, bad: 0 }] };
    }
    if (kind === 'threshold') return { kind: 'counters', at: now, series: [] };
    return draw.pick<Measurement>([
      { kind: 'value', at: now, value: 0 },
      { kind: 'counters', at: now, series: [{ ...series, role: 'canary', total: 10, bad: 500 }] },
      { kind: 'counters', at: now, series: [{ ...series, role: 'canary', total: -4, bad: -9 }] },
      { kind: 'histogram', at: now, boundsMs: [], series: [] },
      { kind: 'counters', at: Instant(now + 86_400_000), series: [{ ...series, role: 'canary', total: 100_000, bad: 0 }] },
    ]);
  };

  const answer = (question: Question): Measurement => {
    const now = world.storeNow();
    const key = `${question.canaryVersion} ${question.check.name}`;
    switch (fault) {
      case 'metrics_empty':
        return { kind: 'no_data', at: now, detail: 'an empty answer' };
      case 'metrics_nan':
      case 'metrics_lying':
        return dishonest(question, now);
      case 'metrics_down':
        return { kind: 'failed', at: now, detail: 'connection refused' };
      case 'metrics_frozen': {
        const before = last.get(key);
        if (before) return before;
        break;
      }
      case 'metrics_stale': {
        const before = last.get(key);
        const old = Instant(Math.max(0, now - 5 * 10_000));
        if (!before) return { kind: 'no_data', at: old, detail: 'nothing yet' };
        if (old <= before.at) return before;
        repeatEvidence(question, old);
        return { ...before, at: old };
      }
      default:
        break;
    }
    const measured = honest(question, now);
    if (measured.kind !== 'no_data') last.set(key, measured);
    return measured;
  };

  return {
    port: {
      name,
      type: 'simulated',
      offers: {},
      refuses: () => null,
      async measure(question) {
        await pause(fault === 'metrics_slow' ? draw.int(1_000, 20_000) : draw.int(1, 60));
        return answer(question);
      },
      history: async () => err('the simulation remembers nothing'),
      close: async () => {},
    },
    setFault(next) {
      fault = next;
    },
  };
}

/** Slow requests end in the two upper buckets, all others in the lower ones. */
function bucketsOf({ total, slow }: Readonly<Counted>): readonly number[] {
  const all = Math.floor(total);
  const late = Math.min(all, Math.floor(slow));
  const fast = all - late;
  const halves = Math.floor(fast / 2);
  const upper = Math.floor(late / 2);
  return [halves, fast - halves, 0, 0, late - upper, upper];
}
