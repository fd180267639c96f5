/** What of a request has not the shape that its route takes: every value that is wrong, and of a plan in it what is wrong inside. */
import type { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { partAt } from '../contract/mend.ts';
import { parsePlan } from '../contract/plan.ts';
import type { PlanWorld } from '../contract/plan-world.ts';
import { pointerOf } from '../contract/problem.ts';
import type { Problem } from '../contract/problem.ts';
import { flawsIn } from '../contract/shape.ts';
import { problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

type Unfit = { readonly target: string; readonly data?: unknown; readonly error: z.ZodError };

export const unfit = (c: Context, result: Unfit): ProblemResponse => told(c, result, []);

/** For bodies with a plan under the key: what is wrong with the one is told with what is wrong with the other. */
export const unfitAroundPlan =
  (key: 'plan' | 'document', world: PlanWorld): typeof unfit =>
  (c, result) => {
    const plan = result.target === 'json' ? partAt(result.data, [key]) : null;
    const isText = typeof plan === 'string' && (key === 'document' || isPlanText(plan));
    const parsed = isText || (typeof plan === 'object' && plan !== null) ? parsePlan(plan, world) : null;
    return told(c, result, parsed && !parsed.ok ? inBody(key, parsed.error) : []);
  };

function told(c: Context, { target, data, error }: Unfit, more: readonly Problem[]): ProblemResponse {
  const what = target === 'json' ? 'body' : target;
  const flaws = flawsIn(error.issues.map((issue) => withInput(issue, data))).map(({ path, message, isMissing }) => ({
    path: pointerOf(path),
    message: isMissing && path.length === 0 ? `the ${what} is missing` : message,
    line: null,
    column: null,
  }));
  const problems = [...flaws, ...more];
  return problem(
    c,
    'invalid',
    `the ${what} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
    problems,
  );
}

/** Beside what is wrong with a value, the value: whether there is one at all. */
function withInput(issue: z.core.$ZodIssue, data: unknown): z.core.$ZodIssue {
  if (issue.code === 'custom') return issue; // it may be about another value than the one that it points at
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  return { ...issue, input: partAt(data, path) } as z.core.$ZodIssue; // whose type says the same of it: anything
}

/** Under `plan` a text of one line is the name of a plan. */
export const isPlanText = (plan: string): boolean => plan.includes('\n');

/** With pointers from the top of the body; the lines of a text are its own. */
export const inBody = (key: 'plan' | 'document', problems: readonly Problem[]): readonly Problem[] =>
  problems.map((one) => ({ ...one, path: `/${key}${one.path}` }));
