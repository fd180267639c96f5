/** A decision while it is being made: facts are numbered, put into words and folded in as they are added. */
import type { ReleaseEvent, ReleaseFact } from './event.ts';
import { evolve } from './evolve.ts';
import { sentenceOf } from './explain.ts';
import type { Instant, ReleaseId } from './ids.ts';
import type { Actor, Release } from './release.ts';

export const HEADGATE: Actor = { kind: 'headgate', name: 'headgate' };

export type Draft = {
  /** The release with all facts so far. */
  readonly release: Release;
  readonly events: readonly ReleaseEvent[];
  readonly now: Instant;
  add(fact: ReleaseFact, by?: Actor): void;
};

export function draft(before: Release, now: Instant): Draft {
  return grow(before, now);
}

/** The draft of a release that does not exist yet: its first fact is `release.created`. */
export function draftNew(id: ReleaseId, service: string, created: ReleaseFact, { now, by }: { now: Instant; by: Actor }): Draft {
  const first = numbered(null, { id, service, seq: 1 }, created, { now, by });
  return grow(evolve(null, first), now, [first]);
}

function grow(start: Release, now: Instant, first: readonly ReleaseEvent[] = []): Draft {
  let release = start;
  const events = [...first];
  return {
    get release() {
      return release;
    },
    events,
    now,
    add(fact, by = HEADGATE) {
      const event = numbered(release, { id: release.id, service: release.service, seq: release.seq + 1 }, fact, { now, by });
      events.push(event);
      release = evolve(release, event);
    },
  };
}

function numbered(
  before: Release | null,
  place: { readonly id: ReleaseId; readonly service: string; readonly seq: number },
  fact: ReleaseFact,
  { now, by }: { readonly now: Instant; readonly by: Actor },
): ReleaseEvent {
  const { id, service, seq } = place;
  return {
    id: `${id}/${seq}`,
    release: id,
    service,
    seq,
    at: now,
    by,
    sentence: sentenceOf(before, fact, by, now),
    ...fact,
  };
}
