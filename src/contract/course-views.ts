/** How a release goes its way, as it crosses the wire: its places with times, its weights over time, its targets. */
import { z } from '@hono/zod-openapi';
import { bp, instant, releaseView } from './wire.ts';

const stop = z.object({
  kind: z.enum(['weight', 'pause', 'approve', 'bake', 'end']),
  step: z.number().int().nullable().describe('1 for the first; null for the bake and the end'),
  weightBp: bp.nullable(),
  forMs: z.number().int().nullable().describe('how long the plan stays there'),
  checks: z.array(z.string()),
  state: z.enum(['past', 'current', 'ahead', 'skipped', 'never']),
  enteredAt: instant.nullable(),
  leftAt: instant.nullable(),
  until: instant.nullable().describe('when its time is over, or it may be left'),
  remainingMs: z.number().int().nullable().describe('what is left of its time, where a pause stops it'),
});

export const courseView = z
  .object({
    stops: z.array(stop).describe('the steps of the plan, the bake where there is one, and the end'),
    weights: z
      .array(z.object({ at: instant, wantedBp: bp, servedBp: bp }))
      .describe('each change of what is wanted and of what was read back; they stand until the next one'),
    plan: z.string().describe('the plan as it runs, as YAML with every default filled in'),
  })
  .openapi('Course');

export const canaryTargetView = z
  .object({
    id: z.string(),
    router: z.string(),
    route: z.string(),
    cell: z.string(),
    canarySlot: z.string(),
    wantedBp: bp.describe('the share of the new version'),
    servedBp: bp.nullable().describe('as last read back; null when the newest weight was not read back yet, or could not be'),
    servedAt: instant.nullable(),
    problem: z.string().nullable(),
  })
  .openapi('CanaryTarget');

export const runningView = z.object({ release: releaseView, targets: z.array(canaryTargetView) }).openapi('Running');

export type CourseView = z.output<typeof courseView>;
export type CanaryTargetView = z.output<typeof canaryTargetView>;
export type RunningView = z.output<typeof runningView>;
