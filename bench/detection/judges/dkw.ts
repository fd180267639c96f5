/**
 * Bands around both distribution functions that hold at every time and every latency at once; rolled back when the
 * canary's lies surely below stable's somewhere, that is, when more of its requests are slow.
 * Source: Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm
 * identification", 2022, corollary 2; used in this way in "Rapid Regression Detection in Software Deployments through
 * Sequential Testing", KDD 2022.
 */
import type { Judge } from '../judge.ts';
import { noBuckets } from '../tick.ts';
import type { Buckets } from '../tick.ts';

const ALPHA = 0.01;

/** How far an empirical distribution of `n` values strays from the true one, ever, but for a chance of `alpha`. */
export function bandWidth(n: number, alpha: number): number {
  return n < 1 ? Infinity : 0.85 * Math.sqrt((Math.log(Math.log(Math.E * n)) + 0.8 * Math.log(1612 / alpha)) / n);
}

export const dkwBands: Judge = {
  name: 'DKW bands every 10 s',
  kinds: ['latency'],
  start: () => {
    const canary = { buckets: noBuckets(), n: 0 };
    const stable = { buckets: noBuckets(), n: 0 };
    return (tick) => {
      if (tick.kind !== 'latency') return 'go on';
      add(canary, tick.canary);
      add(stable, tick.stable);
      const reach = bandWidth(canary.n, ALPHA / 2) + bandWidth(stable.n, ALPHA / 2);
      let [below, stableBelow, gap] = [0, 0, 0];
      for (let index = 0; index < canary.buckets.length; index++) {
        below += canary.buckets[index]!;
        stableBelow += stable.buckets[index]!;
        gap = Math.max(gap, stableBelow / stable.n - below / canary.n);
      }
      return gap > reach ? 'rollback' : 'go on';
    };
  },
};

function add(sum: { readonly buckets: Buckets; n: number }, more: Buckets): void {
  for (let index = 0; index < more.length; index++) {
    sum.buckets[index]! += more[index]!;
    sum.n += more[index]!;
  }
}
