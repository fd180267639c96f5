/** What people ask of the receivers of notices: how they stand, one more try, a test, and to hear again what they missed. */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { ReleaseId } from '../domain/ids.ts';
import type { Actor } from '../domain/release.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { TEST_EVENT } from '../ports/notifier.ts';
import type { Notice, Notifier } from '../ports/notifier.ts';
import type { AuditEntry, AuditOrigin, EndpointState, Once } from '../ports/store.ts';
import type { Context } from './context.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export type Asked = { readonly by: Actor; readonly reason: string | null; readonly origin?: AuditOrigin };

export type Endpoint = EndpointState & { readonly type: string };

export type Tested = { readonly delivered: boolean; readonly ms: number; readonly detail: string };

export type Replay = {
  /** The id of an event, or its position in the order of all; null for what is parked. */
  readonly from: string | number | null;
  readonly release: string | null;
  readonly limit: number;
};

/** `next`: the position to go on from. */
export type Replayed = { readonly queued: number; readonly more: boolean; readonly next: number | null };

/** Events that one call looks through; those of other services and releases count. */
const MOST_LOOKED_AT = 20_000;
const BATCH = 500;

export async function endpointsOf(ctx: Context): Promise<readonly Endpoint[]> {
  const found = await ctx.store.endpoints([...ctx.notifiers.keys()]);
  return found.map((state) => ({ ...state, type: ctx.notifiers.get(state.notifier)?.type ?? '' }));
}

export async function enableEndpoint(ctx: Context, name: string, asked: Asked): Promise<Result<Endpoint, Refusal>> {
  const notifier = notifierOf(ctx, name);
  if (!notifier.ok) return notifier;
  await ctx.store.enableEndpoint(name, entryOf('webhook.enable', name, asked, {}));
  const [state] = await ctx.store.endpoints([name]);
  return state ? ok({ ...state, type: notifier.value.type }) : unknown(ctx, name);
}

/** Sent whether the receiver is disabled or not: that is how one finds out that it is well again. */
export async function testEndpoint(
  ctx: Context,
  name: string,
  asked: Asked,
  signal: AbortSignal,
): Promise<Result<Tested, Refusal>> {
  const notifier = notifierOf(ctx, name);
  if (!notifier.ok) return notifier;
  const startedMs = ctx.clock.monotonicMs();
  const notice = await testNotice(ctx, name, asked.by);
  const answer = await ctx.calls.call(
    // A person wants to know: the breaker does not stand in between.
    { dependency: `notifier ${name}`, ms: ctx.settings.deliverTimeoutMs, signal, lowering: true },
    (inner) => notifier.value.deliver(notice, inner),
    (result) => result.ok || result.error.kind !== 'unreachable',
  );
  const ms = Math.round(ctx.clock.monotonicMs() - startedMs);
  const failure = !answer.ok ? answer.error : answer.value.ok ? null : answer.value.error.detail;
  const tested = { delivered: failure === null, ms, detail: failure ?? `${name} took it` };
  await ctx.store.writeAudit(entryOf('webhook.test', name, asked, { event: notice.id, delivered: tested.delivered }));
  return ok(tested);
}

async function testNotice(ctx: Context, name: string, by: Actor): Promise<Notice> {
  const id = `test/${ctx.random.id()}`;
  const at = await ctx.store.now();
  const sentence = `${by.name} asks whether ${name} hears Headgate`;
  return { id, type: TEST_EVENT, at, subject: name, sentence, data: { id, type: TEST_EVENT, at, by, sentence }, release: null };
}

export async function replay(ctx: Context, name: string, what: Replay, asked: Asked): Promise<Result<Replayed, Refusal>> {
  const ready = await deliverable(ctx, name);
  if (!ready.ok) return ready;
  const { from, release, limit } = what;
  const entry = entryOf('webhook.replay', name, asked, { from, release, limit });
  if (from === null) {
    const queued = await ctx.store.requeue({ kind: 'parked', notifier: name, subject: release, limit }, entry);
    return ok({ queued: queued.length, more: queued.length === limit, next: null });
  }
  const position = typeof from === 'number' ? from : await ctx.store.positionOf(from);
  if (position === null) return err(refusal('not_found', `no event ${from}: it never was, or it is older than what is kept`));
  const { events, next } = await eventsFor(ctx, name, { ...what, position });
  const queued = await ctx.store.requeue({ kind: 'events', notifier: name, events }, entry);
  return ok({ queued: queued.length, more: next !== null, next });
}

