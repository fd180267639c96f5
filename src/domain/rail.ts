/** The way of one release through its plan as it ran: each place with its times, and the weights that were wanted and seen. */
import type { ReleaseEvent } from './event.ts';
import { evolve } from './evolve.ts';
import { complement, NONE } from './ids.ts';
import type { Instant, Weight } from './ids.ts';
import type { Plan, Step } from './plan.ts';
import { isEnded } from './release.ts';
import type { Release } from './release.ts';

export type Stop = {
  readonly kind: 'weight' | 'pause' | 'approve' | 'bake' | 'end';
  /** 1 for the first step; null for the bake and the end. */
  readonly step: number | null;
  readonly weight: Weight | null;
  /** How long the plan stays there: the hold, the pause, the time for an approval. */
  readonly forMs: number | null;
  readonly checks: readonly string[];
  readonly state: 'past' | 'current' | 'ahead' | 'skipped' | 'never';
  readonly enteredAt: Instant | null;
  readonly leftAt: Instant | null;
  /** When the present place may be left, or its time is over. */
  readonly until: Instant | null;
  /** What is left of its time where somebody stopped it: then it does not run, and `until` is null. */
  readonly remainingMs: number | null;
};

export type WeightChange = { readonly at: Instant; readonly wanted: Weight; readonly served: Weight };

export type Rail = { readonly stops: readonly Stop[]; readonly weights: readonly WeightChange[] };

type Seen = { readonly enteredAt: Instant; readonly leftAt: Instant | null };

/** Of a release whose first events were dropped for their age, only the plan is known. */
export function rail(release: Release, events: readonly ReleaseEvent[]): Rail {
  const isWhole = events[0]?.type === 'release.created';
  const { seen, weights } = isWhole ? walked(events) : { seen: new Map<number, Seen>(), weights: [] };
  const at = placeOf(release) ?? null;
  const planned = places(release.plan);
  const time = timeOf(release);
  const furthest = Math.max(-1, ...seen.keys());
  const stops = planned.map((place, index): Stop => {
    const visit = seen.get(index);
    const state = stateOf({
      index,
      at,
      furthest,
      visited: visit !== undefined,
      ended: isEnded(release) || release.rollback !== null,
    });
    return {
      ...place,
      state,
      enteredAt: visit?.enteredAt ?? null,
      leftAt: visit?.leftAt ?? null,
      ...(state === 'current' ? time : NO_TIME),
    };
  });
  return { stops, weights };
}

type Time = Pick<Stop, 'until' | 'remainingMs'>;

const NO_TIME: Time = { until: null, remainingMs: null };

/** A pause that is not the plan's ends by the deadline of the release, which is not the time of the place. */
function timeOf({ phase }: Release): Time {
  if (phase.kind !== 'paused' || phase.by === 'plan') return { ...NO_TIME, until: 'until' in phase ? phase.until : null };
  return 'remainingMs' in phase.at ? { ...NO_TIME, remainingMs: phase.at.remainingMs } : NO_TIME;
}

type Standing = {
  readonly index: number;
  readonly at: number | null;
  readonly furthest: number;
  readonly visited: boolean;
  readonly ended: boolean;
};

function stateOf({ index, at, furthest, visited, ended }: Standing): Stop['state'] {
  if (index === at && !ended) return 'current';
  if (visited) return 'past';
  if (ended) return 'never';
  return index < furthest ? 'skipped' : 'ahead';
}

/** Steps, then the bake where there is one, then full weight. */
function places({ steps, bake }: Plan): readonly Omit<Stop, 'state' | 'enteredAt' | 'leftAt' | keyof Time>[] {
  const ofBake = bake
    ? [{ kind: 'bake' as const, step: null, weight: complement(bake.holdBack), forMs: bake.forMs, checks: [] }]
    : [];
  return [
    ...steps.map((step, index) => ({ ...ofStep(step), step: index + 1 })),
    ...ofBake,
    { kind: 'end', step: null, weight: null, forMs: null, checks: [] },
  ];
}

function ofStep(step: Step) {
  const none = { weight: null, checks: [] };
  if (step.kind === 'weight') return { kind: step.kind, weight: step.weight, forMs: step.holdMs, checks: step.checks };
  return { kind: step.kind, ...none, forMs: step.kind === 'pause' ? step.forMs : step.withinMs };
}

/** Index into the places of the plan; null while it is on its way, or not on it. */
function placeOf(release: Release): number | null {
  const { phase, step, plan } = release;
  const bake = plan.steps.length;
  const end = bake + (plan.bake ? 1 : 0);
  switch (phase.kind) {
    case 'watching':
    case 'awaitingApproval':
      return step;
    case 'paused':
      return phase.at.kind === 'bake' ? bake : step < 0 ? null : step;
    case 'baking':
      return bake;
    case 'promoting':
      return end;
    case 'settling':
      return phase.outcome === 'promoted' ? end : null;
    case 'promoted':
      return end;
    default:
      return null;
  }
}

/** Replays the log, and notes when the release came to each place and left it. */
function walked(events: readonly ReleaseEvent[]): { seen: ReadonlyMap<number, Seen>; weights: readonly WeightChange[] } {
  const seen = new Map<number, Seen>();
  const weights: WeightChange[] = [];
  let release: Release | null = null;
  let at: number | null = null;
  let served = NONE;
  for (const event of events) {
    release = evolve(release, event);
    const place: number | null = placeOf(release);
    const left: Seen | undefined = at === null ? undefined : seen.get(at);
    if (place !== at && at !== null && left) seen.set(at, { ...left, leftAt: event.at });
    if (place !== at && place !== null && !seen.has(place)) seen.set(place, { enteredAt: event.at, leftAt: null });
    at = place;
    if (event.type === 'weight.verified') served = event.weight;
    const isTurn = event.type === 'weight.verified' || event.type === 'weight.intended' || event.type === 'release.created';
    if (isTurn) weights.push({ at: event.at, wanted: release.wanted, served });
  }
  return { seen, weights };
}
