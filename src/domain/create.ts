/** A new release: what it is made of, and whether it starts at once or waits behind another one. */
import { draftNew } from './draft.ts';
import type { ReleaseEvent } from './event.ts';
import { after } from './ids.ts';
import type { Instant, ReleaseId, TargetId } from './ids.ts';
import type { Plan } from './plan.ts';
import type { Actor, Promotion, Release } from './release.ts';

export type Creation = {
  readonly id: ReleaseId;
  readonly plan: Plan;
  readonly version: string;
  readonly stableVersion: string | null;
  readonly first: boolean;
  readonly startPaused: boolean;
  readonly promotion: Promotion;
  readonly targets: readonly TargetId[];
  readonly settleMs: number;
  /** The release that it has to wait for, or null to start at once. */
  readonly behind: ReleaseId | null;
  /** All that is before it goes back, so that it can start. */
  readonly supersedes?: true | undefined;
  readonly by: Actor;
  /** The `traceparent` of the request. */
  readonly trace?: string | null;
};

export function create(creation: Creation, now: Instant): { next: Release; events: readonly ReleaseEvent[] } {
  const {
    id,
    plan,
    behind,
    supersedes,
    by,
    trace = null,
    version,
    stableVersion,
    first,
    promotion,
    targets,
    settleMs,
    startPaused,
  } = creation;
  const draft = draftNew(
    id,
    plan.service,
    {
      type: 'release.created',
      version,
      stableVersion,
      first,
      plan,
      promotion,
      targets,
      settleMs,
      startPaused,
      ...(trace === null ? {} : { trace }),
    },
    { now, by },
  );
  if (behind === null) draft.add({ type: 'release.started', deadlineAt: after(now, plan.deadlineMs), stableVersion });
  else draft.add({ type: 'release.queued', behind, ...(supersedes ? { supersedes } : {}) });
  return { next: draft.release, events: draft.events };
}
