/** What the use cases need from the world, built once in `app.ts`; each use case names the part of it that it uses. */
import type { ReleaseId, TargetId, Weight } from '../domain/ids.ts';
import type { Promotion } from '../domain/release.ts';
import type { KeyedMutex } from '../lib/keyed-mutex.ts';
import type { Calls } from './calls.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Hooks } from '../ports/hook.ts';
import type { Log, Scope } from '../ports/log.ts';
import type { MetricProvider } from '../ports/metric-provider.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Recorder } from '../ports/recorder.ts';
import type { Store } from '../ports/store.ts';
import type { Tracer } from '../ports/tracer.ts';
import type { TrafficRouter } from '../ports/traffic-router.ts';
import type { WebhookSource } from '../ports/webhook-source.ts';

export type Context = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly scope: Scope;
  readonly recorder: Recorder;
  readonly tracer: Tracer;
  readonly hooks: Hooks;
  readonly routers: ReadonlyMap<string, TrafficRouter>;
  readonly providers: ReadonlyMap<string, MetricProvider>;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Who may tell by webhook that a flag changed, and where it is read. */
  readonly webhooks: ReadonlyMap<string, WebhookSource>;
  readonly services: ReadonlyMap<string, ServiceSettings>;
  readonly settings: Settings;
  /** Every call out goes through it: deadline, breaker, metrics. */
  readonly calls: Calls;
  /** One writer per target in this process; other processes are kept apart by seq. */
  readonly targetLocks: KeyedMutex;
  /** Failed tries of a release's present intent, for backoff only. */
  readonly tries: Map<ReleaseId, { readonly wanted: Weight; readonly count: number }>;
  /** When this process last read each target in full, by the monotonic clock. */
  readonly looks: Map<TargetId, number>;
  /** Names this process among all that share the store. */
  readonly worker: string;
};

/** What the operator says of a service; roles and versions are in the store. */
export type ServiceSettings = {
  readonly name: string;
  readonly team: string | null;
  readonly environment: string | null;
  /** Provider of checks that name none. */
  readonly provider: string | null;
  readonly versionLabel: string;
  readonly promotion: Promotion;
  /** Notifiers that hear of every release of the service. */
  readonly notify: readonly string[];
  /** Flags of other platforms that decide what its users see. */
  readonly flags: readonly ServiceFlag[];
};

export type ServiceFlag = {
  readonly source: string;
  readonly flag: string;
  /** A change starts a release by this stored plan; places in `version` are filled in from the flag. */
  readonly start: { readonly plan: string; readonly version: string } | null;
};

/** Every bound of the machinery, named, in one place; `config.ts` may set them, the simulator does. */
export type Settings = {
  /** How long a claimed release belongs to a worker; longer than all deadlines of one tick together. */
  readonly leaseMs: number;
  /** Deadlines of calls out. A router's own `applyTimeoutMs` wins over `applyTimeoutMs` when longer. */
  readonly readTimeoutMs: number;
  readonly applyTimeoutMs: number;
  readonly measureTimeoutMs: number;
  readonly hookTimeoutMs: number;
  readonly deliverTimeoutMs: number;
  /** How often a managed target is read and put right. */
  readonly reconcileEveryMs: number;
  /** How long the last weight is watched at least. */
  readonly settleMinMs: number;
  /** Releases worked on at once, and claimed in one batch. */
  readonly concurrency: number;
  /** Longest sleep of the loop when nothing is due. */
  readonly pollMs: number;
  /** Crashes of a release's handler in a row until it is quarantined. */
  readonly crashLimit: number;
  /** How long an outbox row is tried until it is parked. */
  readonly deliverForMs: number;
  /** How often a flag is read while it matters, for senders lose events. */
  readonly flagPollMs: number;
};

export const DEFAULT_SETTINGS: Settings = {
  leaseMs: 60_000,
  readTimeoutMs: 3_000,
  applyTimeoutMs: 5_000,
  measureTimeoutMs: 5_000,
  hookTimeoutMs: 10_000,
  deliverTimeoutMs: 15_000,
  reconcileEveryMs: 5_000,
  settleMinMs: 30_000,
  concurrency: 32,
  pollMs: 2_000,
  crashLimit: 3,
  deliverForMs: 84 * 3_600_000,
  flagPollMs: 60_000,
};
