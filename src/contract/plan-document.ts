/** The plan as people write it: shape only. Whether its numbers can work is `plan-sense.ts`; the exact form is `domain/plan.ts`. */
import { z } from 'zod';
import { duration, failures, name, share, strict, weight } from './values.ts';

export const MAX_STEPS = 100;
export const MAX_CHECKS = 50;

const number = z.number({ error: 'a number' });
const gate = { otherwise: z.enum(['rollback', 'continue'], 'rollback or continue').optional() };

const weightStep = strict({
  weight,
  hold: duration.optional(),
  checks: z.array(name).max(MAX_CHECKS).optional(),
});
const pauseStep = strict({
  pause: strict({ for: duration.optional(), within: duration.optional(), ...gate }),
});
const approveStep = strict({
  approve: strict({
    by: z.number().int('a whole number of people').min(1, 'at least one person').max(10, 'ten people at most').default(1),
    within: duration.default(4 * 3_600_000),
    ...gate,
  }),
});

const step = z.union([weight, weightStep, pauseStep, approveStep], {
  error: 'a step is a weight with its percent sign such as 5%, or { weight, hold, checks }, { pause } or { approve }',
});

const checkBase = {
  provider: name.optional(),
  /** What the provider offers by this name; the check's own name when nothing else says what to ask. */
  offered: name.optional(),
  failures: failures.optional(),
  dryRun: z.boolean().optional(),
  /** The label whose value tells canary from stable. */
  version: z.string().max(100).optional(),
};
const query = z.string({ error: 'a query as text' }).min(1).max(4_000);

const comparison = {
  tolerance: share.optional(),
  minRequests: z.number().int().min(1).max(10_000_000).optional(),
};
const ratio = strict({
  kind: z.literal('ratio'),
  ...checkBase,
  ...comparison,
  bad: query.optional(),
  total: query.optional(),
  floor: share.optional(),
  max: share.optional(),
  hardMax: share.optional(),
});
const latency = strict({
  kind: z.literal('latency'),
  ...checkBase,
  ...comparison,
  histogram: query.optional(),
  quantile: number.optional(),
  max: duration.optional(),
  hardMax: duration.optional(),
});
const threshold = strict({
  kind: z.literal('threshold'),
  ...checkBase,
  query: query.optional(),
  /** Looks at the query's values over so long, and takes one of them. */
  range: duration.optional(),
  reduce: z.enum(['max', 'min', 'mean', 'last'], 'max, min, mean or last').optional(),
  min: number.optional(),
  max: number.optional(),
  hardMin: number.optional(),
  hardMax: number.optional(),
});

const LATER = ['rate', 'gauge', 'slo'];

const check = z.discriminatedUnion('kind', [ratio, latency, threshold], {
  error: ({ input }) => {
    const kind = typeof input === 'object' && input !== null && 'kind' in input ? String(input.kind) : null;
    if (kind !== null && LATER.includes(kind))
      return `checks of kind ${kind} come in a later version: use ratio, latency or threshold`;
    return 'a check says its kind: ratio, latency or threshold';
  },
});

export const planDocument = strict({
  apiVersion: z.literal('headgate/v1', 'apiVersion is headgate/v1').optional(),
  kind: z.literal('Plan', 'kind is Plan').optional(),
  name: name.optional(),
  service: name,
  strategy: z.enum(['canary', 'blue-green', 'ab'], 'canary or blue-green').optional(),
  falseRollbackRate: share.optional(),
  hold: duration.optional(),
  interval: duration.optional(),
  warmUp: duration.optional(),
  minMeasurements: z.number().int('a whole number of measurements').min(1, 'at least one measurement').max(1_000).optional(),
  steps: z.array(step, 'a list of steps, such as [1%, 10%, 50%]').max(MAX_STEPS, `${MAX_STEPS} steps at most`).optional(),
  bake: strict({ for: duration, holdBack: weight.optional() }).optional(),
  deadline: strict({
    after: duration,
    otherwise: z.literal('rollback', 'a release that runs out of time is rolled back').optional(),
  }).optional(),
  onNoData: z.enum(['hold', 'rollback', 'continue'], 'hold, rollback or continue').optional(),
  onBusy: z.enum(['reject', 'queue', 'supersede'], 'reject, queue or supersede').optional(),
  onFlagChange: z.enum(['annotate', 'hold', 'pause', 'rollback'], 'annotate, hold, pause or rollback').optional(),
  checks: z
    .union([z.array(name, 'a list of names'), z.record(name, check)], {
      error: 'a list of names that the provider offers, or a check under each name',
    })
    .optional(),
  notify: z.array(name).max(50).optional(),
});

export type PlanDocument = z.output<typeof planDocument>;
export type StepDocument = NonNullable<PlanDocument['steps']>[number];
export type CheckDocument = z.output<typeof check>;

/** For editors: completion and checking while one types. */
export const planJsonSchema = (): object => ({
  title: 'Headgate plan',
  ...z.toJSONSchema(planDocument, { target: 'draft-7', io: 'input', unrepresentable: 'any' }),
});
