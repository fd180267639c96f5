/** What is allowed and perhaps not meant: said by `validate`, and no reason to refuse. */
import { isAbsolute } from '../domain/course.ts';
import { ALL, complement, percent, Weight } from '../domain/ids.ts';
import type { Check, Plan } from '../domain/plan.ts';
import { formatDuration } from '../lib/duration.ts';
import { unknownName } from './nearest.ts';
import type { Complain } from './plan-checks.ts';
import type { PlanDocument } from './plan-document.ts';
import type { PlanService } from './plan-world.ts';

export function warn(document: PlanDocument, plan: Plan, say: Complain, service: PlanService | undefined): void {
  const all = Object.keys(plan.checks);
  const deciding = decidingOf(plan, all);
  if (all.length === 0) say([], 'the plan has no checks: nothing but a person can stop it');
  else if (deciding.length === 0) say(['checks'], 'every check is a dry run: nothing but a person can stop the release');
  for (const [index, step] of plan.steps.entries())
    if (step.kind === 'weight' && isBlind(plan, step.weight, step.checks))
      say(document.steps ? ['steps', index] : ['strategy'], `${blindWords(plan, step.checks)}, or use a step below 100%`);
  if (plan.bake && isBlind(plan, complement(plan.bake.holdBack), all))
    say(['bake'], `${blindWords(plan, all)}, or hold some traffic back, such as holdBack: 10%`);
  if (service) warnOfCoarseTargets(document, plan, say, service);
  const groups = Object.values(plan.checks).flatMap((check) => (check.kind === 'mann-whitney' ? [check.group] : []));
  for (const group of Object.keys(plan.score.groups))
    if (!groups.includes(group))
      say(['score', 'groups', group], unknownName('group of a rank test', group, [...new Set(groups)]));
  if (plan.earlyAfterMs !== null) warnOfHaste(plan, plan.earlyAfterMs, say);
}

/** A flag in whole percent waits where a weight is between two of its steps: less is served there than the plan says. */
function warnOfCoarseTargets(document: PlanDocument, plan: Plan, say: Complain, { coarse = [], targets }: PlanService): void {
  const steps = plan.steps.flatMap((step, index) =>
    step.kind === 'weight' ? [{ weight: step.weight, path: document.steps ? ['steps', index] : ['strategy'] }] : [],
  );
  const places = plan.bake ? [...steps, { weight: complement(plan.bake.holdBack), path: ['bake'] }] : steps;
  for (const { weight, path } of places) {
    const late = coarse.filter(({ stepBp }) => weight % stepBp !== 0);
    const silent = late.filter(({ stepBp }) => weight < stepBp);
    for (const { target, stepBp } of late)
      say(
        path,
        `${target} moves in steps of ${percent(Weight(stepBp))}: it serves ${percent(Weight(weight - (weight % stepBp)))} where ${percent(weight)} is wanted`,
      );
    if (silent.length > 0 && silent.length === targets)
      say(
        path,
        `nobody gets the new version at ${percent(weight)}, so there would be nothing to judge: begin with a larger step`,
      );
  }
}

function decidingOf({ checks }: Plan, names: readonly string[]): readonly Check[] {
  return Object.values(checks).filter(({ name, dryRun }) => names.includes(name) && !dryRun);
}

/** Without traffic on stable nothing is compared, so checks that only compare let everything pass. */
function isBlind(plan: Plan, weight: Weight, names: readonly string[]): boolean {
  const deciding = decidingOf(plan, names);
  return weight === ALL && deciding.length > 0 && !deciding.some(isAbsolute);
}

function blindWords(plan: Plan, names: readonly string[]): string {
  const relative = decidingOf(plan, names).map(({ name }) => name);
  return `at ${percent(ALL)} nothing is judged: stable has no traffic then to compare ${relative.join(', ')} with; give a check a max or hardMax`;
}

/** A step is left early when all that decides there is proved; one such step is enough for the plan to mean something. */
function warnOfHaste(plan: Plan, afterMs: number, say: Complain): void {
  const steps = plan.steps.flatMap((step) =>
    step.kind === 'weight' ? [{ holdMs: step.holdMs, deciding: decidingOf(plan, step.checks) }] : [],
  );
  const unproved = decidingOf(plan, Object.keys(plan.checks)).filter((check) => !isProvable(check));
  if (unproved.length > 0 && steps.every(({ deciding }) => !deciding.every(isProvable)))
    say(
      ['advanceEarly'],
      `advanceEarly never acts while ${unproved.map(({ name, kind }) => `${name} (${kind})`).join(', ')} decides: such a check cannot prove that a canary is not worse`,
    );
  else if (steps.every(({ holdMs }) => holdMs <= afterMs))
    say(['advanceEarly'], `advanceEarly never acts: every hold has passed after ${formatDuration(afterMs)}`);
}

/** Shares and latency are proved not to be twice as bad; nothing of the kind is known of levels, limits and ranks. */
function isProvable(check: Check): boolean {
  return check.kind === 'slo' || check.kind === 'latency' || (check.kind === 'ratio' && check.worse === 'higher');
}
