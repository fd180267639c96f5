/**
 * Everything that lasts. One method is one whole transaction, and no handle leaves it. A commit carries the revision
 * that it was decided on and writes nothing when that is stale. Leases and due times are compared in store time.
 *
 * Two implementations (memory, SQLite) pass one suite; a PostgreSQL one only adds a third.
 */
import type { CheckVerdict, Measurement } from '../domain/analysis/measurement.ts';
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import type { Instant, ReleaseId, TargetId, Weight } from '../domain/ids.ts';
import type { Push, PushOutcome, Pushed } from '../domain/push.ts';
import type { HoldReason, PhaseKind, Release } from '../domain/release.ts';
import type { Service, Target } from '../domain/target.ts';
import type { Result } from '../lib/result.ts';

/** Thrown where a method has no Result: the store cannot be used just now. Never the fault of the release at hand. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /** It does not come back in this process: only a restart helps. */
  readonly forGood: boolean;

  constructor(message: string, { forGood = false, ...options }: ErrorOptions & { readonly forGood?: boolean } = {}) {
    super(message, options);
    this.forGood = forGood;
  }
}

export type StoredRelease = {
  readonly release: Release;
  /** Grows by one with every commit; the compare-and-set value. */
  readonly revision: number;
  readonly dueAt: Instant;
  readonly crashes: number;
};

export type CheckState = {
  readonly check: string;
  readonly state: unknown;
  readonly verdict: CheckVerdict | null;
};

/** A release to work on: leased to `worker` until `leaseUntil`, with all that a tick needs. */
export type Claimed = StoredRelease & {
  readonly service: Service;
  readonly targets: readonly Target[];
  readonly checkStates: readonly CheckState[];
  readonly leaseUntil: Instant;
};

export type AuditEntry = {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly data: unknown;
};
export type StoredAudit = AuditEntry & { readonly seq: number; readonly at: Instant };

/** One judged measurement, keyed by (release, check, end): a second one with the same key is not written. */
export type MeasurementRow = {
  readonly check: string;
  readonly end: Instant;
  readonly measurement: Measurement;
  readonly verdict: CheckVerdict;
};

export type WeightIntent = { readonly target: TargetId; readonly secondShare: Weight };

export type Commit = {
  readonly id: ReleaseId;
  /** The revision that the decision was made on. */
  readonly revision: number;
  readonly next: Release;
  readonly events: readonly ReleaseEvent[];
  /** New wanted shares; each takes its target's next seq in this transaction. */
  readonly intents: readonly WeightIntent[];
  readonly measurements: readonly MeasurementRow[];
  readonly checkStates: readonly CheckState[];
  /** Set with `release.promoted`: the roles swap in the same transaction. */
  readonly service: { readonly stableSlot: string; readonly stableVersion: string } | null;
  readonly audit: AuditEntry | null;
  /** Names of notifiers; one outbox row per event and notifier. */
  readonly notify: readonly string[];
  readonly dueAt: Instant;
  /** Who holds the lease afterwards: the worker for so long, or nobody. Taking it away from another worker is allowed. */
  readonly lease: { readonly worker: string; readonly ms: number } | null;
};

export type Committed = { readonly revision: number; readonly targets: readonly Target[] };

/** `stale`: somebody else committed first, nothing was written. `busy`: the store could not be written just now. */
export type CommitError = { readonly kind: 'stale' | 'busy'; readonly detail: string };

export type NewRelease = {
  readonly release: Release;
  readonly events: readonly ReleaseEvent[];
  readonly audit: AuditEntry;
  readonly notify: readonly string[];
  readonly dueAt: Instant;
  /** The active release (or null) that the decision saw; another one by now makes it `stale`. */
  readonly expectActive: ReleaseId | null;
};

/** What a lookup for a target's reconcile gets: the target and who moves it now. */
export type ClaimedTarget = {
  readonly target: Target;
  readonly service: Service;
  readonly active: Release | null;
};

