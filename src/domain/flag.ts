/**
 * A flag of somebody else's platform, and what a change of it means to a release that runs: half of the people who are
 * compared may suddenly see something else, so what was counted before says little about what is served now.
 *
 * Two rules: what is left of the old evidence may still condemn, and never acquit; and no change of a flag ever raises
 * the canary's weight.
 */
import { unreachable } from '../lib/assert.ts';
import { refusesVerb } from './accepts.ts';
import { requiredNow, rollBack, weightStep } from './course.ts';
import type { Draft } from './draft.ts';
import { after, NONE } from './ids.ts';
import type { Instant } from './ids.ts';
import type { OnFlagChange } from './plan.ts';
import type { Phase, Release } from './release.ts';

/** A flag as its platform tells it, in the words that all platforms share. */
export type FlagState = {
  readonly exists: boolean;
  readonly enabled: boolean;
  /** Who gets it by default, in percent; null where that is not one number. */
  readonly percent: number | null;
  /** Share of each variation by default, in percent. */
  readonly variations: Readonly<Record<string, number>>;
  /** The platform's own number for this state, where it has one. */
  readonly revision: string | null;
  readonly updatedBy: string | null;
  /** Of all that decides who gets what, rules for some included: the same for the same behaviour, whoever wrote it and when. */
  readonly fingerprint: string;
};

/** How sure it is: read back from the platform; signed by it; or said by somebody who knows a token. */
export type Confirmed = 'read' | 'signed' | 'claimed';

export type FlagChange = {
  readonly source: string;
  readonly flag: string;
  /** Tells it from other changes of the flag: a release takes each one once. */
  readonly fingerprint: string;
  /** What changed, as a clause: `25 % → 50 %`. */
  readonly what: string;
  readonly changedBy: string | null;
  readonly confirmed: Confirmed;
};

/** `checkout-v2 of ld` is unambiguous in a sentence; this is for maps and events. */
export const flagId = ({ source, flag }: Pick<FlagChange, 'source' | 'flag'>): string => `${source}/${flag}`;

/** Why it cannot be taken now: a moving weight is not paused, so the change is told again when it stands. */
export function flagChanged(draft: Draft, change: FlagChange): string | null {
  const { release } = draft;
  // On its way back nothing is weighed any more, so there is nothing to confound.
  if (release.rollback !== null || release.flags?.[flagId(change)] === change.fingerprint) return null;
  const effect = effectOf(release, change);
  if (effect === 'later') return 'the weight is moving: the flag change is told again when it stands';
  draft.add({ type: 'flag.changed', ...change, effect, until: effect === 'hold' ? anew(release, draft.now) : null });
  switch (effect) {
    case 'annotate':
      return null;
    case 'hold':
    case 'restart':
      draft.add({ type: 'evidence.restarted', reason: changeClause(change), scope: 'step' });
      if (effect === 'hold')
        draft.add({
          type: 'hold.began',
          reason: 'flag',
          detail: `${changeClause(change)}, and evidence from after it is waited for`,
        });
      return null;
    case 'pause':
      draft.add({ type: 'evidence.restarted', reason: changeClause(change), scope: 'step' });
      return pause(draft, change);
    case 'rollback':
      rollBack(draft, { kind: 'flag', source: change.source, flag: change.flag });
      return null;
    default:
      return unreachable(effect);
  }
}

/** What becomes of a release: `restart` is a hold of one that waits for somebody anyway. */
export type FlagEffect = OnFlagChange | 'restart';

function effectOf(release: Release, { confirmed }: FlagChange): FlagEffect | 'later' {
  const asked = release.plan.onFlagChange ?? 'hold';
  if (asked === 'annotate' || confirmed === 'claimed' || release.wanted === NONE) return 'annotate';
  if (asked === 'rollback') return refusesVerb(release, 'rollback') === null ? 'rollback' : 'annotate';
  if (release.quarantined !== null) return 'annotate';
  const { phase } = release;
  switch (phase.kind) {
    case 'watching':
    case 'baking':
      return asked;
    case 'paused':
      return asked === 'pause' && phase.by === 'plan' ? 'pause' : 'restart';
    case 'awaitingApproval':
    case 'promoting':
      return 'restart';
    case 'shifting':
      // Evidence begins when the weight is read back, so a hold has nothing to forget here.
      return asked === 'pause' && (phase.goal.kind === 'step' || phase.goal.kind === 'bake') ? 'later' : 'annotate';
    default:
      return 'annotate';
  }
}

export const changeClause = ({ source, flag, changedBy }: Pick<FlagChange, 'source' | 'flag' | 'changedBy'>): string =>
  `the flag ${flag} of ${source} was changed${changedBy === null ? '' : ` by ${changedBy}`}`;

/** The dwell begins again: what is served now has not been watched for a moment yet. */
function anew(release: Release, now: Instant): Instant | null {
  const { phase, plan } = release;
  if (phase.kind === 'watching') return after(now, weightStep(release)?.holdMs ?? 0);
  return phase.kind === 'baking' && plan.bake ? after(now, plan.bake.forMs) : null;
}

function pause(draft: Draft, change: FlagChange): null {
  const { release, now } = draft;
  draft.add({
    type: 'release.paused',
    cause: 'flag',
    step: release.step,
    pausedAt: pausedAt(release),
    until: release.deadlineAt ?? after(now, release.plan.deadlineMs),
    otherwise: 'rollback',
    reason: changeClause(change),
  });
  return null;
}

/** After the pause the step is held as long as it would be if it had just begun. */
function pausedAt(release: Release): Extract<Phase, { kind: 'paused' }>['at'] {
  const { phase, plan } = release;
  if (phase.kind === 'watching') return { kind: 'step', remainingMs: weightStep(release)?.holdMs ?? 0 };
  if (phase.kind === 'baking') return { kind: 'bake', remainingMs: plan.bake?.forMs ?? 0 };
  return phase.kind === 'paused' ? phase.at : { kind: 'gate' };
}

/** A hold for a flag ends with a pass on what was counted since; with nothing that must pass, with the step's own hold. */
export const waitsForEvidence = (release: Release): boolean =>
  release.hold?.reason === 'flag' && (release.verdict !== 'pass' || requiredNow(release).length === 0);

/** What is another, as a clause; the first state that is known has nothing to be compared with. */
export function changeWords(before: FlagState | null, now: FlagState): string {
  if (!now.exists) return before?.exists === false ? 'it is not there' : 'it was deleted';
  if (before === null || !before.exists) return `now ${stateWords(now)}`;
  const [was, is] = [stateWords(before), stateWords(now)];
  return was === is ? `its rules (${is} by default, as before)` : `${was} → ${is}`;
}

export function stateWords({ exists, enabled, percent, variations }: FlagState): string {
  if (!exists) return 'not there';
  if (!enabled) return 'off';
  const shares = Object.entries(variations).map(([name, share]) => `${name} ${rounded(share)} %`);
  if (shares.length > 1) return `on, ${shares.join(', ')}`;
  return percent === null ? 'on' : `on for ${rounded(percent)} %`;
}

const rounded = (percent: number): number => Math.round(percent * 1_000) / 1_000;
