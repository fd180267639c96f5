/**
 * A plan over a past: the step machine and the judge see what a provider counted then, and say what they would have said.
 * What they could not have changed is named with it: the weights, and what the users met.
 */
import type { Work } from '../../lib/slices.ts';
import type { JudgeState } from '../analysis/judge.ts';
import { shareWords } from '../analysis/words.ts';
import type { Instant } from '../ids.ts';
import type { Plan } from '../plan.ts';
import { recorded, shareServed } from './recorded.ts';
import type { Recording } from './recorded.ts';
import { rehearse } from './rehearse.ts';
import type { Course } from './rehearse.ts';

export type Replayed = {
  readonly course: Course;
  /** Of the requests that were counted then; null where none were. */
  readonly canaryShare: number | null;
  readonly caveats: readonly string[];
};

export function* replayed(
  plan: Plan,
  recording: Recording,
  { to, version }: { readonly to: Instant; readonly version: string },
): Work<Replayed> {
  const world = recorded(recording);
  const known = new Map<string, JudgeState | null>();
  const { from } = recording;
  const course = yield* rehearse({
    plan,
    world,
    start: from,
    horizonMs: to - from,
    approveAfterMs: 0,
    version,
    draws: true,
    known,
  });
  const shares = [...recording.answers.values()].map(shareServed).filter((share) => share !== null);
  const canaryShare = shares.length === 0 ? null : Math.max(...shares);
  return { course, canaryShare, caveats: caveatsOf(plan, recording, { course, canaryShare, to }) };
}

type Found = { readonly course: Course; readonly canaryShare: number | null; readonly to: Instant };

function caveatsOf(
  { intervalMs, steps, checks }: Plan,
  { answers, past, from }: Recording,
  { course, canaryShare, to }: Found,
): readonly string[] {
  const first = steps.find((step) => step.kind === 'weight');
  const planned = first?.kind === 'weight' ? first.weight / 10_000 : 0;
  const silent = [...answers].filter(([, all]) => all.every(({ kind }) => kind === 'no_data' || kind === 'failed'));
  const unknown = Object.keys(checks).filter((name) => answers.has(name) && (past.get(name)?.length ?? 0) === 0);
  return [
    canaryShare === null
      ? 'no request of either version was counted in that time'
      : `weights were what they were: the canary had ${shareWords(canaryShare)} of the requests on the whole, and the plan begins with ${shareWords(planned)}; with another weight the same verdict comes sooner or later`,
    ...(steps.some(({ kind }) => kind === 'approve') ? ['approvals are taken to have been given at once'] : []),
    ...silent.map(([name]) => `${name} was answered with no data all the time`),
    ...unknown.map((name) => `${name} was judged without the hour before, which its provider does not have`),
    ...(course.end === 'held' && course.ms < to - from + intervalMs ? ['the span ended before the plan did'] : []),
    ...(course.end === 'rolledBack' ? ['what users met after the rollback is not counted as saved: it was met'] : []),
  ];
}
