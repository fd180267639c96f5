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

const recourse = z.enum(['hold', 'rollback', 'continue'], 'hold, rollback or continue');
const profile = z.enum(['default', 'strict'], 'default or strict');

const checkBase = {
  provider: name.optional(),
  /** The same question to several providers that know nothing of each other: each must pass. */
  providers: z.array(name).min(2, 'two providers at least, or one under "provider"').max(5).optional(),
  /** What the provider offers by this name; the check's own name when nothing else says what to ask. */
  offered: name.optional(),
  dryRun: z.boolean().optional(),
  /** The label whose value tells canary from stable. */
  version: z.string().max(100).optional(),
  onFail: z.enum(['rollback', 'hold'], 'rollback or hold').optional(),
  onNoData: recourse.optional(),
  onError: recourse.optional(),
  onInconclusive: recourse.optional(),
};
const query = z.string({ error: 'a query as text' }).min(1).max(4_000);
const worse = z.enum(['higher', 'lower'], 'higher or lower').optional();
const minRequests = z.number().int().min(1).max(10_000_000).optional();

const evidence = {
  profile: profile.optional(),
  tolerance: share.optional(),
  weight: number.positive('a weight above 0').max(1000).optional(),
};
const ratio = strict({
  kind: z.literal('ratio'),
  ...checkBase,
  ...evidence,
  minRequests,
  worse,
  bad: query.optional(),
  total: query.optional(),
  /** The label by whose values requests are told apart and compared part by part. */
  by: z.string().max(100).optional(),
  floor: share.optional(),
  max: share.optional(),
  hardMax: share.optional(),
});
const rate = strict({
  kind: z.literal('rate'),
  ...checkBase,
  ...evidence,
  minRequests,
  worse,
  events: query.optional(),
  /** What they are counted against; seconds of each instance's life when it is left out. */
  per: query.optional(),
  floor: number.min(0).optional(),
});
const latency = strict({
  kind: z.literal('latency'),
  ...checkBase,
  ...evidence,
  minRequests,
  histogram: query.optional(),
  quantile: number.optional(),
  max: duration.optional(),
  hardMax: duration.optional(),
});
const gauge = strict({
  kind: z.literal('gauge'),
  ...checkBase,
  ...evidence,
  worse,
  query: query.optional(),
  floor: number.min(0).optional(),
});
const slo = strict({
  kind: z.literal('slo'),
  ...checkBase,
  weight: evidence.weight,
  minRequests,
  bad: query.optional(),
  total: query.optional(),
  max: share,
  hardMax: share.optional(),
});
const threshold = strict({
  kind: z.literal('threshold'),
  ...checkBase,
  query: query.optional(),
  failures: failures.optional(),
  /** Looks at the query's values over so long, and takes one of them. */
  range: duration.optional(),
  reduce: z.enum(['max', 'min', 'mean', 'last'], 'max, min, mean or last').optional(),
  min: number.optional(),
  max: number.optional(),
  hardMin: number.optional(),
  hardMax: number.optional(),
});
const sides = strict({ increase: number.min(1).optional(), decrease: number.min(0).max(1).optional() }).optional();
const mannWhitney = strict({
  kind: z.literal('mann-whitney'),
  ...checkBase,
  query: query.optional(),
  bad: query.optional(),
  total: query.optional(),
  direction: z.enum(['increase', 'decrease', 'either'], 'increase, decrease or either').optional(),
  tolerance: share.optional(),
  allowed: sides,
  criticalAllowed: sides,
  critical: z.boolean().optional(),
  mustHaveData: z.boolean().optional(),
  group: name.optional(),
  lookback: duration.optional(),
  minValues: z.number().int().min(2).max(1_000).optional(),
});

/** What is true of a check of any kind; for one whose kind says nothing. */
export const anyCheck = z.looseObject(checkBase);

const KINDS = 'ratio, rate, latency, gauge, slo, threshold or mann-whitney';
const check = z.discriminatedUnion('kind', [ratio, rate, latency, gauge, slo, threshold, mannWhitney], {
  error: `a check says its kind: ${KINDS}`,
});

export const planDocument = strict({
  apiVersion: z.literal('headgate/v1', 'apiVersion is headgate/v1').optional(),
  kind: z.literal('Plan', 'kind is Plan').optional(),
  name: name.optional(),
  service: name,
  strategy: z.enum(['canary', 'blue-green', 'ab'], 'canary or blue-green').optional(),
  /** How often a good release may be taken back, and how often a proof of "not worse" may be wrong. */
  falseRollbackRate: share.optional(),
  missRate: share.optional(),
  profile: profile.optional(),
  /** Leaves a step before its hold has passed when the canary is proved not to be worse. */
  advanceEarly: strict({ after: duration.optional() }).optional(),
  score: strict({
    pass: number.min(0).max(100).optional(),
    marginal: number.min(0).max(100).optional(),
    groups: z.record(name, number.min(0).max(100)).optional(),
  }).optional(),
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
  onNoData: recourse.optional(),
  onError: recourse.optional(),
  onInconclusive: recourse.optional(),
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
