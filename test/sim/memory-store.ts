/**
 * The store of the simulator: the same promises as `src/store/sqlite`, kept in maps, an order of magnitude faster. One
 * method is one synchronous transaction, decided before anything is written. Values are immutable, so nothing is copied.
 */
import { after, Instant, NONE } from '../../src/domain/ids.ts';
import type { ReleaseId, TargetId } from '../../src/domain/ids.ts';
import type { ReleaseEvent, TargetEvent } from '../../src/domain/event.ts';
import { isActive, isEnded } from '../../src/domain/release.ts';
import type { Release } from '../../src/domain/release.ts';
import type { Service, Target } from '../../src/domain/target.ts';
import { assert } from '../../src/lib/assert.ts';
import { hash32 } from '../../src/lib/prng.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { AuditEntry, CheckState, Claimed, ClaimedTarget, Commit, MeasurementRow, OutboxRow, Page, Store, StoredAudit, StoredPlan, StoredRelease } from '../../src/ports/store.ts';

type ReleaseRow = {
  release: Release;
  revision: number;
  dueAt: Instant;
  crashes: number;
  leaseWorker: string | null;
  leaseUntil: number;
  readonly states: Map<string, CheckState>;
  readonly measurements: Map<string, MeasurementRow>;
  readonly events: ReleaseEvent[];
};
type TargetRow = { target: Target; managed: boolean; dueAt: number; readonly events: TargetEvent[] };
type Pending = { row: OutboxRow; state: 'pending' | 'delivered' | 'parked'; detail: string | null; dueAt: number; leaseUntil: number; settledAt: Instant | null };

const FIRST_LOOK_MS = 5_000;

