/** Everything that crosses the wire, once: the API validates with these, `/openapi.json` is made of them, clients take their types. */
import { z } from '@hono/zod-openapi';
import { reason, strict, version } from './values.ts';

export const instant = z.number().int().describe('milliseconds since 1970');
export const bp = z.number().int().min(0).max(10_000).describe('basis points, 0..10000');
const validated = z.literal(true).optional().describe('with validate_only: nothing was written, this is what would be');
const verdict = z.enum(['pass', 'fail', 'inconclusive', 'no_data', 'error']);

export const problemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().optional(),
    requestId: z.string().optional().describe('as in the log'),
    errors: z
      .array(
        z.object({
          pointer: z.string(),
          detail: z.string(),
          line: z.number().int().nullable(),
          column: z.number().int().nullable(),
        }),
      )
      .optional(),
  })
  .openapi('Problem');

const arm = z.object({ n: z.number(), bad: z.number(), value: z.number().nullable() }).nullable();
const evidence = z.object({
  from: instant.nullable(),
  to: instant.nullable(),
  measurements: z.number().int(),
  breaches: z.number().int(),
  of: z.number().int(),
  query: z.record(z.string(), z.string()),
  canary: arm,
  stable: arm,
  limit: z.number().nullable(),
  weighed: z
    .object({
      logE: z.number().describe('natural logarithm of the evidence of this check'),
      together: z.number().describe('of all checks of the release'),
      threshold: z.number().describe('where it takes the release back'),
      anytimeP: z.number().describe('bounds how often a good release ever looks so bad'),
      ratio: z
        .object({ estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() })
        .nullable()
        .describe('how many times as often as stable since the release began; the counts are of the present weight'),
      slow: z
        .object({ atMs: z.number(), leastMs: z.number(), mostMs: z.number() })
        .nullable()
        .optional()
        .describe(
          'of latency: slower than atMs is slow; the ratio counts from leastMs to mostMs, as the quantile of stable moved',
        ),
      dispersion: z.object({ factor: z.number(), byInstance: z.boolean() }).nullable(),
      from: z.string().nullable().describe('the route, bound or limit that it comes from most'),
      needed: z.number().nullable().describe('requests at this weight that a pass needs'),
      proved: z.boolean().describe('proved not to be twice as bad'),
    })
    .nullable(),
  ranked: z.object({ classification: z.string(), critical: z.boolean() }).nullable(),
});
export const checkView = z
  .object({
    name: z.string(),
    kind: z.string(),
    provider: z.string(),
    unit: z.enum(['share', 'ms', 'events', 'level']).describe('of what canary, stable and limit are given in'),
    required: z.boolean().describe('whether it counts where the release stands'),
    verdict,
    sentence: z.string(),
    hard: z.boolean(),
    doubt: z.enum(['collecting', 'thin', 'suspicious', 'marginal']).nullable(),
    dryRun: z.boolean(),
    evidence: evidence.nullable(),
  })
  .openapi('Check');

export const targetView = z
  .object({
    id: z.string(),
    service: z.string(),
    router: z.string(),
    route: z.string(),
    cell: z.string(),
    slots: z.tuple([z.string(), z.string()]),
    management: z.enum(['enforce', 'adopt']),
    seq: z.number().int(),
    desiredSecondSlotBp: bp,
    verifiedSecondSlotBp: bp.nullable(),
    verifiedAt: instant.nullable().describe('since when it serves what is wanted, as far as it was read'),
    readAt: instant.nullable().optional().describe('when it was last read in full, by the process that answers; null: not yet'),
    /** What it serves now, where it was asked for. */
    servedSecondSlotBp: bp.nullable().optional(),
    differs: z.string().nullable(),
    differsSince: instant.nullable(),
    unreachableSince: instant.nullable(),
  })
  .openapi('Target');

export const serviceView = z
  .object({
    name: z.string(),
    team: z.string().nullable(),
    environment: z.string().nullable(),
    provider: z.string().nullable(),
    promotion: z.enum(['swap', 'replace']),
    stableVersion: z.string().nullable(),
    stableSince: instant.nullable().describe('when it became so, by a promotion or because somebody said so'),
    stableSlot: z.string(),
    /** Where the next version is deployed to. */
    idleSlot: z.string().nullable(),
    activeRelease: z.string().nullable(),
  })
  .openapi('Service');

const offerView = z.object({
  verb: z.string(),
  option: z.enum(['full', 'force']).nullable().describe('sent along as true'),
  accepted: z.boolean(),
  reason: z.string().nullable().describe('why it is not accepted'),
  effect: z.string().nullable().describe('what it would do now'),
  needsReason: z.boolean(),
  past: z.string().nullable().describe('what forcing it leaves out: without its approval'),
});

