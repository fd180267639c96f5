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
import type { InboxStore } from './inbox.ts';
import type { KeyStore } from './key-store.ts';
import type { PlanStore } from './plan-store.ts';
import type { TokenStore } from './token-store.ts';

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
  /** Where it came from, when somebody asked for it. */
  readonly origin?: AuditOrigin;
};
export type AuditOrigin = {
  readonly kind: 'person' | 'ci';
  /** Of the API token that was shown, or that the session was made from. */
  readonly token: string | null;
  /** What an identity provider vouches for. */
  readonly provenance: Readonly<Record<string, string>> | null;
  readonly address: string | null;
  readonly request: string;
};
export type StoredAudit = AuditEntry & {
  readonly seq: number;
  readonly at: Instant;
  /** Of this row and the one before it. */
  readonly hash: string;
};

/** One judged measurement, keyed by (release, check, end): a second one with the same key is not written. */
export type MeasurementRow = {
  readonly check: string;
  readonly end: Instant;
  readonly measurement: Measurement;
  readonly verdict: CheckVerdict;
};

export type WeightIntent = { readonly target: TargetId; readonly secondShare: Weight };

/** A request that may come again: its answer is written with its effect, or not at all. */
export type Once<T> = {
  readonly principal: string;
  readonly key: string;
  /** Of what was asked: the same key for something else is a mistake. */
  readonly digest: string;
  answer(done: T): unknown;
};
export type StoredAnswer = { readonly digest: string; readonly answer: unknown };

/** How long a request is known again. */
export const ANSWERS_KEPT_MS = 7 * 86_400_000;

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
  readonly once?: Once<StoredRelease> | null;
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
  readonly once?: Once<StoredRelease> | null;
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
  /** `seq` only goes up: past a number that the place shows and nobody was given. */
  readonly change: Partial<
    Pick<Target, 'seq' | 'verifiedSecond' | 'verifiedSeq' | 'verifiedAt' | 'boots' | 'driftAt' | 'differs' | 'unreachableSince'>
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
    /** `counts`: it was really tried. What was held back, or told when to come again, is not one of its tries. */
    | { readonly kind: 'retry'; readonly at: Instant; readonly detail: string; readonly counts: boolean }
    /** Given up, visibly; later rows of the same subject go on. */
    | { readonly kind: 'parked'; readonly detail: string }
    /** Parked, and its notifier is disabled: all that waits for it is parked, and all that comes until it is enabled. */
    | { readonly kind: 'gone'; readonly detail: string };
};

/** `replaced`: it was parked, and queued again as another row. */
export type DeliveryState = 'pending' | 'delivered' | 'parked' | 'replaced';

export type DeliveryView = {
  readonly seq: number;
  readonly notifier: string;
  readonly subject: string;
  readonly eventId: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly detail: string | null;
  readonly createdAt: Instant;
  /** When it is tried next, while it is pending. */
  readonly dueAt: Instant | null;
  readonly settledAt: Instant | null;
};

export type DeliveryFilter = {
  readonly notifier?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly subject?: string | undefined;
};

/** How a notifier stands: what waits for it, what it missed, and whether it is delivered to at all. */
export type EndpointState = {
  readonly notifier: string;
  readonly disabledAt: Instant | null;
  /** Why it is disabled. */
  readonly reason: string | null;
  readonly pending: number;
  readonly oldestPendingAt: Instant | null;
  readonly parked: number;
  readonly lastDeliveryAt: Instant | null;
  /** Where the oldest that waits did not get through when it was tried. */
  readonly failing: Failing | null;
};

/** `since`: when that one was written. `tries`: those that count. `nextAt`: when it is tried again. */
export type Failing = { readonly since: Instant; readonly detail: string; readonly tries: number; readonly nextAt: Instant };

/** What is queued again: as rows of their own, behind what waits, in the order of their events. */
export type Requeue =
  | { readonly kind: 'row'; readonly seq: number }
  | { readonly kind: 'parked'; readonly notifier: string; readonly subject: string | null; readonly limit: number }
  | { readonly kind: 'events'; readonly notifier: string; readonly events: readonly (ReleaseEvent | TargetEvent)[] };

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

