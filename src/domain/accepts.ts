/** Which command each phase takes: one table, served by the API, so that console and CLI hold no rules. */
import type { Actor, PhaseKind, Release, Verb } from './release.ts';
import { actorFrom, isSamePerson, refusesRight, VERB_SCOPES } from './rights.ts';
import type { Principal } from './rights.ts';

export const accepts = {
  queued: ['rollback'],
  starting: ['rollback'],
  shifting: ['rollback'],
  watching: ['pause', 'promote', 'rollback'],
  paused: ['pause', 'resume', 'promote', 'rollback'],
  awaitingApproval: ['approve', 'reject', 'promote', 'rollback'],
  baking: ['pause', 'promote', 'rollback'],
  promoting: ['confirmReplaced', 'rollback'],
  rollingBack: [],
  settling: ['rollback'],
  promoted: [],
  rolledBack: [],
  superseded: [],
} as const satisfies Record<PhaseKind, readonly Verb[]>;

export type Acceptance = { readonly verb: Verb; readonly accepted: boolean; readonly reason: string | null };

const VERBS: readonly Verb[] = ['pause', 'resume', 'promote', 'approve', 'reject', 'confirmReplaced', 'rollback'];

/** Phases that are no words. */
const PHASES: Readonly<Partial<Record<PhaseKind, string>>> = {
  awaitingApproval: 'waiting for approval',
  rollingBack: 'rolling back',
  rolledBack: 'rolled back',
  promoting: 'being replaced',
};
const DONE: Readonly<Record<Verb, string>> = {
  pause: 'paused',
  resume: 'resumed',
  promote: 'promoted',
  approve: 'approved',
  reject: 'refused',
  confirmReplaced: 'confirmed as replaced',
  rollback: 'rolled back',
};

/** Why the release refuses the command now, or null when it takes it. */
export function refusesVerb(release: Release, verb: Verb): string | null {
  const phase = release.phase;
  const table: readonly Verb[] = accepts[phase.kind];
  if (verb === 'confirmReplaced' && release.promotion.kind === 'swap')
    return `nothing of ${release.service} is replaced: its slots change places`;
  if (!table.includes(verb)) return `a release that is ${PHASES[phase.kind] ?? phase.kind} cannot be ${DONE[verb]}`;
  if (release.quarantined !== null && ONWARD.has(verb)) return 'the release is quarantined and not judged any more: roll it back';
  if (verb === 'rollback' && isHome(release))
    return `the stable slot runs ${release.version} already: release the old version again instead`;
  if (phase.kind === 'settling' && phase.outcome !== 'promoted') return 'the release is already going back';
  if (phase.kind === 'paused' && verb === 'pause' && phase.by === 'person') return 'the release is already paused by a person';
  return null;
}

/** The stable slot was replaced, and the canary's goes to nothing anyway: there is no way back but another release. */
const isHome = ({ phase, promotion }: Release): boolean =>
  (phase.kind === 'shifting' && phase.goal.kind === 'home') ||
  (phase.kind === 'settling' && phase.outcome === 'promoted' && promotion.kind === 'replace');

/** What a release whose handler crashes could not obey. */
const ONWARD: ReadonlySet<Verb> = new Set(['resume', 'promote', 'approve', 'confirmReplaced']);

/** What a release can ever take: where slots only change places, nothing is replaced. */
export const acceptance = (release: Release): readonly Acceptance[] =>
  VERBS.filter((verb) => verb !== 'confirmReplaced' || release.promotion.kind === 'replace').map((verb) => {
    const reason = refusesVerb(release, verb);
    return { verb, accepted: reason === null, reason };
  });

/** The same for the one who asks: what the rights refuse is refused here already, with its reason. */
export const acceptanceFor = (release: Release, principal: Principal): readonly Acceptance[] =>
  acceptance(release).map((found) => {
    if (!found.accepted) return found;
    const reason =
      refusesRight(principal, VERB_SCOPES[found.verb], release.service) ??
      (found.verb === 'approve' ? refusesApprover(release, actorFrom(principal)) : null);
    return { ...found, accepted: reason === null, reason };
  });

/** An approval is somebody else's: not the requester's, nor a pipeline's, which is somebody's, and not the same person's twice. */
export function refusesApprover({ phase, createdBy }: Release, actor: Actor): string | null {
  if (actor.kind === 'ci') return 'an approval is given by a person, and this is a pipeline';
  if (isSamePerson(actor, createdBy)) return `${actor.name} asked for this release, and an approval is somebody else's`;
  if (phase.kind !== 'awaitingApproval' || !phase.given.some((name) => isSamePerson(actor, { kind: 'person', name })))
    return null;
  return `${actor.name} has approved already, and ${phase.needed} different people are needed`;
}
