/** What comes next on the way of a release, when, and in which words: for countdowns, and for saying what a command would do. */
import { unreachable } from '../lib/assert.ts';
import { formatDuration } from '../lib/duration.ts';
import { nextOf } from './course.ts';
import type { Next } from './course.ts';
import { complement, NONE, percent } from './ids.ts';
import type { Instant } from './ids.ts';
import type { GateOutcome } from './plan.ts';
import { isEnded } from './release.ts';
import type { Release } from './release.ts';

export type Upcoming = { readonly at: Instant; readonly sentence: string };

/** Null where nothing happens by the clock alone. */
export function upcoming(release: Release): Upcoming | null {
  const { phase, hold, deadlineAt, plan } = release;
  if (isEnded(release) || release.rollback !== null) return ending(release);
  if (release.quarantined !== null) return null;
  if (hold !== null)
    return deadlineAt === null ? null : { at: deadlineAt, sentence: 'is rolled back, unless the hold ends before' };
  switch (phase.kind) {
    case 'watching':
      return {
        at: phase.until,
        sentence: `may go on ${nextWords(release)}${release.verdict === 'pass' ? '' : ', once its checks pass'}`,
      };
    case 'paused':
    case 'awaitingApproval':
      return { at: phase.until, sentence: otherwise(release, phase.otherwise) };
    case 'baking':
      return { at: phase.until, sentence: nextWords(release).replace(/^to take/, 'takes') };
    case 'promoting': {
      const holds = release.promotion.kind === 'replace' && release.promotion.otherwise === 'hold';
      return { at: phase.until, sentence: holds ? 'is held, until somebody confirms the replacement' : 'is rolled back' };
    }
    case 'settling':
      return ending(release);
    case 'starting':
    case 'shifting':
      return deadlineAt === null
        ? null
        : { at: deadlineAt, sentence: `is rolled back, if plan ${plan.name} has not come to its end before` };
    case 'queued':
    case 'rollingBack':
    case 'promoted':
    case 'rolledBack':
    case 'superseded':
      return null;
    default:
      return unreachable(phase);
  }
}

function ending({ phase, stableVersion }: Release): Upcoming | null {
  if (phase.kind !== 'settling') return null;
  if (phase.outcome === 'promoted') return { at: phase.until, sentence: 'is promoted, when its last weight still stands then' };
  return { at: phase.until, sentence: `ends with all traffic on ${stableVersion ?? 'what served before'}` };
}

const otherwise = (release: Release, outcome: GateOutcome): string =>
  outcome === 'continue' ? `goes on ${nextWords(release)}` : 'is rolled back';

/** `to step 3 of 4, 25 %`: where the release goes when it leaves its place. */
export const nextWords = (release: Release): string => wayWords(release, nextOf(release));

export function wayWords({ plan, promotion, first, version }: Release, next: Next): string {
  if (next.kind === 'bake') return `to bake at ${percent(complement(plan.bake?.holdBack ?? NONE))}`;
  if (next.kind === 'promotion')
    return promotion.kind === 'swap' || first ? 'to take all traffic' : `to have the stable slot replaced by ${version}`;
  const step = plan.steps[next.step];
  const place = `to step ${next.step + 1} of ${plan.steps.length}`;
  if (step?.kind === 'weight') return `${place}, ${percent(step.weight)}`;
  if (step?.kind === 'approve') return `${place}, where it waits for ${step.by === 1 ? 'an approval' : `${step.by} approvals`}`;
  return `${place}, a pause of ${formatDuration(step?.forMs ?? 0)}`;
}
