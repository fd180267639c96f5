/** What is wrong with a plan, and a good one in few words: the same from the service and from a file. */
import { USUAL_SETTLE_MS } from '../domain/course.ts';
import { opening, outline } from '../domain/outline.ts';
import type { Plan } from '../domain/plan.ts';
import { parsePlan } from './plan.ts';
import { planHashOf } from './plan-hash.ts';
import type { PlanWorld } from './plan-world.ts';
import type { Problem } from './problem.ts';
import type { ValidatedView } from './wire.ts';

export function validated(document: unknown, world: PlanWorld): ValidatedView {
  const parsed = parsePlan(document, world);
  const shown = (problems: readonly Problem[]) =>
    problems.map(({ path, message, line, column }) => ({ pointer: path, detail: message, line, column }));
  if (!parsed.ok) return { valid: false, problems: shown(parsed.error), warnings: [], plan: null };
  const { plan, warnings } = parsed.value;
  return { valid: true, problems: [], warnings: shown(warnings), plan: summaryOf(plan, world) };
}

const summaryOf = (plan: Plan, { services }: PlanWorld) => ({
  name: plan.name,
  service: plan.service,
  opening: opening(plan),
  sentence: outline(plan, services.get(plan.service)?.settleMs ?? USUAL_SETTLE_MS),
  planHash: planHashOf(plan),
});
