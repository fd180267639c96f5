/**
 * Every event, hold and phase as one plain sentence for a tired person. Console, CLI, logs and webhooks show these and
 * no others. No sentence ends in a full stop, so that they can be joined.
 */
import { unreachable } from '../lib/assert.ts';
import { formatDuration } from '../lib/duration.ts';
import type { ReleaseFact, TargetFact, TargetFailure } from './event.ts';
import type { Instant } from './ids.ts';
import { percent } from './ids.ts';
import { isEnded } from './release.ts';
import type { Actor, Goal, Hold, Release, RollbackCause } from './release.ts';

/** The sentence of an event that is about to happen to `before` (null: it creates the release). */
export function sentenceOf(before: Release | null, fact: ReleaseFact, by: Actor, at: Instant): string {
  if (fact.type === 'release.created' || before === null) return createdSentence(fact, by);
  return `${before.service} ${before.version} ${happened(before, fact, by, at)}`;
}

function createdSentence(fact: ReleaseFact, by: Actor): string {
  if (fact.type !== 'release.created') return fact.type;
  const from = fact.stableVersion === null ? 'as its first version' : `in place of ${fact.stableVersion}`;
  return `${who(by)} asked for a release of ${fact.plan.service} ${fact.version} ${from} by plan ${fact.plan.name}`;
}

type LaterFact = Exclude<ReleaseFact, { type: 'release.created' }>;

function happened(release: Release, fact: LaterFact, by: Actor, at: Instant): string {
  switch (fact.type) {
    case 'release.queued':
      return fact.supersedes
        ? `waits for release ${fact.behind} and all before it to be taken back`
        : `waits in the queue behind release ${fact.behind}`;
    case 'release.started':
      return `started; it has ${about(fact.deadlineAt - at)} until its deadline`;
    case 'hook.called':
      return `called the hook ${fact.hook}: ${fact.outcome}`;
    case 'hook.failed':
      return `could not call the hook ${fact.hook}: ${fact.detail}`;
    case 'weight.intended':
      return `${intention(release, fact)}${because(fact.reason)}`;
    case 'weight.verified':
      return `is served ${percent(fact.weight)} of the traffic, read back on every target`;
    case 'weight.failed':
      return `could not be given ${percent(fact.weight)} everywhere: ${failures(fact.targets)}`;
    case 'approval.given':
      return `was approved by ${fact.subject}${because(fact.reason)}`;
    case 'approval.refused':
      return `was refused by ${fact.subject}${because(fact.reason)}`;
    case 'approval.expired':
      return 'was not approved in time';
    case 'verdict.changed':
      return verdictSentence(fact);
    case 'evidence.restarted':
      return `starts collecting evidence again: ${fact.reason}`;
    case 'flag.changed':
      return flagSentence(release, fact);
    case 'rollback.decided':
      return `is rolled back${causeClause(release, fact.cause, by)}${because(fact.reason)}`;
    case 'rollback.unverified':
      return `is rolled back, but that could not be read back: ${failures(fact.targets)}; it keeps trying, look at the router now`;
    default:
      return stood(release, fact, by, at);
  }
}

type StandingFact = Extract<
  LaterFact,
  { type: `${'step' | 'bake' | 'replace' | 'hold' | 'settle' | 'release'}.${string}` | 'approval.asked' }
>;

function stood(
  release: Release,
  fact: Exclude<StandingFact, { type: 'release.queued' | 'release.started' }>,
  by: Actor,
  at: Instant,
): string {
  switch (fact.type) {
    case 'step.entered':
      return `stands at step ${fact.step + 1} of ${release.plan.steps.length}, ${percent(release.wanted)}, for at least ${about(fact.until - at)}`;
    case 'bake.began':
      return `bakes at ${percent(release.wanted)} for ${about(fact.until - at)}`;
    case 'release.paused':
      return `${pauseWords(fact.cause, by)} at ${percent(release.wanted)}${because(fact.reason)}; after ${about(fact.until - at)} it ${outcome(fact.otherwise)}`;
    case 'release.resumed':
      return `was resumed by ${who(by)}${because(fact.reason)}`;
    case 'approval.asked':
      return `waits for ${fact.needed === 1 ? 'an approval' : `${fact.needed} approvals`} at ${percent(release.wanted)}; after ${about(fact.until - at)} it ${outcome(fact.otherwise)}`;
    case 'replace.began':
      return `${fact.forced ? `was forced past its checks by ${who(by)}` : 'passed its last step'}${because(fact.reason)} and waits for the stable slot to be replaced, for ${about(fact.until - at)} at most`;
    case 'replace.confirmed':
      return `runs in the stable slot now, says ${who(by)}${because(fact.reason)}`;
    case 'replace.overdue':
      return 'is still not in the stable slot: confirm the replacement or roll back';
    case 'hold.began':
      return release.rollback ? `is going back, but ${fact.detail}` : `is held at ${percent(release.wanted)}: ${fact.detail}`;
    case 'hold.ended':
      return 'is held no longer';
    case 'settle.began':
      return `has its last weight, ${percent(release.wanted)}, and is watched for ${about(fact.until - at)}`;
    case 'release.quarantined':
      return `is quarantined, because working on it crashed: ${fact.error}; traffic stays at ${percent(release.wanted)}, roll it back`;
    case 'release.promoted':
      return release.promotion.kind === 'swap'
        ? 'is promoted and is the stable version now'
        : 'is promoted, the canary slot is empty again';
    case 'release.rolledBack':
      return release.stableVersion === null ? 'was rolled back' : `was rolled back, ${release.stableVersion} serves all traffic`;
    case 'release.superseded':
      return 'was superseded by a newer release';
    default:
      return unreachable(fact);
  }
}

