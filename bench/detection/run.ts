/**
 * Runs of one scenario: a stream of ticks is made once and shown to every judge that can be set up for it, until each
 * has rolled back or the time is over. Run number and scenario alone decide about chance, so a run that looks odd can be
 * repeated on its own, and the same seed gives the same tables whatever the number of processes.
 */
import { hash32, prng } from '../../src/lib/prng.ts';
import type { Judge, Trial } from './judge.ts';
import type { Scenario } from './scenarios.ts';
import { TICK_S } from './tick.ts';
import { openRun } from './traffic.ts';

/** What one judge did in one run. */
export type Outcome = {
  /** Null: never. */
  readonly rolledBackS: number | null;
  /** Canary requests that failed since the onset, until the rollback or the end. */
  readonly failed: number;
};

export type Span = { readonly seed: number; readonly from: number; readonly to: number };

/** Per judge, in the order given; empty where the judge cannot be set up. */
export function runScenario(scenario: Scenario, judges: readonly Judge[], { seed, from, to }: Span): Outcome[][] {
  const outcomes: Outcome[][] = judges.map(() => []);
  for (let run = from; run < to; run++) {
    runOnce(scenario, judges, hash32(`${seed}/${scenario.name}/${run}`)).forEach((outcome, index) => {
      if (outcome) outcomes[index]?.push(outcome);
    });
  }
  return outcomes;
}

export function takesPart(judge: Judge, { kind, group }: Scenario): boolean {
  return judge.kinds.includes(kind) && (group !== 'tolerated' || judge.tolerates === true);
}

function runOnce(scenario: Scenario, judges: readonly Judge[], seed: number): (Outcome | null)[] {
  const { next, history } = openRun(scenario.world(prng(seed ^ 0x9e3779b9)), seed);
  const trials = judges.map((judge): Trial | null => (takesPart(judge, scenario) ? judge.start({ scenario, history }) : null));
  const done: (Outcome | null)[] = trials.map(() => null);
  let failed = 0;
  let open = trials.filter((trial) => trial !== null).length;
  for (let atS = TICK_S; atS <= scenario.minutes * 60 && open > 0; atS += TICK_S) {
    const tick = next(atS, scenario.weight(atS));
    if (tick.kind === 'counts' && scenario.onsetS < atS) failed += tick.canary.bad;
    for (const [index, trial] of trials.entries()) {
      if (trial === null || done[index] || trial(tick) !== 'rollback') continue;
      done[index] = { rolledBackS: atS, failed };
      open--;
    }
  }
  return done.map((outcome, index) => outcome ?? (trials[index] ? { rolledBackS: null, failed } : null));
}
