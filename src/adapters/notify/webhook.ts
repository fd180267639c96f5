/** Notices as Standard Webhooks: signed posts of JSON, whose id is the event's, so that a receiver can tell a repetition. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import { err, ok } from '../../lib/result.ts';
import { TEST_EVENT } from '../../ports/notifier.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { refusalOf, unreachable } from './answer.ts';
import type { Wire } from './answer.ts';
import { answerTo } from '../outgoing/client.ts';
import { BOTH, payloadText, secretOptions, secretsOf, signedPost } from './signed.ts';
import type { SecretOptions } from './signed.ts';

export const webhookOptions = strict({
  type: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/, error: 'an http:// or https:// address, or env:NAME or file:PATH' }),
  /** Only these event types; all of them when it is left out. */
  events: z.array(z.string()).optional(),
  ...secretOptions,
}).refine(({ secret, secrets }) => secret === undefined || secrets === undefined, BOTH);

export type WebhookOptions = { readonly url: string; readonly events?: readonly string[] | undefined } & SecretOptions;

export const webhook = (name: string, { url, events, ...options }: WebhookOptions, wire: Wire): Notifier => ({
  name,
  type: 'webhook',
  async deliver(notice, signal) {
    if (events && notice.type !== TEST_EVENT && !events.includes(notice.type)) return ok(undefined);
    const body = payloadText(notice);
    const ask = signedPost({ id: notice.id, url, body, secrets: secretsOf(options), atSeconds: wire.wallSeconds() });
    const answer = await answerTo(wire.send, ask, signal);
    if (!answer.ok) return err(unreachable(name, answer.error));
    const { status } = answer.value;
    return 200 <= status && status < 300 ? ok(undefined) : err(refusalOf(name, answer.value, wire));
  },
  close: async () => {},
});
