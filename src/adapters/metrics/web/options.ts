/** What an operator says of some JSON over HTTP in `headgate.yaml`: how it is asked, and where in the answer the numbers are. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { access } from '../../outgoing/access.ts';
import { placesIn, unknownPlace } from '../../outgoing/template.ts';
import { pointer } from '../../outgoing/pointer.ts';

export const PLACES = ['service', 'canary', 'stable', 'interval', 'from', 'to', 'fromMs', 'toMs', 'fromIso', 'toIso'] as const;

const template = z
  .string()
  .max(4_000)
  .superRefine((text, ctx) => {
    const strange = unknownPlace(text, PLACES);
    if (strange !== null) ctx.addIssue(strange);
  });

const url = template.superRefine((text, ctx) => {
  const first = placesIn(text)[0]?.index ?? text.length;
  const origin = /^https?:\/\/[^/?#\s]+/.exec(text)?.[0];
  if (origin === undefined || !URL.canParse(text.replaceAll(/\{\{[^{}]*\}\}/g, 'x')))
    ctx.addIssue('an address such as https://stats.example/v1/counts?service={{service}}');
  else if (first < origin.length || text[origin.length] === undefined ? first < text.length : false)
    ctx.addIssue('the host is fixed: values stand in the path or behind the ?');
});

const counts = strict({ total: pointer, bad: pointer });
const events = strict({ events: pointer, per: pointer });
const buckets = strict({ counts: pointer });
const value = strict({ value: pointer });
const rising = z
  .array(z.number().positive())
  .min(1)
  .max(200)
  .refine((bounds) => bounds.every((bound, index) => (bounds[index - 1] ?? 0) < bound), 'bounds rise');

const base = {
  url,
  method: z.enum(['GET', 'POST'], 'GET or POST').default('GET'),
  /** Sent as JSON; texts in it may have placeholders. */
  body: z.json().optional(),
  /** Where the time of the numbers is, or `now` for an answer that is always about now. */
  at: z.union([z.literal('now'), pointer], { error: 'a pointer to the time of the numbers, or now' }),
};

const check = z
  .discriminatedUnion(
    'kind',
    [
      /** Without stable it says whether a promised limit holds, and compares nothing. */
      strict({ kind: z.literal('ratio'), ...base, canary: counts, stable: counts.optional() }),
      strict({ kind: z.literal('rate'), ...base, canary: events, stable: events }),
      strict({
        kind: z.literal('latency'),
        ...base,
        /** Upper bounds in ms, without the open one: here, or where they are in the answer. */
        boundsMs: z.union([rising, pointer], { error: 'bounds in ms that rise, or a pointer to them' }),
        /** Each bucket holds the smaller ones, too. */
        cumulated: z.boolean().default(false),
        canary: buckets,
        stable: buckets,
      }),
      strict({ kind: z.literal('gauge'), ...base, canary: value, stable: value }),
      strict({ kind: z.literal('threshold'), ...base, value: pointer }),
    ],
    { error: 'a check says its kind: ratio, rate, latency, gauge or threshold' },
  )
  .superRefine(({ body, method, url: address }, ctx) => {
    if (body !== undefined && method === 'GET')
      ctx.addIssue({ code: 'custom', path: ['body'], message: 'a body needs method: POST' });
    const strange = unknownPlace(JSON.stringify(body ?? ''), PLACES);
    if (strange !== null) ctx.addIssue({ code: 'custom', path: ['body'], message: strange });
    const places = placesIn(address + JSON.stringify(body ?? '')).map(({ name }) => name);
    if (places.some((name) => name.startsWith('to')) && !places.some((name) => name.startsWith('from')))
      ctx.addIssue({ code: 'custom', path: ['url'], message: 'an answer up to {{to}} says with {{from}} where it begins' });
  });

export const webOptions = strict({
  type: z.literal('web'),
  ...access,
  /** Checks that plans may name: `checks: [errors]`. */
  checks: z.record(z.string().min(1).max(60), check).refine((checks) => Object.keys(checks).length > 0, 'one check at least'),
});

export type WebOptions = z.output<typeof webOptions>;
export type WebCheck = WebOptions['checks'][string];
