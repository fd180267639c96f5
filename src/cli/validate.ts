/** `headgate validate`: everything that is wrong with a plan, and what a plan that is fine does, by the service or by a file. */
import { validated } from '../contract/plan-summary.ts';
import type { PlanWorld } from '../contract/plan-world.ts';
import { problemLine } from '../contract/problem.ts';
import type { Problem } from '../contract/problem.ts';
import type { Result } from '../lib/result.ts';
import type { FoundProblem, ValidationView } from './client.ts';
import { EXIT } from './exit-codes.ts';
import { readText, refused } from './session.ts';
import type { Session } from './session.ts';

export type ValidateFlags = { readonly file: string; readonly config: string | null };
type WorldOf = (configFile: string) => Result<PlanWorld, readonly Problem[]>;

export async function validate(
  { api, print, json }: Session,
  worldOf: WorldOf,
  { file, config }: ValidateFlags,
): Promise<number> {
  const text = readText(file);
  if (config === null) {
    const answer = await api.validate(text);
    return answer.ok ? told(answer.value) : refused(print, answer.error);
  }
  const world = worldOf(config);
  if (!world.ok) {
    for (const problem of world.error) print.note(problemLine(config, problem));
    return EXIT.usage;
  }
  return told(validated(text, world.value));

  function told(view: ValidationView): number {
    const line = ({ pointer, detail, line: at, column }: FoundProblem): string =>
      problemLine(file, { path: pointer, message: detail, line: at, column });
    for (const problem of view.problems) print.note(line(problem));
    for (const warning of view.warnings) print.note(`warning: ${line(warning)}`);
    if (json) print.data(JSON.stringify(view));
    else if (view.plan) print.data(sentenceOf(view.plan));
    return view.valid ? EXIT.ok : EXIT.usage;
  }
}

const sentenceOf = ({ name, service, sentence, planHash }: NonNullable<ValidationView['plan']>): string =>
  `the plan ${name} is fine: a release of ${service} by it ${sentence}; its hash is ${planHash}`;
