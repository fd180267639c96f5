/** A plan in few words, the same from the service and from a file. */
import { opening, outline } from '../domain/outline.ts';
import type { Plan } from '../domain/plan.ts';
import { planHashOf } from './plan-hash.ts';

export const summaryOf = (plan: Plan) => ({
  name: plan.name,
  service: plan.service,
  opening: opening(plan),
  sentence: outline(plan),
  planHash: planHashOf(plan),
});
