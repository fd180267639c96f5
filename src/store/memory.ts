/**
 * The contract of the store in plain maps: the reference that SQLite is held against, and what the simulator runs on.
 * Nothing here survives the process, and everything else is as the port says.
 */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { after, Instant, NONE } from '../domain/ids.ts';
import type { ReleaseId, TargetId } from '../domain/ids.ts';
import { isActive, isEnded } from '../domain/release.ts';
import { secondShare } from '../domain/target.ts';
import type { Service, Target } from '../domain/target.ts';
import { assert } from '../lib/assert.ts';
import { hash32 } from '../lib/prng.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type {
  CheckState,
  Claimed,
  ClaimedTarget,
  Commit,
  CommitError,
  MeasurementRow,
  Store,
  StoredRelease,
} from '../ports/store.ts';
import { memoryKeys } from './memory-keys.ts';
import { memoryAnswers } from './memory-answers.ts';
import type { MemoryAnswers } from './memory-answers.ts';
import { memoryAudit } from './memory-audit.ts';
import { memoryInbox } from './memory-inbox.ts';
import { listed } from './memory-releases.ts';
import { memoryPlans } from './memory-plans.ts';
import { memoryOutbox } from './memory-outbox.ts';
import { later } from './later.ts';
import { memoryPushes } from './memory-pushes.ts';
import { memoryTokens } from './memory-tokens.ts';
import { page } from './page.ts';
import { isReleaseEvent, isTargetEvent, subjectOf } from './rows.ts';
import { standings } from './standings.ts';

type Row = StoredRelease & { readonly worker: string | null; readonly leaseUntil: Instant };
type TargetRow = { readonly target: Target; readonly managed: boolean; readonly dueAt: Instant };

type State = {
  readonly now: () => Instant;
  readonly services: Map<string, Service>;
  readonly targets: Map<TargetId, TargetRow>;
  readonly releases: Map<ReleaseId, Row>;
  /** The rows that can still be due: ended releases pile up, and are never looked through. */
  readonly running: Map<ReleaseId, Row>;
  readonly events: (ReleaseEvent | TargetEvent)[];
  readonly streams: Map<string, (ReleaseEvent | TargetEvent)[]>;
  readonly checkStates: Map<ReleaseId, Map<string, CheckState>>;
  readonly measurements: Map<ReleaseId, Map<string, MeasurementRow>>;
  readonly audit: ReturnType<typeof memoryAudit>;
  readonly outbox: ReturnType<typeof memoryOutbox>;
  readonly pushes: ReturnType<typeof memoryPushes>;
  readonly tokens: ReturnType<typeof memoryTokens>;
  readonly answers: MemoryAnswers;
  readonly inbox: ReturnType<typeof memoryInbox>;
};

export function memoryStore({ now }: { readonly now: () => Instant }): Store {
  const answers = memoryAnswers(now);
  const state: State = {
    now,
    services: new Map(),
    targets: new Map(),
    releases: new Map(),
    running: new Map(),
    events: [],
    streams: new Map(),
    checkStates: new Map(),
    measurements: new Map(),
    audit: memoryAudit(now),
    outbox: memoryOutbox(now, (entry) => state.audit.add(entry), answers),
    pushes: memoryPushes(now),
    tokens: memoryTokens(now, (entry) => state.audit.add(entry), answers),
    answers,
    inbox: memoryInbox(now, (entry) => state.audit.add(entry), answers),
  };
  return {
    now: async () => now(),
    ping: async () => {},
    ...services(state),
    ...targets(state),
    ...releases(state),
    ...claims(state),
    ...logs(state),
    ...memoryPlans(now, (entry) => state.audit.add(entry), state.answers),
    ...state.answers.methods,
    ...memoryKeys(now),
    ...state.outbox.methods,
    ...state.pushes.methods,
    ...state.tokens.methods,
    ...state.audit.methods,
    ...state.inbox.methods,
    tally: async () => ({
      releases: standings([...state.running.values()].map(({ release }) => release)),
      outbox: state.outbox.tally(),
    }),
    close: async () => {},
  };
}

const FIRST_LOOK_MS = 5_000;