type Parts = TokenStore & InboxStore & PlanStore & KeyStore;

export type Store = Parts & {
  /** Store time: the process clock for an embedded store, the database's own for a shared one. */
  now(): Promise<Instant>;
  /** Cheap read that fails when the store does. */
  ping(): Promise<void>;

  /**
   * Makes services and targets as configured: new ones appear with all traffic on what is stable, known ones keep
   * their weights and roles, those left out stay in the store but are managed no longer.
   */
  configure(
    services: readonly { readonly name: string; readonly slots: readonly [string, string] }[],
    targets: readonly TargetSpec[],
  ): Promise<void>;
  services(): Promise<readonly Service[]>;
  service(name: string): Promise<Service | null>;
  /** Null when there is no such service, or when it is not as it was seen (`updatedAt`). */
  setStable(
    name: string,
    stable: { readonly slot: string | null; readonly version: string; readonly expect?: Instant | null },
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
    /** Only of these services; left out for all. */
    readonly within?: readonly string[] | null;
    readonly phases: readonly PhaseKind[] | null;
    readonly version?: string | null;
    readonly createdBy?: string | null;
    /** Created then or later. */
    readonly since?: Instant | null;
    /** Part of its service, version, id or creator, whatever the case. */
    readonly search?: string | null;
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
  /** Newest first; `text` is a part of the actor, the action, the subject or the reason, whatever its case. */
  audit(query: {
    readonly limit: number;
    readonly before: number | null;
    readonly text?: string | null;
  }): Promise<Page<StoredAudit, number>>;
  /** In the order of writing, so many from the one after this. */
  auditFrom(query: { readonly after: number; readonly limit: number }): Promise<readonly StoredAudit[]>;
  /** The newest row; null when there is none. */
  auditHead(): Promise<Pick<StoredAudit, 'seq' | 'at' | 'hash'> | null>;

  /** Per notifier and subject only the oldest unsettled row, when due; leased so that nobody else sends it meanwhile. */
  claimOutbox(claim: {
    readonly worker: string;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly OutboxRow[]>;
  settle(delivery: Delivery): Promise<void>;
  /** Newest first. */
  deliveries(
    query: { readonly limit: number; readonly before: number | null } & DeliveryFilter,
  ): Promise<Page<DeliveryView, number>>;
  delivery(seq: number): Promise<DeliveryView | null>;
  /** In the order of the names; one that never had anything to deliver is there, too. */
  endpoints(notifiers: readonly string[]): Promise<readonly EndpointState[]>;
  /** Delivered to again; what waits for it is due at once. What was parked stays so until it is queued again. */
  enableEndpoint(notifier: string, audit: AuditEntry): Promise<void>;
  /**
   * Numbers of the new rows. Those that were parked are `replaced` by them. For a disabled notifier they are parked at once.
   * None when there is nothing to queue, or the request was answered meanwhile.
   */
  requeue(requeue: Requeue, audit: AuditEntry, once?: Once<readonly number[]> | null): Promise<readonly number[]>;
  /** Where in the order of all events this one stands; null when there is no such event (any more). */
  positionOf(eventId: string): Promise<number | null>;
  /** For an act that leaves no other trace. */
  writeAudit(audit: AuditEntry): Promise<void>;

  /** Adds to what is kept of the instance; the error is a sentence: why not. What was silent for too long is forgotten first. */
  push(push: Push): Promise<Result<PushOutcome, string>>;
  /** What is kept of these versions, of one service. */
  pushed(service: string, versions: readonly string[]): Promise<readonly Pushed[]>;

  /** What a request with this key was answered; null when there was none, or when it was too long ago. */
  answered(principal: string, key: string): Promise<StoredAnswer | null>;

  /** Reads only what is under way, however much has ended: cheap enough for every few seconds. */
  tally(): Promise<Tally>;

  /** Drops answers that were kept long enough; and measurements, delivered outbox rows, settled webhooks, what was pushed and the events of ended releases older than this; returns how many rows. */
  retain(olderThan: Instant): Promise<number>;
  close(): Promise<void>;
};
