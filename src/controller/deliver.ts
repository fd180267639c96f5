/**
 * Drains the outbox: at least once, in order per notifier and subject, by the schedule of the Standard Webhooks, and visibly
 * parked when given up. A receiver that is gone for good is disabled, and what is for it is kept.
 */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { after } from '../domain/ids.ts';
import type { Notice, NotifyError, ReleaseBrief } from '../ports/notifier.ts';
import type { Delivery, OutboxRow } from '../ports/store.ts';
import type { Context } from './context.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses after the first try, the second, and so on. After the tenth try it is given up. */
const PAUSES_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
/** A pause is so much longer at most, so that what failed together is not tried together. */
const JITTER = 0.1;
/** What a receiver may ask for by `Retry-After`. */
const ASKED_MS = { least: SECOND, most: HOUR };
/** Held back by its breaker, which looks again after a minute at most. */
const HELD_BACK_MS = 10 * SECOND;

export async function deliver(ctx: Context, row: OutboxRow, signal: AbortSignal): Promise<void> {
  const outcome = await attempt(ctx, row, signal);
  ctx.recorder.delivery(row.notifier, outcome.kind);
  const about = { notifier: row.notifier, event: row.event.id };
  if (outcome.kind === 'parked') ctx.log.error(about, `gave up delivering: ${outcome.detail}`);
  if (outcome.kind === 'gone') ctx.log.error(about, `delivers to ${row.notifier} no more: ${outcome.detail}`);
  await ctx.store.settle({ seq: row.seq, outcome });
}

async function attempt(ctx: Context, row: OutboxRow, signal: AbortSignal): Promise<Delivery['outcome']> {
  const notifier = ctx.notifiers.get(row.notifier);
  if (!notifier) return { kind: 'parked', detail: `no notifier named ${row.notifier} is configured` };
  const notice = await noticeOf(ctx, row.event);
  let tried = false;
  const answer = await ctx.calls.call(
    {
      dependency: `notifier ${row.notifier}`,
      ms: ctx.settings.deliverTimeoutMs,
      signal,
      lowering: false,
      isRetry: row.attempts > 0,
    },
    (inner) => {
      tried = true;
      return notifier.deliver(notice, inner);
    },
    (result) => result.ok || result.error.kind !== 'unreachable',
  );
  if (!answer.ok) return retryOrPark(ctx, row, { kind: 'unreachable', detail: answer.error }, tried);
  if (answer.value.ok) return { kind: 'delivered' };
  const { error } = answer.value;
  if (error.kind === 'gone') return { kind: 'gone', detail: error.detail };
  return error.kind === 'unfit' ? { kind: 'parked', detail: error.detail } : retryOrPark(ctx, row, error, tried);
}

async function retryOrPark(
  ctx: Context,
  { attempts, createdAt }: OutboxRow,
  { detail, retryAfterMs }: NotifyError,
  tried: boolean,
): Promise<Delivery['outcome']> {
  const now = await ctx.store.now();
  const pauseMs = PAUSES_MS[attempts];
  if (after(createdAt, ctx.settings.deliverForMs) <= now || pauseMs === undefined)
    return { kind: 'parked', detail: `tried ${attempts + (tried ? 1 : 0)} times: ${detail}` };
  const again = (ms: number, counts: boolean): Delivery['outcome'] => ({ kind: 'retry', at: after(now, ms), detail, counts });
  const jitter = 1 + JITTER * ctx.random.next();
  if (!tried) return again(HELD_BACK_MS * jitter, false);
  // Whoever says when to come again is there, and taken at its word.
  if (retryAfterMs !== undefined) return again(Math.min(ASKED_MS.most, Math.max(ASKED_MS.least, retryAfterMs)), false);
  return again(pauseMs * jitter, true);
}

async function noticeOf(ctx: Context, event: ReleaseEvent | TargetEvent): Promise<Notice> {
  const isOfRelease = 'release' in event;
  return {
    id: event.id,
    type: event.type,
    at: event.at,
    subject: isOfRelease ? event.release : event.target,
    sentence: event.sentence,
    data: { ...event },
    release: isOfRelease ? await briefOf(ctx, event) : null,
  };
}

async function briefOf({ store, services }: Context, { release: id }: ReleaseEvent): Promise<ReleaseBrief | null> {
  const stored = await store.release(id);
  if (!stored) return null;
  const { service, version, stableVersion, plan, checks } = stored.release;
  const environment = services.get(service)?.environment ?? null;
  return { id, service, environment, version, stableVersion, plan: plan.name, checks };
}