/** What the notifier hears of as things are configured now, in the order in which it happened. */
async function eventsFor(
  ctx: Context,
  name: string,
  { position, release, limit }: { readonly position: number; readonly release: string | null; readonly limit: number },
): Promise<{ readonly events: readonly (ReleaseEvent | TargetEvent)[]; readonly next: number | null }> {
  const hears = hearing(ctx, name);
  const events: (ReleaseEvent | TargetEvent)[] = [];
  let after = position - 1;
  for (let looked = 0; looked < MOST_LOOKED_AT; looked += BATCH) {
    const logged = await ctx.store.events({ afterPosition: after, limit: BATCH });
    for (const entry of logged) {
      if (events.length === limit) return { events, next: entry.position };
      const isOfRelease = release === null || ('release' in entry.event && entry.event.release === release);
      if (isOfRelease && (await hears(entry.event))) events.push(entry.event);
      after = entry.position;
    }
    if (logged.length < BATCH) return { events, next: null };
  }
  return { events, next: after + 1 };
}

function hearing({ services, store }: Context, name: string): (event: ReleaseEvent | TargetEvent) => Promise<boolean> {
  const byPlan = new Map<string, boolean>();
  return async (event) => {
    if (services.get(event.service)?.notify.includes(name)) return true;
    if (!('release' in event)) return false;
    const known = byPlan.get(event.release);
    if (known !== undefined) return known;
    const found = await store.release(ReleaseId(event.release));
    const hears = found?.release.plan.notify.includes(name) ?? false;
    byPlan.set(event.release, hears);
    return hears;
  };
}

export async function redeliver(
  ctx: Context,
  seq: number,
  asked: Asked,
  once: Once<readonly number[]> | null,
): Promise<Result<number, Refusal>> {
  const row = await ctx.store.delivery(seq);
  if (!row) return err(refusal('not_found', `no delivery ${seq}`));
  if (row.state === 'pending') return err(refusal('not_accepted', `delivery ${seq} waits to be sent already`));
  if (row.state === 'replaced') return err(refusal('not_accepted', `delivery ${seq} was queued again already, as another one`));
  const ready = await deliverable(ctx, row.notifier);
  if (!ready.ok) return ready;
  const { notifier, eventId } = row;
  const [again] = await ctx.store.requeue(
    { kind: 'row', seq },
    entryOf('webhook.redeliver', notifier, asked, { eventId, seq }),
    once,
  );
  return again === undefined ? err(refusal('not_accepted', `delivery ${seq} has changed meanwhile: look again`)) : ok(again);
}

/** What is queued for a disabled endpoint would be parked again at once. */
async function deliverable(ctx: Context, name: string): Promise<Result<Notifier, Refusal>> {
  const notifier = notifierOf(ctx, name);
  if (!notifier.ok) return notifier;
  const [state] = await ctx.store.endpoints([name]);
  return state === undefined || state.disabledAt === null
    ? notifier
    : err(refusal('not_accepted', `${name} is disabled (${state.reason ?? 'no reason is known'}): enable it first`));
}

function notifierOf(ctx: Context, name: string): Result<Notifier, Refusal> {
  const notifier = ctx.notifiers.get(name);
  return notifier ? ok(notifier) : unknown(ctx, name);
}

const unknown = ({ notifiers }: Context, name: string): Result<never, Refusal> =>
  err(refusal('not_found', `no endpoint named ${name}; there is ${[...notifiers.keys()].join(', ') || 'none'}`));

const entryOf = (action: string, subject: string, { by, reason, origin }: Asked, data: unknown): AuditEntry => ({
  actor: by.name,
  action,
  subject,
  reason,
  data,
  ...(origin ? { origin } : {}),
});
