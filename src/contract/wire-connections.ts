/** What crosses the wire about the places that Headgate talks to: how they stand, and what a test of them found. */
import { z } from '@hono/zod-openapi';
import { bp, instant, targetView } from './wire.ts';

const breaker = z
  .object({
    state: z.enum(['closed', 'open', 'probing']).describe('open: left alone until then; lowering a weight is tried all the same'),
    failures: z.number().int().describe('in a row, while it is closed'),
    until: instant.nullable().describe('when an open one lets the next call through'),
  })
  .openapi('Breaker');

export const routerView = z
  .object({
    name: z.string(),
    type: z.string(),
    capabilities: z.looseObject({}),
    /** The same for people: what it can and what it cannot, a sentence each. */
    abilities: z.array(z.string()),
    residue: z.record(z.string(), z.number()),
    breaker,
    targets: z.array(targetView).describe('with what was read back last'),
  })
  .openapi('Router');
export const providerView = z
  .object({
    name: z.string(),
    type: z.string(),
    offers: z.array(z.string()),
    breaker,
    services: z.array(z.string()).describe('that ask it where their plans name no other'),
  })
  .openapi('Provider');

const node = z.object({
  node: z.string(),
  reachable: z.boolean(),
  servedSecondSlotBp: bp.nullable(),
  detail: z.string().nullable(),
});
const slot = z.object({ slot: z.string(), healthy: z.boolean(), detail: z.string() });

export const routerTestView = z
  .object({
    well: z.boolean(),
    ms: z.number().int(),
    targets: z.array(
      z.object({ target: z.string(), sentence: z.string(), well: z.boolean(), nodes: z.array(node), slots: z.array(slot) }),
    ),
  })
  .openapi('RouterTest');
export const providerTestView = z
  .object({
    well: z.boolean(),
    ms: z.number().int(),
    asked: z.string().nullable().describe('the question; null when there was none to ask'),
    sentence: z.string(),
  })
  .openapi('ProviderTest');

export type BreakerView = z.output<typeof breaker>;
export type RouterView = z.output<typeof routerView>;
export type ProviderView = z.output<typeof providerView>;
export type RouterTestView = z.output<typeof routerTestView>;
export type ProviderTestView = z.output<typeof providerTestView>;
