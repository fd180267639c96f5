/** What is answered about a plan before it runs: previews, simulations and replays, in full, so that a console can draw them. */
import { z } from '@hono/zod-openapi';

const ms = z.number().int().describe('milliseconds since the release began');
const chance = z.number().min(0).max(1);
const change = z.object({ from: z.number(), to: z.number() });
const number = z.number();

export const previewView = z
  .object({
    runs: z.number().int().describe('that each figure comes from'),
    requestsPerSecond: number,
    measured: z.boolean().describe('whether the traffic was measured, not given'),
    steps: z.array(
      z.object({
        step: z.number().int().nullable().describe('null for the bake'),
        weightBp: z.number().int(),
        holdMs: number,
        checks: z.record(
          z.string(),
          z.object({
            requests: number.describe('of the canary, in the hold'),
            needed: number.nullable().describe('before it may pass here'),
            neededMs: number.nullable(),
            enough: z.boolean(),
            sees: change.nullable().describe('the smallest regression that is found within the hold with 90 %'),
          }),
        ),
      }),
    ),
    regressions: z.array(
      z.object({
        check: z.string(),
        unit: z.enum(['share', 'times']),
        change,
        steps: z.array(z.object({ step: z.number().int().nullable(), within: chance, byEnd: chance })),
        found: chance,
        medianMs: number.nullable(),
        badRequests: number.nullable(),
      }),
    ),
    good: z.object({
      plannedMs: number,
      promoted: chance,
      takenBack: chance,
      medianMs: number.nullable(),
      earlyMedianMs: number.nullable(),
    }),
    notForetold: z.array(z.object({ check: z.string(), why: z.string() })),
    advice: z.array(z.string()),
  })
  .openapi('Preview');

const verdict = z.enum(['pass', 'fail', 'inconclusive', 'no_data', 'error']);
const course = z
  .object({
    end: z.enum(['promoted', 'rolledBack', 'held']),
    ms,
    weightBp: z.number().int(),
    cause: z.string().nullable(),
    met: z.object({ requests: number, bad: number, extra: number }).nullable(),
    moments: z.array(
      z.object({
        ms,
        weightBp: z.number().int(),
        step: z.number().int(),
        phase: z.string(),
        verdict,
        logE: number.describe('natural logarithm of the evidence of all checks together'),
        threshold: number.describe('where it takes the release back'),
        checks: z.record(z.string(), z.object({ verdict, logE: number.nullable() })),
      }),
    ),
    events: z.array(z.object({ ms, type: z.string(), sentence: z.string() })),
  })
  .openapi('Course');

const end = z.object({ share: chance, medianMs: number.nullable(), p95Ms: number.nullable() });
export const simulatedView = z
  .object({
    runs: z.number().int(),
    measured: z.boolean().describe('whether the traffic was measured, not given'),
    ends: z.object({ promoted: end, rolledBack: end, held: end }),
    met: z.object({ requests: number, bad: number, extra: number }).describe('by users of the canary, mean over the runs'),
    extraUntilBack: number.nullable(),
    first: course,
  })
  .openapi('Simulated');

export const backtestView = z
  .object({
    course,
    canaryShare: number.nullable().describe('of the requests that were counted then; the plan would have had its own weights'),
    unanswered: z.array(z.object({ check: z.string(), why: z.string() })),
    caveats: z.array(z.string()),
  })
  .openapi('Backtest');

export type PreviewView = z.output<typeof previewView>;
export type SimulatedView = z.output<typeof simulatedView>;
export type BacktestView = z.output<typeof backtestView>;