function intention(release: Release, fact: Extract<ReleaseFact, { type: 'weight.intended' }>): string {
  const change = `from ${percent(release.wanted)} to ${percent(fact.weight)}`;
  if (fact.goal === null) return `is taken back ${change}`;
  return `goes ${change}, ${goalName(release, fact.goal)}${fact.forced ? ', forced' : ''}`;
}

function goalName(release: Release, goal: Goal): string {
  switch (goal.kind) {
    case 'step':
      return `step ${goal.step + 1} of ${release.plan.steps.length}`;
    case 'bake':
      return 'to bake';
    case 'full':
      return 'to full weight';
    case 'home':
      return 'back into the stable slot';
    default:
      return unreachable(goal);
  }
}

function verdictSentence(fact: Extract<ReleaseFact, { type: 'verdict.changed' }>): string {
  const named = Object.entries(fact.checks).map(([name, check]) => `${name} ${check.verdict} (${check.sentence})`);
  return named.length > 0 ? `is judged ${fact.verdict}: ${named.join('; ')}` : `is judged ${fact.verdict}: no check applies here`;
}

const pauseWords = (cause: 'plan' | 'person' | 'flag', by: Actor): string =>
  cause === 'person'
    ? `was paused by ${who(by)}`
    : cause === 'flag'
      ? 'is paused as the plan says of flag changes'
      : 'pauses as planned';

type FlagFact = Extract<ReleaseFact, { type: 'flag.changed' }>;

/** Who changed what, how far that is known, and what is made of it. */
function flagSentence(release: Release, { flag, source, what, changedBy, confirmed, effect }: FlagFact): string {
  const change = `the flag ${flag} of ${source} was changed${changedBy === null ? '' : ` by ${changedBy}`}: ${what}`;
  const doubt = {
    read: '',
    signed: ' (signed, but it could not be read again)',
    claimed: ' (not signed, and it could not be read again, so nothing is made of it)',
  };
  const then = {
    annotate: confirmed === 'claimed' ? '' : '; the release goes on as it was',
    hold: '; its hold begins again',
    restart: '; what was counted at this weight no longer lets it pass',
    pause: '; the release is paused',
    rollback: '; the plan rolls back then',
  };
  return `is at ${percent(release.wanted)}, and ${change}${doubt[confirmed]}${then[effect]}`;
}

/** Why a release was taken back, as a clause that follows "is rolled back". */
function causeClause(release: Release, cause: RollbackCause, by: Actor): string {
  switch (cause.kind) {
    case 'check':
      return ` at ${percent(release.wanted)}: ${release.checks[cause.check]?.sentence ?? `check ${cause.check} failed`}`;
    case 'no_data':
      return ` at ${percent(release.wanted)}: no data for check ${cause.check}, and the plan rolls back then`;
    case 'unclear':
      return ` at ${percent(release.wanted)}: ${release.checks[cause.check]?.sentence ?? `check ${cause.check} says ${cause.verdict}`}, and the plan rolls back then`;
    case 'person':
      return ` at ${percent(release.wanted)} by ${who(by)}`;
    case 'refused':
      return ': it was refused';
    case 'expired':
      return `: the ${cause.gate === 'replace' ? 'replacement of the stable slot' : cause.gate} ran out of time`;
    case 'deadline':
      return `: its deadline passed${release.hold ? ` while it was held (${release.hold.detail})` : ''}`;
    case 'flag':
      return ` at ${percent(release.wanted)}: the flag ${cause.flag} of ${cause.source} was changed, and the plan rolls back then`;
    case 'superseded':
      return `: release ${cause.by} takes its place`;
    default:
      return unreachable(cause);
  }
}

