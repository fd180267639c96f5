/** Webhooks that came in and flags, as they cross the wire. */
import { z } from '@hono/zod-openapi';

const instant = z.number().int().describe('milliseconds since 1970');

export const takenView = z.object({ state: z.enum(['kept', 'known']) }).openapi('WebhookTaken');

export const inboxView = z
  .object({
    seq: z.number().int(),
    source: z.string(),
    key: z.string().describe('tells a repetition: what the sender calls the delivery, or a digest of it'),
    kind: z.enum(['webhook', 'poll']),
    state: z.enum(['pending', 'done', 'parked']),
    attempts: z.number().int(),
    detail: z.string().nullable().describe('what came of it, or what stands in its way'),
    /** The beginning of what could not be made sense of. */
    body: z.string().nullable(),
    receivedAt: instant,
    dueAt: instant,
    settledAt: instant.nullable(),
  })
  .openapi('InboxEntry');

const state = z.object({
  exists: z.boolean(),
  enabled: z.boolean(),
  percent: z.number().nullable(),
  variations: z.record(z.string(), z.number()),
  revision: z.string().nullable(),
  updatedBy: z.string().nullable(),
  fingerprint: z.string(),
});

export const flagView = z
  .object({
    source: z.string(),
    flag: z.string(),
    type: z.string().describe('of the source'),
    services: z.array(z.string()),
    /** Headgate moves it itself: its changes are no news. */
    own: z.boolean(),
    readable: z.boolean().describe('whether its platform can be asked'),
    state: state.nullable(),
    sentence: z.string(),
    readAt: instant.nullable(),
    lookedAt: instant.nullable(),
    failure: z.string().nullable(),
    change: z
      .object({
        what: z.string(),
        changedBy: z.string().nullable(),
        confirmed: z.enum(['read', 'signed', 'claimed']),
        at: instant,
      })
      .nullable(),
  })
  .openapi('Flag');

export type InboxEntryView = z.output<typeof inboxView>;
export type FlagView = z.output<typeof flagView>;
