/**
 * Flagger: every minute one number about the canary alone against a fixed range. Failed checks add up over the whole
 * analysis and are never forgiven; no number at all is a failed check; the rollback comes at the check after the one that
 * filled the threshold; a failed check stops the weight from rising.
 * Source: fluxcd/flagger at 15bd6ad, pkg/controller/scheduler.go.
 */
import { shareOf } from '../judge.ts';
import type { Judge } from '../judge.ts';
import { quantileMs } from '../tick.ts';
import type { Tick } from '../tick.ts';

type Rule = { readonly threshold: number; readonly passes: (tick: Tick) => boolean };

function flagger({ threshold, passes }: Rule): (tick: Tick) => 'go on' | 'hold' | 'rollback' {
  let failed = 0;
  return (tick) => {
    if (tick.minute === null) return 'go on';
    if (threshold <= failed) return 'rollback';
    if (passes(tick)) return 'go on';
    failed++;
    return 'hold';
  };
}

/** No requests, no number: NaN is at least nothing. */
const successAtLeast =
  (least: number) =>
  (tick: Tick): boolean =>
    tick.kind === 'counts' && tick.minute !== null && 1 - shareOf(tick.minute.canary) >= least;

const p99AtMost =
  (mostMs: number) =>
  (tick: Tick): boolean =>
    tick.kind === 'latency' && tick.minute !== null && quantileMs(tick.minute.canary, 0.99) <= mostMs;

const successRate = (threshold: number): Judge => ({
  name: `Flagger 99%, threshold ${threshold}`,
  kinds: ['counts'],
  start: () => flagger({ threshold, passes: successAtLeast(0.99) }),
});

export const flagger5 = successRate(5);
export const flagger10 = successRate(10);

/** An operator who knows what is right and what will go wrong, and sets the limit half way. */
export const flaggerOracle: Judge = {
  name: 'Flagger midway, threshold 5',
  kinds: ['counts'],
  oracle: true,
  start: ({ scenario: { known } }) =>
    known && flagger({ threshold: 5, passes: successAtLeast(1 - (known.right + known.wrong) / 2) }),
};

export const flaggerLatency: Judge = {
  name: 'Flagger p99 500 ms, threshold 5',
  kinds: ['latency'],
  start: () => flagger({ threshold: 5, passes: p99AtMost(500) }),
};