export const releaseView = z
  .object({
    id: z.string(),
    stateVersion: z.number().int(),
    service: z.string(),
    version: z.string(),
    stableVersion: z.string().nullable(),
    plan: z.string(),
    planHash: z.string().describe('of the plan as the release runs it; an approval is bound to it'),
    /** The phase with its own data: `until`, `otherwise` ... where it has them. */
    phase: z.looseObject({ kind: z.string() }),
    step: z.number().int().describe('1 for the first; 0 before it'),
    steps: z.number().int(),
    wantedBp: bp,
    approvedBp: bp,
    verdict,
    checks: z
      .record(z.string(), z.object({ verdict, sentence: z.string() }))
      .describe('as said when a verdict last changed; /checks has the newest measurement'),
    hold: z
      .object({
        reason: z.string(),
        detail: z.string(),
        since: instant,
        until: instant.nullable(),
        otherwise: z.string(),
      })
      .nullable(),
    sentence: z.string(),
    acceptedCommands: z.array(offerView),
    next: z
      .object({ at: instant, sentence: z.string() })
      .nullable()
      .describe('what happens by the clock, when nothing else does before'),
    rollback: z
      .object({
        cause: z.looseObject({ kind: z.string() }),
        at: instant,
        by: z.string(),
        sentence: z.string(),
      })
      .nullable(),
    unverified: z.boolean(),
    quarantined: z.string().nullable(),
    createdAt: instant,
    createdBy: z.string(),
    createdByKind: z.enum(['person', 'ci', 'headgate']),
    startedAt: instant.nullable(),
    deadlineAt: instant.nullable(),
    dueAt: instant,
    validated,
  })
  .openapi('Release');

export const eventView = z
  .looseObject({
    id: z.string(),
    type: z.string(),
    seq: z.number().int(),
    at: instant,
    service: z.string(),
    sentence: z.string(),
  })
  .openapi('Event');

export const planView = z
  .object({
    name: z.string(),
    version: z.number().int(),
    service: z.string(),
    document: z.string(),
    createdAt: instant,
    validated,
  })
  .openapi('Plan');

const found = z.object({
  pointer: z.string(),
  detail: z.string(),
  line: z.number().nullable(),
  column: z.number().nullable(),
});
export const validatedView = z
  .object({
    valid: z.boolean(),
    problems: z.array(found),
    warnings: z.array(found),
    plan: z
      .object({
        name: z.string(),
        service: z.string(),
        opening: z.string().describe('what a release by it does first'),
        sentence: z.string().describe('what a release by it does'),
        planHash: z.string().describe('as releases by it show it'),
      })
      .nullable()
      .describe('null when it is not valid'),
  })
  .openapi('ValidatedPlan');

export const measurementView = z
  .object({
    check: z.string(),
    end: instant,
    measurement: z.looseObject({ kind: z.string() }),
    verdict,
    sentence: z.string(),
    evidence,
  })
  .openapi('Measurement');

export const auditView = z
  .object({
    seq: z.number().int(),
    at: instant,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    reason: z.string().nullable(),
    data: z.unknown(),
    origin: z
      .object({
        kind: z.enum(['person', 'ci']),
        token: z.string().nullable().describe('the id of the API token'),
        provenance: z.record(z.string(), z.string()).nullable().describe('what an identity provider vouches for'),
        address: z.string().nullable(),
        request: z.string().describe('as in the log'),
      })
      .optional(),
    hash: z.string().describe('of this row and the one before it'),
  })
  .openapi('AuditEntry');
export const auditHeadView = z.object({ seq: z.number().int(), hash: z.string(), at: instant.nullable() }).openapi('AuditHead');

export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const validateOnly = z
  .object({
    validate_only: z.enum(['true', 'false'], 'true or false').optional().describe('true: check everything, and write nothing'),
  })
  .strict();

export const startBody = strict({
  /** The name of an applied plan, or a plan as a document. */
  plan: z.union(
    [z.string({ error: 'the name of a plan, or a plan' }).min(1, 'the plan is empty').max(262_144), z.looseObject({})],
    {
      error: 'the name of a plan, or a plan',
    },
  ),
  version,
  first: z.boolean().optional(),
  paused: z.boolean().optional(),
  onBusy: z.enum(['reject', 'queue', 'supersede'], 'reject, queue or supersede').optional(),
  reason: reason.optional(),
}).openapi('StartRelease');

export const commandBody = strict({
  reason: reason.optional(),
  full: z.boolean().optional(),
  force: z.boolean().optional(),
  /** With approve: the plan that was looked at. */
  planHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'the planHash of the release')
    .optional(),
}).openapi('Command');
export const stableBody = strict({
  version,
  slot: z.string().min(1).max(100).optional(),
  reason: reason.optional(),
}).openapi('StableVersion');
export const planBody = strict({
  document: z.union([z.string(), z.looseObject({})], { error: 'the plan as text or as an object' }),
}).openapi('PlanDocument');

export type CheckView = z.output<typeof checkView>;
export type ReleaseView = z.output<typeof releaseView>;
export type ServiceView = z.output<typeof serviceView>;
export type TargetView = z.output<typeof targetView>;
export type ProblemView = z.output<typeof problemView>;
export type EventView = z.output<typeof eventView>;
export type PlanView = z.output<typeof planView>;
export type MeasurementView = z.output<typeof measurementView>;
export type ValidatedView = z.output<typeof validatedView>;
export type AuditView = z.output<typeof auditView>;
export type AuditHeadView = z.output<typeof auditHeadView>;
