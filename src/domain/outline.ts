/** What a plan will do, as one sentence, for whoever is about to start a release by it. */
import { formatDuration } from '../lib/duration.ts';
import { plannedMs } from './course.ts';
import { complement, percent } from './ids.ts';
import type { Plan, Step } from './plan.ts';

/** `settleMs`: how long the last weight is watched. */
export function outline(plan: Plan, settleMs: number): string {
  const { steps, bake, checks, deadlineMs } = plan;
  const names = Object.keys(checks);
  const judged = names.length === 0 ? 'nothing judges it on the way' : `${listed(names)} must pass on the way`;
  const way = [
    ...stages(steps),
    ...(bake ? [`${percent(complement(bake.holdBack))} for ${formatDuration(bake.forMs)} to bake`] : []),
  ];
  return `takes ${listed(way, 'then')}; ${judged}; promoted after ${formatDuration(plannedMs(plan) + settleMs)} at the soonest, and taken back when that has not come within ${formatDuration(deadlineMs)}`;
}

/** What a release by the plan does first; it follows "it". */
export function opening({ steps, bake }: Plan): string {
  const [step] = steps;
  if (!step) return bake ? `takes ${percent(complement(bake.holdBack))} of the traffic to bake` : 'takes all traffic';
  if (step.kind === 'weight') return `takes ${percent(step.weight)} of the traffic`;
  const wait = step.kind === 'pause' ? `a pause of ${formatDuration(step.forMs)} at most` : approval(step);
  return `waits, before any traffic moves, for ${wait}`;
}

/** Weights that are held equally long are said together. */
function stages(steps: readonly Step[]): readonly string[] {
  const said: string[] = [];
  let weights: string[] = [];
  let heldMs: number | null = null;
  const flush = (): void => {
    if (heldMs === null) return;
    said.push(`${listed(weights)} of the traffic for ${formatDuration(heldMs)}${weights.length > 1 ? ' each' : ''}`);
    weights = [];
    heldMs = null;
  };
  for (const step of steps) {
    if (step.kind === 'weight') {
      if (heldMs !== step.holdMs) flush();
      weights.push(percent(step.weight));
      heldMs = step.holdMs;
      continue;
    }
    flush();
    said.push(step.kind === 'pause' ? `a pause of ${formatDuration(step.forMs)} at most` : approval(step));
  }
  flush();
  return said;
}

const approval = ({ by, withinMs }: Extract<Step, { readonly kind: 'approve' }>): string =>
  `the approval of ${by === 1 ? 'one person' : `${by} people`} within ${formatDuration(withinMs)}`;

const listed = (words: readonly string[], last = 'and'): string =>
  words.length < 2 ? (words[0] ?? 'nothing') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
