/**
 * Rows to domain values. What this process wrote as the JSON of a domain value is read back as that value; these are the
 * only casts of the store, and the numbers that move traffic go through their constructors.
 */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { Instant, TargetId, Weight } from '../domain/ids.ts';
import type { HoldReason, PhaseKind, Release } from '../domain/release.ts';
import type { Service, Target } from '../domain/target.ts';
import { assert } from '../lib/assert.ts';
import type { CheckState, MeasurementRow, AuditEntry, Standing, TargetSpec } from '../ports/store.ts';

export const instant = (ms: number | null): Instant | null => (ms === null ? null : Instant(ms));

export function releaseOf(state: unknown): Release {
  assert(isObject(state) && typeof state['id'] === 'string' && isObject(state['phase']), 'a release row holds a release');
  return state as unknown as Release;
}

export function eventOf(event: unknown): ReleaseEvent | TargetEvent {
  assert(isObject(event) && typeof event['type'] === 'string' && typeof event['seq'] === 'number', 'an event row holds an event');
  return event as unknown as ReleaseEvent | TargetEvent;
}

export const isReleaseEvent = (event: ReleaseEvent | TargetEvent): event is ReleaseEvent => 'release' in event;
export const isTargetEvent = (event: ReleaseEvent | TargetEvent): event is TargetEvent => 'target' in event;

/** Release or target id. */
export const subjectOf = (event: ReleaseEvent | TargetEvent): string => (isReleaseEvent(event) ? event.release : event.target);

export const checkStateOf = (row: unknown): CheckState => row as CheckState;
export const measurementOf = (row: unknown): MeasurementRow => row as MeasurementRow;
export const auditOf = (row: unknown): AuditEntry => row as AuditEntry;
/** As it will be read back: what is hashed is what is stored. */
export const plainEntry = (entry: AuditEntry): AuditEntry => auditOf(JSON.parse(JSON.stringify(entry)));

export type StandingRow = {
  readonly service: string;
  readonly phase: string;
  readonly hold: string | null;
  readonly unverified: number;
  readonly quarantined: number;
  readonly count: number;
};

export const standingOf = (row: StandingRow): Standing => ({
  service: row.service,
  phase: row.phase as PhaseKind,
  hold: row.hold as HoldReason | null,
  unverified: row.unverified === 1,
  quarantined: row.quarantined === 1,
  count: row.count,
});

export type ServiceRow = {
  readonly name: string;
  readonly stableSlot: string;
  readonly stableVersion: string | null;
  readonly updatedAtMs: number;
};

export const serviceOf = (row: ServiceRow): Service => ({
  name: row.name,
  stableSlot: row.stableSlot,
  stableVersion: row.stableVersion,
  updatedAt: Instant(row.updatedAtMs),
});

export type TargetRow = {
  readonly id: string;
  readonly spec: unknown;
  readonly desiredSecondSlotBp: number;
  readonly seq: number;
  readonly verifiedSecondSlotBp: number | null;
  readonly verifiedSeq: number;
  readonly verifiedAtMs: number | null;
  readonly boots: unknown;
  readonly driftAtMs: number | null;
  readonly differs: string | null;
  readonly unreachableSinceMs: number | null;
  readonly eventSeq: number;
};

export const targetOf = (row: TargetRow): Target => ({
  ...(row.spec as Omit<TargetSpec, 'id'>),
  id: TargetId(row.id),
  desiredSecond: Weight(row.desiredSecondSlotBp),
  seq: row.seq,
  verifiedSecond: row.verifiedSecondSlotBp === null ? null : Weight(row.verifiedSecondSlotBp),
  verifiedSeq: row.verifiedSeq,
  verifiedAt: instant(row.verifiedAtMs),
  boots: row.boots as Readonly<Record<string, string>>,
  driftAt: instant(row.driftAtMs),
  differs: row.differs,
  unreachableSince: instant(row.unreachableSinceMs),
  eventSeq: row.eventSeq,
});

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
