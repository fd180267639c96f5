/** What a check asks a store: its own texts, or those that the operator wrote for the name that it gives. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { Check } from '../../domain/plan.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { MetricProvider, OfferedCheck } from '../../ports/metric-provider.ts';

const text = z.string().min(1).max(4_000);
const offered = z.discriminatedUnion(
  'kind',
  [
    strict({ kind: z.literal('ratio'), bad: text, total: text, by: z.string().min(1).max(100).optional() }),
    strict({ kind: z.literal('rate'), events: text, per: text.optional() }),
    strict({ kind: z.literal('latency'), histogram: text }),
    strict({ kind: z.literal('gauge'), query: text }),
    strict({ kind: z.literal('threshold'), query: text }),
  ],
  { error: 'a check says its kind: ratio, rate, latency, gauge or threshold' },
);

/** Checks that plans may name: `checks: [errors, latency]`. */
export const offeredChecks = z.record(z.string().min(1).max(60), offered);

export type OfferedChecks = z.output<typeof offeredChecks>;
export type Texts = Readonly<Record<string, string>>;

export const offersOf = (checks: Readonly<Record<string, { readonly kind: OfferedCheck['kind'] }>>): MetricProvider['offers'] =>
  Object.fromEntries(
    Object.entries(checks).map(([name, { kind }]): [string, OfferedCheck] => [name, { kind, query: { offered: name } }]),
  );

/** Texts with the options beside them: `version`, `by`, `range`, `reduce`. */
export function textsOf(checks: OfferedChecks, { query }: Check): Texts {
  const { offered: name, ...own } = query;
  const template = name !== undefined && Object.hasOwn(checks, name) ? checks[name] : undefined;
  if (!template) return query;
  const { kind: _, ...texts } = template;
  return {
    ...Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...own,
  };
}

/** The parts of a question by the kind of its check; `bad` and `total` also of events and of what they are counted against. */
const PARTS = {
  ratio: [['bad', 'total']],
  slo: [['bad', 'total']],
  rate: [['events', 'per'], ['events']],
  latency: [['histogram']],
  gauge: [['query']],
  threshold: [['query']],
  'mann-whitney': [['query'], ['bad', 'total']],
} as const satisfies Record<Check['kind'], readonly (readonly string[])[]>;

/** The keys that the check asks by, or what it lacks, in a sentence. */
export function partsOf(name: string, check: Check, texts: Texts): Result<readonly string[], string> {
  const ways: readonly (readonly string[])[] = PARTS[check.kind];
  const way = ways.find((keys) => keys.every((key) => texts[key] !== undefined));
  return way
    ? ok(way)
    : err(`${name} needs ${ways.map((keys) => keys.join(' and ')).join(', or ')} for a check of kind ${check.kind}`);
}
