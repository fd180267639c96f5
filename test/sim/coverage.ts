/**
 * What a run has to have seen at least once. A simulator that never meets a thing proves nothing about it, so a long run
 * fails when one of these never happened over its fixed seeds.
 */
import { FAULT_KINDS } from './faults.ts';

export const SOMETIMES: readonly string[] = [
  ...FAULT_KINDS.map((kind) => `fault ${kind}`),
  ...['pass', 'fail', 'inconclusive', 'no_data', 'error'].map((verdict) => `verdict ${verdict}`),
  ...['preflight', 'hook', 'router', 'drift', 'lowered_by_hand', 'no_data', 'provider', 'inconclusive', 'overdue', 'flag'].map(
    (reason) => `hold ${reason}`,
  ),
  ...['check', 'no_data', 'person', 'refused', 'expired', 'deadline', 'superseded', 'flag'].map((cause) => `rollback ${cause}`),
  ...['promoted', 'rolledBack', 'superseded'].map((outcome) => `end ${outcome}`),
  ...['drift.seen', 'drift.repaired', 'drift.adopted', 'target.unreachable', 'target.back'].map((type) => `target ${type}`),
  'phase queued>starting',
  'phase starting>shifting',
  'phase starting>paused',
  'phase starting>rolledBack',
  'phase queued>rolledBack',
  'phase queued>superseded',
  'phase shifting>watching',
  'phase shifting>baking',
  'phase shifting>settling',
  'phase shifting>rollingBack',
  'phase watching>shifting',
  'phase watching>paused',
  'phase watching>awaitingApproval',
  'phase watching>promoting',
  'phase watching>rollingBack',
  'phase paused>watching',
  'phase paused>baking',
  'phase paused>shifting',
  'phase paused>rollingBack',
  'phase awaitingApproval>shifting',
  'phase awaitingApproval>rollingBack',
  'phase baking>shifting',
  'phase baking>paused',
  'phase baking>promoting',
  'phase baking>rollingBack',
  'phase promoting>shifting',
  'phase promoting>rollingBack',
  'phase rollingBack>settling',
  'phase settling>rollingBack',
  'phase settling>promoted',
  'phase settling>rolledBack',
  'phase settling>superseded',
  'phase settling>settling',
  'flag told after waiting',
  'quarantined',
  'rolled back in quarantine',
  'rollback unverified',
  'evidence restarted',
  'approval expired',
  'forced promotion',
  'first release promoted',
  'replaced by hook',
  'replaced by confirmation',
  'went on without a pass',
  'left a step early, by proof',
  'stale commit refused',
  'busy commit refused',
  'lease taken over',
  'write of an older intent',
  'event delivered twice',
  'event parked',
  'receiver disabled',
  'command refused',
  'bad version rolled back',
  'good version promoted',
];

export type Coverage = Map<string, number>;

export const missing = (coverage: Coverage): readonly string[] => SOMETIMES.filter((name) => !coverage.has(name));

export function merge(into: Coverage, from: Coverage): void {
  for (const [name, count] of from) into.set(name, (into.get(name) ?? 0) + count);
}
