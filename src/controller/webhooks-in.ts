/**
 * Taking in a webhook: verified over the bytes as they came, kept, and answered; what it means is worked out afterwards,
 * from the inbox. Nothing is written for who cannot prove to be the sender, and such a one learns nothing either.
 */
import type { InboxPayload, Kept } from '../ports/inbox.ts';
import type { Context } from './context.ts';

export type Arrival = { header(name: string): string | undefined; readonly body: Uint8Array };

export type WebhooksIn = {
  receive(source: string, arrival: Arrival): Promise<Kept | 'refused' | 'unknown'>;
};

/** Of one source; a sender that is told to wait comes again. */
const MOST_WAITING = 1_000;
/** Who is refused over and over fills no disk with lines about it. */
const TELL_EVERY_MS = 10_000;
const NOBODY = '(unknown)';

/** `onKept` is called when there is something new to work on. */
export function webhooksIn(ctx: Context, onKept: () => void): WebhooksIn {
  const refusals = new Map<string, { count: number; toldMs: number }>();
  const refused = (source: string, why: string): void => {
    ctx.recorder.webhook(source, 'refused');
    const nowMs = ctx.clock.monotonicMs();
    const before = refusals.get(source) ?? { count: 0, toldMs: -TELL_EVERY_MS };
    const count = before.count + 1;
    const isDue = TELL_EVERY_MS <= nowMs - before.toldMs;
    if (isDue) ctx.log.warn({ source, count }, `refused ${count === 1 ? 'a webhook' : `${count} webhooks`} to ${source}: ${why}`);
    refusals.set(source, isDue ? { count: 0, toldMs: nowMs } : { count, toldMs: before.toldMs });
  };
  return {
    async receive(source, arrival) {
      const found = ctx.webhooks.get(source);
      const now = await ctx.store.now();
      // A name that is not there costs what a wrong signature costs.
      const verified = (found ?? [...ctx.webhooks.values()][0])?.verify({ ...arrival, now });
      if (!found || !verified) {
        refused(NOBODY, 'there is no such source');
        return 'unknown';
      }
      if (!verified.ok) {
        refused(source, verified.error);
        return 'refused';
      }
      const kept = await ctx.store.keepWebhook({
        source,
        key: verified.value,
        payload: payloadOf(arrival.body),
        limit: MOST_WAITING,
      });
      ctx.recorder.webhook(source, kept);
      if (kept === 'full')
        ctx.log.warn({ source }, `${MOST_WAITING} webhooks of ${source} wait: no more is taken for the moment`);
      if (kept === 'kept') onKept();
      return kept;
    },
  };
}

/** Signed rubbish is kept, too, byte for byte. */
function payloadOf(body: Uint8Array): InboxPayload {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return { kind: 'webhook', body: text, encoding: 'utf8' };
  } catch {
    return { kind: 'webhook', body: Buffer.from(body).toString('base64'), encoding: 'base64' };
  }
}
