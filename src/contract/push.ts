/** A push as applications write it: counts of one instance of one version, checked as a whole. */
import { z } from '@hono/zod-openapi';
import type { Push, PushedCounter } from '../domain/push.ts';
import { Instant } from '../domain/ids.ts';
import { name, strict, version } from './values.ts';

const MOST_AT_ONCE = 100;
const MOST_STRATA = 50;
const MOST_BOUNDS = 60;
/** A push that waited longer on its way says nothing about now. */
const OLDEST_MS = 3_600_000;
const AHEAD_MS = 60_000;

const count = z
  .number({ error: 'a count' })
  .min(0, 'a count is not below 0')
  .max(Number.MAX_SAFE_INTEGER, 'a count that is exact: 2^53 - 1 at most');
const instant = z
  .number({ error: 'milliseconds since 1970' })
  .int('whole milliseconds since 1970')
  .min(1_000_000_000_000, 'milliseconds since 1970, not seconds')
  .max(8_000_000_000_000_000, 'milliseconds since 1970');
const text = z
  .string({ error: 'text' })
  .min(1, 'not empty')
  .max(200, '200 characters at most')
  .regex(/^\P{Cc}*$/u, 'no control characters')
  .refine((key) => !(key in Object.prototype), 'another name: every object has this one by itself');
const few = <T>(of: z.ZodType<Readonly<Record<string, T>>>, most: number) =>
  of.refine((record) => Object.keys(record).length <= most, `${most} at most in one push`);

const counters = few(z.record(name, count), MOST_AT_ONCE);
const histogram = strict({
  boundsMs: z
    .array(z.number().positive('bounds are above 0'))
    .min(1, 'one bound at least')
    .max(MOST_BOUNDS, `${MOST_BOUNDS} bounds at most`)
    .refine((bounds) => bounds.every((bound, index) => (bounds[index - 1] ?? 0) < bound), 'bounds rise'),
  counts: z.array(count).describe('requests per bucket, not cumulated over the buckets; the last one is above all bounds'),
}).refine(({ boundsMs, counts }) => counts.length === boundsMs.length + 1, {
  path: ['counts'],
  error: 'one count more than bounds: the last one is above all of them',
});

const common = {
  version,
  instance: text.describe('a name that this process has for as long as it runs'),
  startedAt: instant.describe('when this process began to count, in milliseconds since 1970'),
  at: instant.optional().describe('when the counts were read; when they came, if left out'),
  counters: counters.default({}),
  strata: few(z.record(name, few(z.record(text, counters), MOST_STRATA)), 5)
    .default({})
    .describe('the same counters in parts: { route: { "/cart": { requests: 10 } } }'),
  histograms: few(z.record(name, histogram), 20).default({}),
  gauges: few(z.record(name, z.number({ error: 'a number' })), MOST_AT_ONCE).default({}),
};

export const pushBody = z
  .discriminatedUnion(
    'mode',
    [
      strict({ mode: z.literal('cumulative'), ...common }),
      strict({
        mode: z.literal('delta'),
        sequence: z
          .number({ error: 'the number of this push' })
          .int('a whole number')
          .min(1, 'pushes are numbered from 1')
          .max(Number.MAX_SAFE_INTEGER)
          .describe('numbers the pushes since startedAt from 1; a push that is sent again keeps its number'),
        ...common,
      }),
    ],
    { error: 'a push says its mode: cumulative or delta' },
  )
  .openapi('Push');

export const pushView = z
  .object({
    counted: z.boolean().describe('false: it came before, and nothing changed'),
    missing: z.array(z.number().int()).describe('numbers of pushes that did not come yet'),
  })
  .openapi('Pushed');

type PushBody = z.output<typeof pushBody>;

/** Why a push cannot be about now, or null. */
export function wrongTime({ at, startedAt }: PushBody, now: Instant): { readonly path: string; readonly message: string } | null {
  if (at !== undefined && at < now - OLDEST_MS)
    return { path: 'at', message: 'older than an hour: what is counted then says nothing about now' };
  if (at !== undefined && now + AHEAD_MS < at)
    return { path: 'at', message: 'more than a minute ahead of Headgate: are the clocks in step?' };
  if (now + AHEAD_MS < startedAt)
    return { path: 'startedAt', message: 'more than a minute ahead of Headgate: are the clocks in step?' };
  return null;
}

export function pushOf(service: string, body: PushBody, now: Instant): Push {
  const whole = countersOf(body.counters, null, null);
  const parts = Object.entries(body.strata).flatMap(([by, strata]) =>
    Object.entries(strata).flatMap(([stratum, own]) => countersOf(own, by, stratum)),
  );
  return {
    service,
    version: body.version,
    instance: body.instance,
    startedAt: Instant(body.startedAt),
    sequence: body.mode === 'delta' ? body.sequence : null,
    // Nothing is read after it came.
    at: Instant(Math.min(body.at ?? now, now)),
    counters: [...whole, ...parts],
    histograms: Object.entries(body.histograms).map(([own, { boundsMs, counts }]) => ({ name: own, boundsMs, counts })),
    gauges: Object.entries(body.gauges).map(([own, value]) => ({ name: own, value })),
  };
}

const countersOf = (of: Readonly<Record<string, number>>, by: string | null, stratum: string | null): readonly PushedCounter[] =>
  Object.entries(of).map(([own, value]) => ({ name: own, by, stratum, count: value }));
