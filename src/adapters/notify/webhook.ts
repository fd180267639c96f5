/** Notices as HTTP posts of JSON. The event's id goes along as `webhook-id`, so that a receiver can tell a repetition. */
import { z } from 'zod';
import { err, ok } from '../../lib/result.ts';
import type { Notice, Notifier } from '../../ports/notifier.ts';

export const webhookOptions = z.strictObject({
  type: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/, error: 'an http:// or https:// address, or env:NAME or file:PATH' }),
  /** Only these event types; all of them when it is left out. */
  events: z.array(z.string()).optional(),
});

export type WebhookOptions = z.output<typeof webhookOptions>;

export type WebhookDeps = { readonly fetch: typeof globalThis.fetch };

/** Answers that another try may change. */
const PASSING = new Set([408, 425, 429]);
const GONE = 410;

export const webhook = (
  name: string,
  { url, events }: Pick<WebhookOptions, 'url' | 'events'>,
  { fetch }: WebhookDeps,
): Notifier => ({
  name,
  type: 'webhook',
  async deliver(notice, signal) {
    if (events && !events.includes(notice.type)) return ok(undefined);
    try {
      // A redirect could lead to a place that the operator never named.
      const answer = await fetch(url, {
        method: 'POST',
        headers: headersOf(notice),
        body: JSON.stringify(notice),
        redirect: 'error',
        signal,
      });
      await answer.body?.cancel();
      if (answer.ok) return ok(undefined);
      if (answer.status === GONE) return err({ kind: 'gone', detail: `${name}: the receiver says it is gone (410)` });
      const passing = PASSING.has(answer.status) || answer.status >= 500;
      return err({
        kind: passing ? 'unreachable' : 'refused',
        detail: `${name}: the receiver answered ${answer.status}`,
      });
    } catch (error) {
      return err({ kind: 'unreachable', detail: `${name}: ${wireError(error)}` });
    }
  },
  close: async () => {},
});

const headersOf = ({ id, at }: Notice): Record<string, string> => ({
  'content-type': 'application/json',
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at / 1000)),
});

/** Never the URL: it may hold a secret. */
function wireError(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'the request failed';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