function services(state: State): Pick<Store, 'configure' | 'services' | 'service' | 'setStable'> {
  const { now } = state;
  return {
    async configure(configured, specs) {
      for (const { name, slots } of configured)
        if (!state.services.has(name))
          state.services.set(name, { name, stableSlot: slots[0], stableVersion: null, updatedAt: now() });
      for (const [id, row] of state.targets) state.targets.set(id, { ...row, managed: false });
      for (const spec of specs) {
        const known = state.targets.get(spec.id)?.target;
        const target: Target = known
          ? { ...known, ...spec }
          : {
              ...spec,
              desiredSecond: secondShare(spec.slots, state.services.get(spec.service)?.stableSlot ?? spec.slots[0], NONE),
              seq: 0,
              verifiedSecond: null,
              verifiedSeq: 0,
              verifiedAt: null,
              boots: {},
              driftAt: null,
              differs: null,
              unreachableSince: null,
              eventSeq: 0,
            };
        state.targets.set(spec.id, {
          target,
          managed: true,
          dueAt: after(now(), hash32(spec.id) % FIRST_LOOK_MS),
        });
      }
    },
    services: async () => [...state.services.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    service: async (name) => state.services.get(name) ?? null,
    async setStable(name, { slot, version, expect = null }, entry) {
      const before = state.services.get(name);
      if (!before || (expect !== null && before.updatedAt !== expect)) return null;
      const service = {
        ...before,
        stableVersion: version,
        stableSlot: slot ?? before.stableSlot,
        updatedAt: later(now(), before),
      };
      state.services.set(name, service);
      state.audit.add(entry);
      return service;
    },
  };
}

function targets(state: State): Pick<Store, 'targets' | 'claimDueTargets' | 'claimTarget' | 'updateTarget'> {
  const { now } = state;
  const managed = (): readonly TargetRow[] => [...state.targets.values()].filter((row) => row.managed);
  return {
    targets: async (service) =>
      managed()
        .map(({ target }) => target)
        .filter((target) => service === null || target.service === service)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    async claimDueTargets({ everyMs, limit }) {
      const due = managed()
        .filter((row) => row.dueAt <= now())
        .toSorted((a, b) => a.dueAt - b.dueAt)
        .slice(0, limit);
      return due.map((row) => {
        state.targets.set(row.target.id, { ...row, dueAt: after(now(), everyMs) });
        return claimedTarget(state, row.target);
      });
    },
    async claimTarget(id) {
      const row = state.targets.get(id);
      return row?.managed ? claimedTarget(state, row.target) : null;
    },
    async updateTarget({ id, seq, change, adopt, events, notify }) {
      const row = state.targets.get(id);
      if (!row || row.target.seq !== seq) return stale(`target ${id} has a newer intent than ${seq}`);
      if (adopt !== null && activeRow(state, row.target.service)) return stale(`a release moves target ${id} by now`);
      if (events[0] && events[0].seq !== row.target.eventSeq + 1) return stale(`another event of target ${id} came first`);
      const changed: Target = { ...row.target, ...change, eventSeq: row.target.eventSeq + events.length };
      const target = adopt === null ? changed : { ...changed, desiredSecond: adopt, seq: seq + 1, verifiedSecond: null };
      state.targets.set(id, { ...row, target });
      append(state, events, notify);
      return ok(target);
    },
  };
}

function releases(
  state: State,
): Pick<Store, 'create' | 'release' | 'load' | 'active' | 'queued' | 'releases' | 'commit' | 'checkStates'> {
  return {
    async create({ release, events, audit, notify, dueAt, expectActive, once }) {
      const active = activeRow(state, release.service)?.release.id ?? null;
      if (state.answers.has(once)) return stale('the request was answered meanwhile');
      if (active !== expectActive || (active !== null && isActive(release)))
        return stale(`the active release of ${release.service} is another one by now`);
      const row: Row = { release, revision: 1, dueAt, crashes: 0, worker: null, leaseUntil: Instant(0) };
      put(state, row);
      append(state, events, notify);
      state.audit.add(audit);
      state.answers.keep(once, row);
      return ok(row);
    },
    release: async (id) => state.releases.get(id) ?? null,
    async load(id) {
      const row = state.releases.get(id);
      return row ? claimedOf(state, row) : null;
    },
    active: async (service) => activeRow(state, service) ?? null,
    queued: async (service) =>
      [...state.running.values()]
        .filter(({ release }) => release.service === service && release.phase.kind === 'queued')
        .toSorted((a, b) => a.release.createdAt - b.release.createdAt || (a.release.id < b.release.id ? -1 : 1)),
    releases: async (query) => listed([...state.releases.values()], query),
    commit: async (commit) => write(state, commit),
    checkStates: async (id) => [...(state.checkStates.get(id)?.values() ?? [])],
  };
}

function claims(state: State): Pick<Store, 'claimDue' | 'yieldLease' | 'nextDueAt' | 'wake' | 'recordCrash'> {
  const { now } = state;
  return {
    async claimDue({ worker, leaseMs, limit }) {
      const at = now();
      const due = [...state.running.values()]
        .filter((row) => row.dueAt <= at && row.leaseUntil <= at)
        .toSorted((a, b) => a.dueAt - b.dueAt);
      return due.slice(0, limit).map((row) => claimedOf(state, put(state, { ...row, worker, leaseUntil: after(at, leaseMs) })));
    },
    async yieldLease({ id, worker, dueAt }) {
      const row = state.releases.get(id);
      if (row?.worker === worker) put(state, { ...row, worker: null, leaseUntil: Instant(0), dueAt });
    },
    async wake(id) {
      const row = state.releases.get(id);
      if (row && state.now() < row.dueAt) put(state, { ...row, dueAt: state.now() });
    },
    async recordCrash({ id, worker, dueAt }) {
      const row = state.releases.get(id);
      if (!row) return 0;
      const mine = row.worker === worker ? { worker: null, leaseUntil: Instant(0), dueAt } : {};
      put(state, { ...row, ...mine, crashes: row.crashes + 1 });
      return row.crashes + 1;
    },
    async nextDueAt() {
      const managed = [...state.targets.values()].filter((row) => row.managed);
      return {
        release: soonest([...state.running.values()].map(({ dueAt, leaseUntil }) => (dueAt < leaseUntil ? leaseUntil : dueAt))),
        target: soonest(managed.map((row) => row.dueAt)),
        outbox: soonest(state.outbox.dueTimes()),
      };
    },
  };
}

type LogMethods =
  | 'releaseEvents'
  | 'targetEvents'
  | 'events'
  | 'lastPosition'
  | 'positionOf'
  | 'measurements'
  | 'writeAudit'
  | 'retain';

function logs(state: State): Pick<Store, LogMethods> {
  const stream = (subject: string, afterSeq: number) =>
    (state.streams.get(subject) ?? []).filter((event) => event.seq > afterSeq);
  return {
    releaseEvents: async (id, { afterSeq, limit }) =>
      page(stream(id, afterSeq).filter(isReleaseEvent), limit, (event) => event.seq),
    targetEvents: async (id, { afterSeq, limit }) =>
      page(stream(id, afterSeq).filter(isTargetEvent), limit, (event) => event.seq),
    events: async ({ afterPosition, limit }) =>
      state.events
        .slice(afterPosition, afterPosition + limit)
        .map((event, index) => ({ position: afterPosition + index + 1, event })),
    lastPosition: async () => state.events.length,
    async positionOf(eventId) {
      const index = state.events.findIndex(({ id }) => id === eventId);
      return index < 0 ? null : index + 1;
    },
    writeAudit: async (entry) => state.audit.add(entry),
    async measurements(id, { check, limit, before }) {
      const numbered = [...(state.measurements.get(id)?.values() ?? [])].map((row, index) => ({ key: index + 1, row }));
      const wanted = numbered.filter(
        ({ key, row }) => (check === null || row.check === check) && (before === null || key < before),
      );
      const found = page(wanted.toReversed(), limit, ({ key }) => key);
      return { ...found, rows: found.rows.map(({ row }) => row) };
    },
    async retain(olderThan) {
      const old = [...state.releases.values()]
        .filter(({ release }) => isEnded(release) && release.createdAt < olderThan)
        .map(({ release }) => release.id);
      let dropped = state.answers.forget() + state.outbox.retain(olderThan) + state.pushes.retain(olderThan);
      dropped += state.tokens.retain(olderThan) + state.inbox.retain(olderThan);
      for (const id of old) {
        dropped +=
          (state.measurements.get(id)?.size ?? 0) + (state.checkStates.get(id)?.size ?? 0) + (state.streams.get(id)?.length ?? 0);
        for (const map of [state.measurements, state.checkStates]) map.delete(id);
        state.streams.delete(id);
      }
      return dropped;
    },
  };
}

function write(state: State, commit: Commit): Result<{ revision: number; targets: readonly Target[] }, CommitError> {
  const { id, revision, next, events, dueAt, lease } = commit;
  const before = state.releases.get(id);
  if (!before || before.revision !== revision) return stale(`release ${id} is not at revision ${revision} any more`);
  const active = activeRow(state, next.service);
  if (isActive(next) && active && active.release.id !== id) return stale('another release is active');
  if (state.answers.has(commit.once)) return stale('the request was answered meanwhile');
  put(state, {
    release: next,
    revision: revision + 1,
    dueAt,
    crashes: 0,
    worker: lease?.worker ?? null,
    leaseUntil: lease ? after(state.now(), lease.ms) : Instant(0),
  });
  for (const { target: targetId, secondShare } of commit.intents) {
    const row = state.targets.get(targetId);
    assert(row, `the target ${targetId} is stored`);
    state.targets.set(targetId, {
      ...row,
      target: { ...row.target, desiredSecond: secondShare, seq: row.target.seq + 1, verifiedSecond: null },
    });
  }
  const service = state.services.get(next.service);
  if (commit.service && service)
    state.services.set(next.service, { ...service, ...commit.service, updatedAt: later(state.now(), service) });
  const rows = state.measurements.get(id) ?? new Map<string, MeasurementRow>();
  for (const row of commit.measurements) if (!rows.has(`${row.check} ${row.end}`)) rows.set(`${row.check} ${row.end}`, row);
  state.measurements.set(id, rows);
  const states = state.checkStates.get(id) ?? new Map<string, CheckState>();
  for (const checkState of commit.checkStates) states.set(checkState.check, checkState);
  state.checkStates.set(id, states);
  append(state, events, commit.notify);
  if (commit.audit) state.audit.add(commit.audit);
  state.answers.keep(commit.once, { release: next, revision: revision + 1, dueAt, crashes: 0 });
  return ok({ revision: revision + 1, targets: targetsOf(state, next.targets) });
}

function put(state: State, row: Row): Row {
  state.releases.set(row.release.id, row);
  if (isEnded(row.release)) state.running.delete(row.release.id);
  else state.running.set(row.release.id, row);
  return row;
}

const activeRow = (state: State, service: string): Row | undefined =>
  [...state.running.values()].find(({ release }) => release.service === service && isActive(release));

const targetsOf = (state: State, ids: readonly TargetId[]): readonly Target[] =>
  ids.flatMap((id) => {
    const row = state.targets.get(id);
    return row?.managed ? [row.target] : [];
  });

function claimedOf(state: State, row: Row): Claimed {
  const service = state.services.get(row.release.service);
  assert(service, `the service ${row.release.service} is stored`);
  return {
    ...row,
    service,
    targets: targetsOf(state, row.release.targets),
    checkStates: [...(state.checkStates.get(row.release.id)?.values() ?? [])],
  };
}

function claimedTarget(state: State, target: Target): ClaimedTarget {
  const service = state.services.get(target.service);
  assert(service, `the service ${target.service} is stored`);
  return { target, service, active: activeRow(state, target.service)?.release ?? null };
}

function append(state: State, events: readonly (ReleaseEvent | TargetEvent)[], notify: readonly string[]): void {
  for (const event of events) {
    state.events.push(event);
    const subject = subjectOf(event);
    const stream = state.streams.get(subject);
    if (stream) stream.push(event);
    else state.streams.set(subject, [event]);
    state.outbox.add(event, notify);
  }
}

const soonest = (times: readonly Instant[]): Instant | null =>
  times.reduce<Instant | null>((first, at) => (first === null || at < first ? at : first), null);

const stale = (detail: string) => err({ kind: 'stale' as const, detail });
