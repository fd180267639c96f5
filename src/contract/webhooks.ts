/** What crosses the wire about receivers of notices and what is delivered to them. */
import { z } from '@hono/zod-openapi';
import { limit, numberCursor } from './paging.ts';
import { reason, strict } from './values.ts';

const instant = z.number().int().describe('milliseconds since 1970');
const state = z.enum(['pending', 'delivered', 'parked', 'replaced']);

export const deliveryView = z
  .object({
    seq: z.number().int(),
    notifier: z.string().describe('the name of the endpoint'),
    subject: z.string().describe('the release or the target: its deliveries stay in order'),
    eventId: z.string().describe('the webhook-id'),
    type: z.string(),
    state: state.describe('replaced: it was parked, and queued again as another one'),
    attempts: z.number().int(),
    detail: z.string().nullable().describe('why it was not delivered'),
    createdAt: instant,
    dueAt: instant.nullable().describe('when it is tried next'),
    settledAt: instant.nullable(),
  })
  .openapi('Delivery');

export const endpointView = z
  .object({
    name: z.string(),
    type: z.string(),
    state: z.enum(['enabled', 'disabled']),
    reason: z.string().nullable().describe('why it is disabled'),
    disabledAt: instant.nullable(),
    pending: z.number().int(),
    oldestPendingAt: instant.nullable(),
    parked: z.number().int().describe('given up, and kept until they are queued again'),
    lastDeliveryAt: instant.nullable(),
    failing: z
      .object({
        since: instant.describe('when the oldest that waits was written'),
        detail: z.string().describe('why it did not get through when it was tried last'),
        tries: z.number().int(),
        nextAt: instant.describe('when it is tried again; what came after it waits behind it'),
      })
      .nullable()
      .describe('null: what waits was not tried yet, or nothing waits'),
  })
  .openapi('Endpoint');

export const testedView = z.object({
  delivered: z.boolean(),
  ms: z.number().int(),
  detail: z.string().describe('what came back'),
});
export const replayedView = z.object({
  queued: z.number().int(),
  more: z.boolean().describe('there is more than one call takes'),
  next: z.number().int().nullable().describe('the position to go on from'),
});
export const redeliveredView = z.object({ seq: z.number().int().describe('the new delivery') });

export const deliveryQuery = strict({
  endpoint: z.string().max(200).optional(),
  state: state.optional(),
  release: z.string().max(300).optional().describe('a release or a target'),
  limit,
  cursor: numberCursor,
});

const MOST_REPLAYED = 1_000;

export const whyBody = strict({ reason: reason.optional() }).openapi('Why');
export const replayBody = strict({
  from: z
    .union([z.string().min(1).max(400), z.number().int().min(1)], { error: 'the id of an event, or a position' })
    .optional()
    .describe('left out: all that is parked'),
  release: z.string().min(1).max(300).optional(),
  limit: z.number().int().min(1).max(MOST_REPLAYED, `${MOST_REPLAYED} in one call at most`).default(MOST_REPLAYED),
  reason: reason.optional(),
}).openapi('Replay');

export type DeliveryView = z.output<typeof deliveryView>;
export type EndpointView = z.output<typeof endpointView>;
export type TestedView = z.output<typeof testedView>;
export type ReplayedView = z.output<typeof replayedView>;
