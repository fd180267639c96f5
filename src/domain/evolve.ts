/**
 * The release after an event. State changes here and nowhere else, so a release is the fold of its log by construction.
 * Nothing is decided here: an event that was committed is a fact.
 */
import { assert, unreachable } from '../lib/assert.ts';
import type { ReleaseEvent } from './event.ts';
import { changeClause, flagId } from './flag.ts';
import { heavier, NONE } from './ids.ts';
import type { Instant } from './ids.ts';
import type { Phase, Release } from './release.ts';

/** Replays a log from its first event; null for an empty one. */
export const replay = (events: readonly ReleaseEvent[]): Release | null => events.reduce<Release | null>(evolve, null);

export function evolve(before: Release | null, event: ReleaseEvent): Release {
  if (event.type === 'release.created') return created(event);
  assert(before !== null, `release.created comes first, not ${event.type}`);
  assert(event.seq === before.seq + 1, `event ${event.seq} follows ${before.seq}`);
  return { ...before, ...change(before, event), seq: event.seq };
}

function created(event: Extract<ReleaseEvent, { type: 'release.created' }>): Release {
  return {
    id: event.release,
    seq: event.seq,
    service: event.service,
    version: event.version,
    stableVersion: event.stableVersion,
    first: event.first,
    plan: event.plan,
    promotion: event.promotion,
    targets: event.targets,
    settleMs: event.settleMs,
    createdAt: event.at,
    createdBy: event.by,
    startPaused: event.startPaused,
    ...(event.trace === undefined ? {} : { trace: event.trace }),
    startedAt: null,
    deadlineAt: null,
    phase: { kind: 'starting' },
    step: -1,
    wanted: NONE,
    approved: NONE,
    evidenceSince: event.at,
    evidenceFrom: event.at,
    checks: {},
    verdict: 'inconclusive',
    hold: null,
    quarantined: null,
    unverified: false,
    rollback: null,
  };
}

type Changes = Partial<Omit<Release, 'seq'>>;

/** The time of this place, from its start: what was watched so far is not what is served now. */
function begunAnew({ phase }: Release, until: Instant, anew: string): Changes {
  return phase.kind === 'watching' || phase.kind === 'baking' ? { phase: { ...phase, until, anew } } : {};
}

function change(before: Release, event: Exclude<ReleaseEvent, { type: 'release.created' }>): Changes {
  const at = event.at;
  switch (event.type) {
    case 'release.queued':
      return { phase: { kind: 'queued', behind: event.behind, ...(event.supersedes ? { supersedes: true } : {}) } };
    case 'release.started':
      return {
        phase: { kind: 'starting' },
        startedAt: at,
        evidenceFrom: at,
        deadlineAt: event.deadlineAt,
        stableVersion: event.stableVersion,
      };
    case 'hook.called':
      return before.phase.kind === 'promoting' ? { phase: { ...before.phase, called: true } } : {};
    case 'hook.failed':
    case 'weight.failed':
    case 'approval.refused':
    case 'replace.confirmed':
      return {};
    case 'weight.intended':
      return intended(before, event);
    case 'weight.verified':
      return { evidenceSince: at, unverified: false, ...forgotten };
    case 'step.entered':
      return { step: event.step, phase: { kind: 'watching', since: at, until: event.until } };
    case 'bake.began':
      return { phase: { kind: 'baking', since: at, until: event.until } };
    case 'release.paused':
      return {
        step: event.step,
        hold: null,
        phase: {
          kind: 'paused',
          by: event.cause,
          at: event.pausedAt,
          since: at,
          until: event.until,
          otherwise: event.otherwise,
        },
      };
    case 'release.resumed':
      return { phase: resumed(before, event) };
    case 'approval.asked':
      return {
        step: event.step,
        hold: null,
        phase: {
          kind: 'awaitingApproval',
          needed: event.needed,
          given: [],
          since: at,
          until: event.until,
          otherwise: event.otherwise,
        },
      };
    case 'approval.given':
      assert(before.phase.kind === 'awaitingApproval', 'an approval is given where one is awaited');
      return { phase: { ...before.phase, given: [...before.phase.given, event.subject] } };
    case 'approval.expired':
      // Nobody is waited for any more; the checks may be.
      return before.phase.kind === 'awaitingApproval' ? { phase: { ...before.phase, needed: before.phase.given.length } } : {};
    case 'replace.began':
      return { phase: { kind: 'promoting', since: at, until: event.until, called: false, overdue: false } };
    case 'replace.overdue':
      return before.phase.kind === 'promoting' ? { phase: { ...before.phase, overdue: true } } : {};
    case 'verdict.changed':
      return { checks: event.checks, verdict: event.verdict };
    case 'evidence.restarted':
      return { evidenceSince: at, ...(event.scope === 'release' ? { evidenceFrom: at } : {}), ...forgotten };
    case 'flag.changed':
      return {
        flags: { ...before.flags, [flagId(event)]: event.fingerprint },
        ...(event.until === null ? {} : begunAnew(before, event.until, changeClause(event))),
      };
    case 'hold.began':
      return {
        hold: { reason: event.reason, detail: event.detail, ...(event.cause ? { cause: event.cause } : {}), since: at },
      };
    case 'hold.ended':
      return { hold: null };
    case 'rollback.decided':
      return { rollback: { cause: event.cause, at, by: event.by, sentence: event.sentence }, hold: null };
    case 'rollback.unverified':
      return { unverified: true };
    case 'settle.began':
      return {
        phase: { kind: 'settling', outcome: event.outcome, since: at, until: event.until },
        hold: null,
      };
    case 'release.quarantined':
      return { quarantined: event.error };
    case 'release.promoted':
      return { phase: { kind: 'promoted', at }, ...over };
    case 'release.rolledBack':
      return { phase: { kind: 'rolledBack', at }, ...over };
    case 'release.superseded':
      return { phase: { kind: 'superseded', at }, ...over };
    default:
      return unreachable(event);
  }
}

/** A release ends when its last weight was read back, so that nothing is held or doubtful then. */
const over = { hold: null, unverified: false } as const satisfies Changes;

/** Verdicts belong to a weight and to the evidence since it was read back. */
const forgotten = { checks: {}, verdict: 'inconclusive' } as const satisfies Changes;

function intended(before: Release, event: Extract<ReleaseEvent, { type: 'weight.intended' }>): Changes {
  if (event.goal === null) return { wanted: event.weight, phase: { kind: 'rollingBack', since: event.at } };
  return {
    wanted: event.weight,
    approved: heavier(before.approved, event.weight),
    phase: { kind: 'shifting', goal: event.goal, weight: event.weight, since: event.at },
    hold: null,
  };
}

function resumed(before: Release, event: Extract<ReleaseEvent, { type: 'release.resumed' }>): Phase {
  const phase = before.phase;
  assert(phase.kind === 'paused', 'what is resumed was paused');
  if (event.until === null) return { ...phase, by: 'plan', until: event.at, otherwise: 'continue' };
  if (phase.at.kind === 'bake') return { kind: 'baking', since: event.at, until: event.until };
  return { kind: 'watching', since: event.at, until: event.until };
}