export type TargetUpdate = {
  readonly id: TargetId;
  /** Written only while the target still has this seq; else `stale`. */
  readonly seq: number;
  readonly change: Partial<
    Pick<Target, 'verifiedSecond' | 'verifiedSeq' | 'verifiedAt' | 'boots' | 'driftAt' | 'differs' | 'unreachableSince'>
  >;
  /** `adopt`: the new wanted share; takes the next seq. */
  readonly adopt: Weight | null;
  readonly events: readonly TargetEvent[];
  readonly notify: readonly string[];
};

export type OutboxRow = {
  /** Order of delivery within one notifier and one subject. */
  readonly seq: number;
  readonly notifier: string;
  /** Release or target id: rows of one subject are delivered in order. */
  readonly subject: string;
  readonly event: ReleaseEvent | TargetEvent;
  readonly attempts: number;
  readonly createdAt: Instant;
};

export type Delivery = {
  readonly seq: number;
  readonly outcome:
    | { readonly kind: 'delivered' }
    | { readonly kind: 'retry'; readonly at: Instant; readonly detail: string }
    /** Given up, visibly; later rows of the same subject go on. */
    | { readonly kind: 'parked'; readonly detail: string };
};

export type DeliveryView = {
  readonly seq: number;
  readonly notifier: string;
  readonly subject: string;
  readonly eventId: string;
  readonly type: string;
  readonly state: 'pending' | 'delivered' | 'parked';
  readonly attempts: number;
  readonly detail: string | null;
  readonly createdAt: Instant;
  readonly settledAt: Instant | null;
};

export type StoredPlan = {
  readonly name: string;
  readonly version: number;
  readonly service: string;
  /** The text as it was written. */
  readonly document: string;
  readonly createdAt: Instant;
};

export type NextDue = { readonly release: Instant | null; readonly target: Instant | null; readonly outbox: Instant | null };

/** What is under way, counted. */
export type Tally = {
  /** Releases that have not ended; those that stand alike are counted together. */
  readonly releases: readonly Standing[];
  /** What is not delivered yet, by notifier. */
  readonly outbox: readonly { readonly notifier: string; readonly pending: number; readonly oldestAt: Instant }[];
};

export type Standing = {
  readonly service: string;
  readonly phase: PhaseKind;
  readonly hold: HoldReason | null;
  readonly unverified: boolean;
  readonly quarantined: boolean;
  readonly count: number;
};

/** A page of a list: rows in the order of the key, and the key to go on from, null at the end. */
export type Page<T, K = string> = { readonly rows: readonly T[]; readonly next: K | null };

/** Events of all streams in commit order, for SSE and replay; `position` grows without end and is never reused. */
export type LoggedEvent = { readonly position: number; readonly event: ReleaseEvent | TargetEvent };

export type TargetSpec = Pick<Target, 'id' | 'service' | 'router' | 'route' | 'cell' | 'slots' | 'management'>;

