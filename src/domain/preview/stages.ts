/** The places of a plan at which its canary has traffic, in order, with what is expected at each of them. */
import { complement } from '../ids.ts';
import type { Weight } from '../ids.ts';
import type { Plan } from '../plan.ts';

export type Stage = {
  /** Number of its step from 1; null for the bake. */
  readonly step: number | null;
  readonly weight: Weight;
  readonly holdMs: number;
  /** Names of the checks that are measured. */
  readonly checks: readonly string[];
  /** A pause at the weight of the stage before it: what was counted there counts on, and it is never left early. */
  readonly isPause: boolean;
};

/** Approvals are taken to be given at once; a pause that waits for a person, to be ended at once. */
export function stagesOf({ steps, bake, checks }: Plan): readonly Stage[] {
  const stages: Stage[] = [];
  for (const [index, step] of steps.entries()) {
    const before = stages.at(-1);
    if (step.kind === 'weight')
      stages.push({ step: index + 1, weight: step.weight, holdMs: step.holdMs, checks: step.checks, isPause: false });
    else if (step.kind === 'pause' && step.otherwise === 'continue' && before)
      stages.push({ ...before, step: index + 1, holdMs: step.forMs, isPause: true });
  }
  if (bake !== null)
    stages.push({
      step: null,
      weight: complement(bake.holdBack),
      holdMs: bake.forMs,
      checks: Object.keys(checks),
      isPause: false,
    });
  return stages;
}