export function memoryStore(now: () => Instant): Store {
  const services = new Map<string, Service>();
  const targets = new Map<TargetId, TargetRow>();
  const releases = new Map<ReleaseId, ReleaseRow>();
  const log: (ReleaseEvent | TargetEvent)[] = [];
  const audits: StoredAudit[] = [];
  const plans: StoredPlan[] = [];
  const outbox: Pending[] = [];
  const queues = new Map<string, Pending[]>();

  const storedOf = ({ release, revision, dueAt, crashes }: ReleaseRow): StoredRelease => ({ release, revision, dueAt, crashes });
  const open = (): ReleaseRow[] => [...releases.values()].filter(({ release }) => !isEnded(release));
  const activeRow = (service: string): ReleaseRow | null => open().find(({ release }) => release.service === service && isActive(release)) ?? null;
  const targetsOf = (release: Release): Target[] =>
    release.targets.flatMap((id) => {
      const row = targets.get(id);
      return row?.managed ? [row.target] : [];
    });
  const serviceOf = (name: string): Service => {
    const service = services.get(name);
    assert(service, `the service ${name} is stored`);
    return service;
  };
  const claimedOf = (row: ReleaseRow): Claimed => ({
    ...storedOf(row),
    service: serviceOf(row.release.service),
    targets: targetsOf(row.release),
    checkStates: [...row.states.values()],
    leaseUntil: Instant(row.leaseUntil),
  });
  const claimOf = ({ target }: TargetRow): ClaimedTarget => ({ target, service: serviceOf(target.service), active: activeRow(target.service)?.release ?? null });
  const appendAudit = (entry: AuditEntry): void => void audits.push({ ...entry, seq: audits.length + 1, at: now() });
  const append = (subject: string, events: readonly (ReleaseEvent | TargetEvent)[], notify: readonly string[]): void => {
    for (const event of events) {
      log.push(event);
      for (const notifier of notify) {
        const createdAt = now();
        const row = { seq: outbox.length + 1, notifier, subject, event, attempts: 0, createdAt };
        const pending: Pending = { row, state: 'pending', detail: null, dueAt: createdAt, leaseUntil: 0, settledAt: null };
        outbox.push(pending);
        const key = `${notifier} ${subject}`;
        const queue = queues.get(key);
        if (queue) queue.push(pending);
        else queues.set(key, [pending]);
      }
    }
  };
  const intend = (id: TargetId, secondShare: Target['desiredSecond']): void => {
    const row = targets.get(id);
    assert(row, `the target ${id} is stored`);
    row.target = { ...row.target, desiredSecond: secondShare, seq: row.target.seq + 1, verifiedSecond: null };
  };
  const write = (row: ReleaseRow, commit: Commit): void => {
    row.release = commit.next;
    row.revision = commit.revision + 1;
    row.dueAt = commit.dueAt;
    row.crashes = 0;
    row.leaseWorker = commit.lease?.worker ?? null;
    row.leaseUntil = commit.lease ? now() + commit.lease.ms : 0;
    for (const { target, secondShare } of commit.intents) intend(target, secondShare);
    if (commit.service) services.set(commit.next.service, { name: commit.next.service, ...commit.service, updatedAt: now() });
    for (const measured of commit.measurements) {
      const key = `${measured.check} ${measured.end}`;
      if (!row.measurements.has(key)) row.measurements.set(key, measured);
    }
    for (const state of commit.checkStates) row.states.set(state.check, state);
    row.events.push(...commit.events);
    append(commit.id, commit.events, commit.notify);
    if (commit.audit) appendAudit(commit.audit);
  };
  const byAge = (a: ReleaseRow, b: ReleaseRow): number => a.release.createdAt - b.release.createdAt || (a.release.id < b.release.id ? -1 : 1);

  return {
    now: async () => now(),
    ping: async () => {},
    configure: async (configured, specs) => {
      for (const { name, slots } of configured)
        if (!services.has(name)) services.set(name, { name, stableSlot: slots[0], stableVersion: null, updatedAt: now() });
      for (const row of targets.values()) row.managed = false;
      for (const spec of specs) {
        const dueAt = now() + (hash32(spec.id) % FIRST_LOOK_MS);
        const before = targets.get(spec.id);
        const fresh: Omit<Target, keyof typeof spec> = { desiredSecond: NONE, seq: 0, verifiedSecond: null, verifiedSeq: 0, verifiedAt: null, boots: {}, driftAt: null, differs: null, unreachableSince: null, eventSeq: 0 };
        targets.set(spec.id, { target: { ...fresh, ...before?.target, ...spec }, managed: true, dueAt, events: before?.events ?? [] });
      }
    },
    services: async () => [...services.values()],
    service: async (name) => services.get(name) ?? null,
    setStable: async (name, { slot, version }, entry) => {
      const service = services.get(name);
      if (!service) return null;
      const next = { ...service, stableSlot: slot ?? service.stableSlot, stableVersion: version, updatedAt: now() };
      services.set(name, next);
      appendAudit(entry);
      return next;
    },
    targets: async (service) => [...targets.values()].filter((row) => row.managed && (service === null || row.target.service === service)).map(({ target }) => target),
    create: async ({ release, events, audit, notify, dueAt, expectActive }) => {
      const active = activeRow(release.service)?.release.id ?? null;
      if (active !== expectActive || (active !== null && isActive(release))) return err({ kind: 'stale', detail: 'the active release is another one by now' });
      const row: ReleaseRow = { release, revision: 1, dueAt, crashes: 0, leaseWorker: null, leaseUntil: 0, states: new Map(), measurements: new Map(), events: [...events] };
      releases.set(release.id, row);
      append(release.id, events, notify);
      appendAudit(audit);
      return ok(storedOf(row));
    },
    release: async (id) => mapped(releases.get(id), storedOf),
    load: async (id) => mapped(releases.get(id), claimedOf),
    active: async (service) => mapped(activeRow(service), storedOf),
    queued: async (service) => open().filter(({ release }) => release.service === service && release.phase.kind === 'queued').sort(byAge).map(storedOf),
    releases: async ({ service, phases, limit }) => {
      const found = [...releases.values()].filter(({ release }) => (service === null || release.service === service) && (phases === null || phases.includes(release.phase.kind)));
      return { rows: found.sort(byAge).toReversed().slice(0, limit).map(storedOf), next: null };
    },
    claimDue: async ({ worker, leaseMs, limit }) => {
      const at = now();
      const due = open().filter((row) => row.dueAt <= at && row.leaseUntil <= at).sort((a, b) => a.dueAt - b.dueAt).slice(0, limit);
      return due.map((row) => {
        row.leaseWorker = worker;
        row.leaseUntil = at + leaseMs;
        return claimedOf(row);
      });
    },
    commit: async (commit) => {
      const row = releases.get(commit.id);
      if (!row || row.revision !== commit.revision) return err({ kind: 'stale', detail: `release ${commit.id} is not at revision ${commit.revision} any more` });
      const active = activeRow(commit.next.service);
      if (isActive(commit.next) && active !== null && active !== row) return err({ kind: 'stale', detail: 'another release is active' });
      write(row, commit);
      return ok({ revision: row.revision, targets: targetsOf(commit.next) });
    },
    yieldLease: async ({ id, worker, dueAt }) => {
      const row = releases.get(id);
      if (!row || row.leaseWorker !== worker) return;
      Object.assign(row, { leaseWorker: null, leaseUntil: 0, dueAt });
    },
    wake: async (id) => {
      const row = releases.get(id);
      if (row && now() < row.dueAt) row.dueAt = now();
    },
    recordCrash: async ({ id, worker, dueAt }) => {
      const row = releases.get(id);
      if (!row) return 0;
      row.crashes++;
      if (row.leaseWorker === worker) Object.assign(row, { leaseWorker: null, leaseUntil: 0, dueAt });
      return row.crashes;
    },
    nextDueAt: async () => {
      const dues = open().map((row) => Math.max(row.dueAt, row.leaseUntil));
      return dues.length === 0 ? null : Instant(Math.min(...dues));
    },
    claimDueTargets: async ({ everyMs, limit }) => {
      const at = now();
      const due = [...targets.values()].filter((row) => row.managed && row.dueAt <= at).sort((a, b) => a.dueAt - b.dueAt).slice(0, limit);
      return due.map((row) => {
        row.dueAt = after(at, everyMs);
        return claimOf(row);
      });
    },
    claimTarget: async (id) => {
      const row = targets.get(id);
      return row?.managed ? claimOf(row) : null;
    },
    updateTarget: async ({ id, seq, change, adopt, events, notify }) => {
      const row = targets.get(id);
      if (!row || row.target.seq !== seq) return err({ kind: 'stale', detail: `target ${id} has a newer intent than ${seq}` });
      const first = events[0];
      if (first && first.seq !== row.target.eventSeq + 1) return err({ kind: 'stale', detail: `another event of target ${id} came first` });
      row.target = { ...row.target, ...change, eventSeq: row.target.eventSeq + events.length };
      row.events.push(...events);
      append(id, events, notify);
      if (adopt !== null) intend(id, adopt);
      return ok(row.target);
    },
    savePlan: async ({ name, service, document }, audit) => {
      const plan = { name, service, document, version: plans.filter((old) => old.name === name).length + 1, createdAt: now() };
      plans.push(plan);
      appendAudit(audit);
      return plan;
    },
    plan: async (name, version) => plans.findLast((plan) => plan.name === name && (version === null || plan.version === version)) ?? null,
    plans: async ({ limit }) => ({ rows: plans.slice(0, limit), next: null }),
    releaseEvents: async (id, query) => pageAfter(releases.get(id)?.events ?? [], query),
    targetEvents: async (id, query) => pageAfter([...targets.values()].find(({ target }) => target.id === id)?.events ?? [], query),
    events: async ({ afterPosition, limit }) => log.slice(afterPosition, afterPosition + limit).map((event, index) => ({ position: afterPosition + index + 1, event })),
    lastPosition: async () => log.length,
    checkStates: async (id) => [...(releases.get(id)?.states.values() ?? [])],
    measurements: async (id, { check, limit, before }) => {
      const rows = [...(releases.get(id)?.measurements.values() ?? [])].filter((row) => (check === null || row.check === check) && (before === null || row.end < before));
      return { rows: rows.sort((a, b) => b.end - a.end).slice(0, limit), next: null };
    },
    audit: async ({ limit, before }) => ({ rows: audits.filter(({ seq }) => before === null || seq < before).toReversed().slice(0, limit), next: null }),
    claimOutbox: async ({ leaseMs, limit }) => {
      const at = now();
      const claimed: OutboxRow[] = [];
      for (const queue of queues.values()) {
        const head = queue[0];
        if (!head || head.dueAt > at || head.leaseUntil > at || claimed.length >= limit) continue;
        head.leaseUntil = at + leaseMs;
        claimed.push(head.row);
      }
      return claimed;
    },
    settle: async ({ seq, outcome }) => {
      const pending = outbox[seq - 1];
      if (pending?.state !== 'pending') return;
      pending.row = { ...pending.row, attempts: pending.row.attempts + 1 };
      pending.leaseUntil = 0;
      if (outcome.kind === 'retry') return void Object.assign(pending, { dueAt: outcome.at, detail: outcome.detail });
      Object.assign(pending, { state: outcome.kind, settledAt: now(), detail: outcome.kind === 'parked' ? outcome.detail : null });
      const queue = queues.get(`${pending.row.notifier} ${pending.row.subject}`) ?? [];
      queue.splice(queue.indexOf(pending), 1);
    },
    deliveries: async ({ limit, before }) => ({ rows: outbox.filter(({ row }) => before === null || row.seq < before).toReversed().slice(0, limit).map(viewOf), next: null }),
    retain: async () => 0,
    close: async () => {},
  };
}

const mapped = <A, B>(value: A | null | undefined, map: (value: A) => B): B | null => (value ? map(value) : null);

const viewOf = ({ row, state, detail, settledAt }: Pending) => ({
  seq: row.seq,
  notifier: row.notifier,
  subject: row.subject,
  eventId: row.event.id,
  type: row.event.type,
  state,
  attempts: row.attempts,
  detail,
  createdAt: row.createdAt,
  settledAt,
});

function pageAfter<T extends { readonly seq: number }>(events: readonly T[], { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number }): Page<T, number> {
  const rows = events.filter(({ seq }) => afterSeq < seq);
  return { rows: rows.slice(0, limit), next: rows.length > limit ? (rows[limit - 1]?.seq ?? null) : null };
}

