/**
 * Every command with what it would do now, and whether it wants a reason: what a client needs to offer it without knowing
 * a rule. Promoting comes in three ways, each an offer of its own.
 */
import { unreachable } from '../lib/assert.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Acceptance } from './accepts.ts';
import { hasPassed, refusesPromotion } from './command.ts';
import { nextOf } from './course.ts';
import type { Next } from './course.ts';
import { NONE, percent } from './ids.ts';
import type { Instant } from './ids.ts';
import type { Actor, Release } from './release.ts';
import { nextWords, wayWords } from './upcoming.ts';

export type Offer = Acceptance & {
  /** Sent along with the verb: a promotion to the end, or one past its checks. */
  readonly option: 'full' | 'force' | null;
  /** What it would do now; it follows "it", as all sentences do. */
  readonly effect: string | null;
  readonly needsReason: boolean;
  /** What forcing it leaves out, to follow the name of the command: `without its approval`. Null where nothing is forced. */
  readonly past: string | null;
};

/** The one who is offered it. */
export type Asker = { readonly actor: Actor; readonly mayApprove: boolean };

export const offers = (release: Release, list: readonly Acceptance[], now: Instant, asker: Asker): readonly Offer[] =>
  list.flatMap((entry): readonly Offer[] => {
    if (!entry.accepted) return [{ ...entry, option: null, effect: null, needsReason: false, past: null }];
    if (entry.verb === 'promote') return promotions(release, entry, asker);
    return [{ ...entry, option: null, effect: effectOf(release, entry.verb, now), needsReason: false, past: null }];
  });

const MAX_PROMOTION: Next = { kind: 'promotion' };

function promotions(release: Release, entry: Acceptance, asker: Asker): readonly Offer[] {
  const next = nextOf(release);
  const plain = promotion(release, entry, { next, full: false, asker });
  const full = next.kind === 'promotion' ? [] : [promotion(release, entry, { next: MAX_PROMOTION, full: true, asker })];
  const effect = `goes on ${wayWords(release, next)}, though the rules say no (${plain.reason ?? ''})`;
  if (plain.accepted) return [plain, ...full];
  const forced = { verb: 'promote', full: false, force: true, reason: 'a reason', mayApprove: asker.mayApprove } as const;
  const reason = refusesPromotion(release, next, forced, asker.actor);
  const open = reason === null;
  const force = { option: 'force', accepted: open, reason, effect: open ? effect : null, needsReason: open } as const;
  return [plain, ...full, { ...entry, ...force, past: pastOf(release) }];
}

/** What stands in the way of going on, and is left out by force. */
function pastOf(release: Release): string {
  const isPassed = hasPassed(release);
  const checks = release.verdict === 'fail' ? 'a failing check' : 'its checks';
  if (release.phase.kind !== 'awaitingApproval') return `despite ${checks}`;
  return isPassed ? 'without its approval' : `without its approval, despite ${checks}`;
}

type Way = { readonly next: Next; readonly full: boolean; readonly asker: Asker };

function promotion(release: Release, entry: Acceptance, { next, full, asker }: Way): Offer {
  const asked = (reason: string | null) =>
    refusesPromotion(release, next, { verb: 'promote', full, force: false, reason }, asker.actor);
  const refusal = asked('a reason');
  const left = release.plan.steps.length - release.step - 1;
  const skipped = full && left > 0 ? `, past ${left === 1 ? 'the step' : `the ${left} steps`} ahead` : '';
  return {
    verb: entry.verb,
    accepted: refusal === null,
    reason: refusal,
    option: full ? 'full' : null,
    effect: refusal === null ? `goes on ${wayWords(release, next)}${skipped}` : null,
    needsReason: refusal === null && asked(null) !== null,
    past: null,
  };
}

type Simple = Exclude<Acceptance['verb'], 'promote'>;

function effectOf(release: Release, verb: Simple, now: Instant): string {
  const { phase, plan, deadlineAt, version } = release;
  switch (verb) {
    case 'pause': {
      const left = deadlineAt === null ? plan.deadlineMs : Math.max(0, deadlineAt - now);
      return `stays at ${percent(release.wanted)} until somebody resumes it; if nobody has in ${about(left)}, it is rolled back`;
    }
    case 'resume':
      return resumption(release);
    case 'approve': {
      const left = phase.kind === 'awaitingApproval' ? phase.needed - phase.given.length : 1;
      return left > 1
        ? `needs ${left - 1} more approval${left === 2 ? '' : 's'} then`
        : `goes on ${nextWords(release)}${onceJudged(release)}`;
    }
    case 'reject':
      return `is refused: ${back(release)}`;
    case 'confirmReplaced':
      return `counts as running in the stable slot (${version}); the canary slot is emptied`;
    case 'rollback':
      return back(release);
    default:
      return unreachable(verb);
  }
}

function resumption(release: Release): string {
  const { phase, wanted } = release;
  if (phase.kind !== 'paused') return 'goes on';
  const { at } = phase;
  if (at.kind === 'step') return `is watched for another ${about(at.remainingMs)} at ${percent(wanted)}`;
  if (at.kind === 'bake') return `bakes for another ${about(at.remainingMs)} at ${percent(wanted)}`;
  return `goes on ${nextWords(release)}${onceJudged(release)}`;
}

const onceJudged = ({ verdict, wanted }: Release): string =>
  verdict === 'pass' || wanted === NONE ? '' : ', as soon as its checks pass';

function back({ approved, wanted, stableVersion, version }: Release): string {
  if (approved === NONE) return 'ends before any traffic has moved';
  return stableVersion === null
    ? `gives up all its traffic (${percent(wanted)} now on ${version})`
    : `gives all traffic back to ${stableVersion} at once (${percent(wanted)} now on ${version})`;
}

/** Nobody needs the seconds of an hour. */
function about(ms: number): string {
  const unit = ms < 1_000 ? 1 : ms < 3_600_000 ? 1_000 : 60_000;
  return formatDuration(Math.round(ms / unit) * unit);
}