export type Store = {
  /** Store time: the process clock for an embedded store, the database's own for a shared one. */
  now(): Promise<Instant>;
  /** Cheap read that fails when the store does. */
  ping(): Promise<void>;

  /**
   * Makes services and targets as configured: new ones appear with all traffic on what is stable (the first slot of a new service), known ones keep
   * their weights and roles, those left out stay in the store but are managed no longer.
   */
  configure(
    services: readonly { readonly name: string; readonly slots: readonly [string, string] }[],
    targets: readonly TargetSpec[],
  ): Promise<void>;
  services(): Promise<readonly Service[]>;
  service(name: string): Promise<Service | null>;
  setStable(
    name: string,
    stable: { readonly slot: string | null; readonly version: string },
    audit: AuditEntry,
  ): Promise<Service | null>;
  /** Managed targets, of one service or of all. */
  targets(service: string | null): Promise<readonly Target[]>;

  create(release: NewRelease): Promise<Result<StoredRelease, CommitError>>;
  release(id: ReleaseId): Promise<StoredRelease | null>;
  /** As `claimDue` would give it, without a lease and without regard to being due. */
  load(id: ReleaseId): Promise<Claimed | null>;
  /** The release that moves the service now. */
  active(service: string): Promise<StoredRelease | null>;
  /** Not ended and not started: oldest first. */
  queued(service: string): Promise<readonly StoredRelease[]>;
  /** Newest first; keyset by (created, id). */
  releases(query: {
    readonly service: string | null;
    readonly phases: readonly PhaseKind[] | null;
    readonly limit: number;
    readonly cursor: string | null;
  }): Promise<Page<StoredRelease>>;

  /** Leases up to `limit` releases that are due and free (or whose lease has expired), most overdue first. */
  claimDue(claim: { readonly worker: string; readonly leaseMs: number; readonly limit: number }): Promise<readonly Claimed[]>;
  commit(commit: Commit): Promise<Result<Committed, CommitError>>;
  /** Gives the lease back without a change, due again then; does nothing when the lease is another's by now. */
  yieldLease(yielded: { readonly id: ReleaseId; readonly worker: string; readonly dueAt: Instant }): Promise<void>;
  /** Makes a release due at once (a command, a new version of the facts). */
  wake(id: ReleaseId): Promise<void>;
  /** Counts a crash of the handler and gives the lease back; returns how many in a row. A commit by a tick resets it. */
  recordCrash(crash: {
    readonly id: ReleaseId;
    readonly worker: string;
    readonly error: string;
    readonly dueAt: Instant;
  }): Promise<number>;
  /** When the next one of each queue is due, null when there is none: until then nobody has to look. */
  nextDueAt(): Promise<NextDue>;

  /** Leases managed targets that are due for reconcile and sets them due again `everyMs` later. */
  claimDueTargets(claim: {
    readonly worker: string;
    readonly everyMs: number;
    readonly limit: number;
  }): Promise<readonly ClaimedTarget[]>;
  claimTarget(id: TargetId): Promise<ClaimedTarget | null>;
  updateTarget(update: TargetUpdate): Promise<Result<Target, CommitError>>;

  savePlan(
    plan: { readonly name: string; readonly service: string; readonly document: string },
    audit: AuditEntry,
  ): Promise<StoredPlan>;
  /** The newest version, or the one asked for. */
  plan(name: string, version: number | null): Promise<StoredPlan | null>;
  plans(query: { readonly limit: number; readonly cursor: string | null }): Promise<Page<StoredPlan>>;

  releaseEvents(id: ReleaseId, query: { readonly afterSeq: number; readonly limit: number }): Promise<Page<ReleaseEvent, number>>;
  targetEvents(id: TargetId, query: { readonly afterSeq: number; readonly limit: number }): Promise<Page<TargetEvent, number>>;
  events(query: { readonly afterPosition: number; readonly limit: number }): Promise<readonly LoggedEvent[]>;
  lastPosition(): Promise<number>;
  checkStates(id: ReleaseId): Promise<readonly CheckState[]>;
  /** Newest first; keyset by the order in which they were written. */
  measurements(
    id: ReleaseId,
    query: { readonly check: string | null; readonly limit: number; readonly before: number | null },
  ): Promise<Page<MeasurementRow, number>>;
  audit(query: { readonly limit: number; readonly before: number | null }): Promise<Page<StoredAudit, number>>;

  /** Per notifier and subject only the oldest unsettled row, when due; leased so that nobody else sends it meanwhile. */
  claimOutbox(claim: {
    readonly worker: string;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly OutboxRow[]>;
  settle(delivery: Delivery): Promise<void>;
  /** Newest first. */
  deliveries(query: { readonly limit: number; readonly before: number | null }): Promise<Page<DeliveryView, number>>;

  /** Adds to what is kept of the instance; the error is a sentence: why not. What was silent for too long is forgotten first. */
  push(push: Push): Promise<Result<PushOutcome, string>>;
  /** What is kept of these versions, of one service. */
  pushed(service: string, versions: readonly string[]): Promise<readonly Pushed[]>;

  /** Reads only what is under way, however much has ended: cheap enough for every few seconds. */
  tally(): Promise<Tally>;

  /** Drops measurements, delivered outbox rows, what was pushed and the events of ended releases older than this; returns how many rows. */
  retain(olderThan: Instant): Promise<number>;
  close(): Promise<void>;
};