/** What a release does now and why, for the head of every view. */
export function explainRelease(release: Release, now: Instant): string {
  const name = `${release.service} ${release.version}`;
  if (release.quarantined !== null && release.rollback === null)
    return `${name} is quarantined at ${percent(release.wanted)}: ${release.quarantined}`;
  if (release.hold) return `${name} ${explainHold(release, release.hold, now)}`;
  // The sentence of the decision names the cause, which is what everybody asks for first.
  if (release.rollback && isEnded(release)) return release.rollback.sentence.replace(' is rolled back', ' was rolled back');
  if (release.rollback) return `${release.rollback.sentence}; its traffic goes back`;
  return `${name} ${standing(release, now)}`;
}

/** `held at 5 %: no data from prom (connection refused); traffic stays as it is; rolls back in 8m unless that changes`. */
export function explainHold(release: Release, hold: Hold, now: Instant): string {
  const left = release.deadlineAt === null ? null : Math.max(0, release.deadlineAt - now);
  const since = now - hold.since < 1_000 ? '' : ` for ${about(now - hold.since)}`;
  if (release.rollback) return `is going back, but${since} ${hold.detail}; it keeps trying`;
  const then = left === null ? '' : `; rolls back in ${about(left)} unless that changes`;
  return `is held at ${percent(release.wanted)}${since}: ${hold.detail}; traffic stays as it is${then}`;
}

function standing(release: Release, now: Instant): string {
  const phase = release.phase;
  const left = 'until' in phase ? about(Math.max(0, phase.until - now)) : '';
  switch (phase.kind) {
    case 'queued':
      return `waits in the queue behind release ${phase.behind}`;
    case 'starting':
      return 'is starting: its slot is looked at before any traffic moves';
    case 'shifting':
      return `is being given ${percent(phase.weight)}, ${goalName(release, phase.goal)}`;
    case 'watching':
      return `stands at step ${release.step + 1} of ${release.plan.steps.length}, ${percent(release.wanted)}; may go on in ${left}${anewWords(phase)}`;
    case 'paused':
      return `is paused at ${percent(release.wanted)}; in ${left} it ${outcome(phase.otherwise)}`;
    case 'awaitingApproval':
      return `waits for ${counted(phase.needed - phase.given.length, 'more approval')} at ${percent(release.wanted)}; in ${left} it ${outcome(phase.otherwise)}`;
    case 'baking':
      return `bakes at ${percent(release.wanted)} for ${left} more${anewWords(phase)}`;
    case 'promoting':
      return `waits for the stable slot to be replaced, ${left} left`;
    case 'rollingBack':
      return 'goes back to stable';
    case 'settling':
      return `has its last weight, ${percent(release.wanted)}, and is watched for ${left} more`;
    case 'promoted':
      return 'is promoted';
    case 'rolledBack':
      return 'was rolled back';
    case 'superseded':
      return 'was superseded';
    default:
      return unreachable(phase);
  }
}

/** Why it takes longer than planned, as long as it does. */
const anewWords = ({ anew }: { readonly anew?: string }): string =>
  anew === undefined ? '' : `, because its time began again: ${anew}`;

/** The sentence of something that happened to a target. Weights are the second slot's, since roles may change. */
export function targetSentence(target: string, second: string, fact: TargetFact): string {
  switch (fact.type) {
    case 'drift.seen':
      return `${target} serves ${percent(fact.servedSecond)} on ${second} at ${fact.node} where ${percent(fact.wantedSecond)} is wanted${fact.restarted ? ', after a restart' : ''}`;
    case 'drift.repaired':
      return `${target} serves ${percent(fact.servedSecond)} on ${second} again, as wanted`;
    case 'drift.adopted':
      return `${target} serves ${percent(fact.servedSecond)} on ${second}, which is taken as wanted from now on`;
    case 'target.unreachable':
      return `${target} cannot be reached: ${fact.detail}`;
    case 'target.back':
      return `${target} can be reached again`;
    default:
      return unreachable(fact);
  }
}

export const who = (actor: Actor): string => (actor.kind === 'headgate' ? 'Headgate' : actor.name);
export const failures = (targets: readonly TargetFailure[]): string =>
  targets.map((failure) => `${failure.target} (${failure.detail})`).join(', ');

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const because = (reason: string | null): string => (reason === null || reason === '' ? '' : ` ("${reason}")`);
const outcome = (otherwise: 'continue' | 'rollback'): string => (otherwise === 'continue' ? 'goes on' : 'is rolled back');
/** A duration as people say it: whole seconds, once there are some. */
const about = (ms: number): string => formatDuration(ms < 1_000 ? Math.max(0, ms) : Math.round(ms / 1000) * 1000);
