/**
 * Lindon and Malek's test for counts: if the canary is no worse, its part of the failures is its part of the traffic.
 * The evidence is the ratio of a Dirichlet mixture around that part (concentration 100) to that part itself, valid at
 * any time; the split must not change over the release. It is two-sided; only a higher part rolls back here.
 * Source: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", 2022; assuncaolfi/savvi at de1d0d2.
 */
import type { Judge } from '../judge.ts';

const CONCENTRATION = 100;
const ALPHA = 0.01;

/** Natural logarithm of the evidence against `part` after these failures. */
export function logEvidence(canaryBad: number, stableBad: number, part: number): number {
  return (
    logRising(CONCENTRATION * part, canaryBad) +
    logRising(CONCENTRATION * (1 - part), stableBad) -
    logRising(CONCENTRATION, canaryBad + stableBad) -
    canaryBad * Math.log(part) -
    stableBad * Math.log(1 - part)
  );
}

export const lindonMalek: Judge = {
  name: 'Lindon-Malek every 10 s',
  kinds: ['counts'],
  start: () => {
    let [canaryBad, stableBad, evidence] = [0, 0, 0];
    let assigned: number | null = null;
    return (tick) => {
      if (tick.kind !== 'counts') return 'go on';
      assigned ??= tick.weight;
      // One tick at a time: what is new against what is known, so that each failure is paid for once.
      const known = CONCENTRATION + canaryBad + stableBad;
      const { canary, stable } = tick;
      evidence +=
        logRising(CONCENTRATION * assigned + canaryBad, canary.bad) +
        logRising(CONCENTRATION * (1 - assigned) + stableBad, stable.bad) -
        logRising(known, canary.bad + stable.bad) -
        canary.bad * Math.log(assigned) -
        stable.bad * Math.log(1 - assigned);
      canaryBad += canary.bad;
      stableBad += stable.bad;
      const higher = canaryBad * (1 - assigned) > stableBad * assigned;
      return higher && evidence >= Math.log(1 / ALPHA) ? 'rollback' : 'go on';
    };
  },
};

/** ln of x (x + 1) ... (x + count - 1). */
function logRising(x: number, count: number): number {
  let [log, product] = [0, 1];
  for (let step = 0; step < count; step++) {
    product *= x + step;
    if (product > 1e280) {
      log += Math.log(product);
      product = 1;
    }
  }
  return log + Math.log(product);
}
