/** Drains the outbox: at least once, in order per notifier and subject, with backoff, and visibly parked when given up. */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { after } from '../domain/ids.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Notice } from '../ports/notifier.ts';
import type { Delivery, OutboxRow } from '../ports/store.ts';
import type { Context } from './context.ts';

const RETRY = { firstMs: 1_000, maxMs: 15 * 60_000 };

export async function deliver(ctx: Context, row: OutboxRow, signal: AbortSignal): Promise<void> {
  const outcome = await attempt(ctx, row, signal);
  ctx.recorder.delivery(row.notifier, outcome.kind);
  if (outcome.kind === 'parked')
    ctx.log.error({ notifier: row.notifier, event: row.event.id }, `gave up delivering: ${outcome.detail}`);
  await ctx.store.settle({ seq: row.seq, outcome });
}

async function attempt(ctx: Context, row: OutboxRow, signal: AbortSignal): Promise<Delivery['outcome']> {
  const notifier = ctx.notifiers.get(row.notifier);
  if (!notifier) return { kind: 'parked', detail: `no notifier named ${row.notifier} is configured` };
  const answer = await ctx.calls.call(
    {
      dependency: `notifier ${row.notifier}`,
      ms: ctx.settings.deliverTimeoutMs,
      signal,
      lowering: false,
      isRetry: row.attempts > 0,
    },
    (inner) => notifier.deliver(noticeOf(row.event), inner),
    (result) => result.ok || result.error.kind !== 'unreachable',
  );
  if (!answer.ok) return retryOrPark(ctx, row, answer.error);
  if (answer.value.ok) return { kind: 'delivered' };
  const { kind, detail } = answer.value.error;
  return kind === 'unreachable' ? retryOrPark(ctx, row, detail) : { kind: 'parked', detail };
}

async function retryOrPark(ctx: Context, row: OutboxRow, detail: string): Promise<Delivery['outcome']> {
  const now = await ctx.store.now();
  if (after(row.createdAt, ctx.settings.deliverForMs) <= now)
    return { kind: 'parked', detail: `tried ${row.attempts + 1} times: ${detail}` };
  return { kind: 'retry', at: after(now, backoffMs(RETRY, row.attempts + 1, ctx.random.next())), detail };
}

export function noticeOf(event: ReleaseEvent | TargetEvent): Notice {
  const subject = 'release' in event ? event.release : event.target;
  return { id: event.id, type: event.type, at: event.at, subject, sentence: event.sentence, data: event };
}
