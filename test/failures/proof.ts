/** What can show that a failure is handled, or why nothing does; and short ways to write it. */
import type { FaultKind } from '../sim/faults.ts';

export type Proof =
  /** A test by its title, or by the first words of its row where it is a table, or by its name in a suite. */
  | { readonly file: string; readonly test: string }
  /** A golden story; `golden.test.ts` tells every one of them. */
  | { readonly story: string }
  /** The simulator does this in its worlds, and its oracle watches every invariant meanwhile. */
  | { readonly fault: FaultKind }
  /** A bug planted on purpose that the simulator finds in every run of the suite. */
  | { readonly mutant: string }
  /** Not yet: the later part that brings it. */
  | { readonly later: string }
  /** Cannot happen, because of how Headgate is made. */
  | { readonly not: string };

export type Line = readonly [number: number, failure: string, ...proofs: readonly Proof[]];

const from =
  (file: string) =>
  (test: string): Proof => ({ file, test });

export const tick = from('src/controller/tick.test.ts');
export const commands = from('src/controller/commands.test.ts');
export const reconcile = from('src/controller/reconcile.test.ts');
export const actuate = from('src/controller/actuate.test.ts');
export const deliver = from('src/controller/deliver.test.ts');
export const calls = from('src/controller/calls.test.ts');
export const scheduler = from('src/scheduler/scheduler.test.ts');
export const loop = from('src/scheduler/loop.test.ts');
export const judge = from('src/domain/analysis/judge.test.ts');
export const judgeProperty = from('src/domain/analysis/judge-properties.test.ts');
export const ratio = from('src/domain/analysis/evidence-finding.test.ts');
export const clock = from('src/adapters/system/clock.test.ts');
export const hooks = from('src/adapters/notify/hooks.test.ts');
export const sqlite = from('src/store/sqlite/context.test.ts');
export const property = from('test/properties.test.ts');
export const store = from('test/conformance/store.suite.ts');
export const file = from('test/conformance/store.test.ts');
export const router = from('test/conformance/router.suite.ts');
export const notifier = from('test/conformance/notifier.test.ts');
export const wrong = from('test/wrong/wrong.test.ts');
export const limits = from('test/limits.test.ts');
export const abuse = from('test/abuse.test.ts');
export const degraded = from('test/degraded.test.ts');
export const haproxy = from('test/conformance/haproxy.test.ts');
export const prometheus = from('test/conformance/prometheus.test.ts');
export const prometheusApi = from('test/conformance/prometheus.suite.ts');
export const rubbish = from('test/conformance/prometheus-rubbish.test.ts');
export const releases = from('test/haproxy-release.test.ts');
export const hardships = from('test/hardships.test.ts');
export const reserve = from('src/store/sqlite/reserve.test.ts');
export const powerCut = from('test/power-cut.test.ts');
export const test = (path: string, title: string): Proof => ({ file: path, test: title });
export const killed = from('test/kill.test.ts')(
  'five kills under load lose nothing that was acknowledged, and the edge is as intended soon after each',
);

export const story = (name: string): Proof => ({ story: name });
export const fault = (kind: FaultKind): Proof => ({ fault: kind });
export const mutant = (name: string): Proof => ({ mutant: name });
export const later = (what: string): Proof => ({ later: what });
export const not = (reason: string): Proof => ({ not: reason });
