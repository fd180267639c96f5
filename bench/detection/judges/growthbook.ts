/**
 * GrowthBook's safe rollout: a one-sided asymptotic confidence sequence for the difference of two means, at 5 %, tuned
 * for 5,000 users, no margin: any proven harm rolls back. It looks every ten minutes at the most. Requests stand for
 * users here. The same formula every minute, and at 1 %, shows what the formula could do with a better pace.
 * Source: growthbook at 8f1db44, packages/stats/gbstats/frequentist/tests.py; Waudby-Smith et al., "Time-uniform central
 * limit theory and asymptotic confidence sequences", equations 134 and 161.
 */
import { everyMinutes } from '../judge.ts';
import type { Judge } from '../judge.ts';
import type { Arm } from '../tick.ts';

const TUNED_FOR = 5000;

/** Half the width of the interval for a difference whose squared standard error is `variance`, after `n` users. */
export function halfWidth(variance: number, n: number, alpha: number): number {
  const log = Math.log(2 * alpha);
  const rhoSquared = (-2 * log + Math.log(1 - 2 * log)) / TUNED_FOR;
  const inflation = n * rhoSquared + 1;
  return Math.sqrt(((variance * n * 2 * inflation) / (n * n * rhoSquared)) * Math.log(1 + Math.sqrt(inflation) / (2 * alpha)));
}

function harmIsProven(canary: Arm, stable: Arm, alpha: number): boolean {
  if (canary.n < 2 || stable.n < 2) return false;
  const [share, stableShare] = [canary.bad / canary.n, stable.bad / stable.n];
  const variance = (share * (1 - share)) / canary.n + (stableShare * (1 - stableShare)) / stable.n;
  return variance > 0 && share - stableShare > halfWidth(variance, canary.n + stable.n, alpha);
}

const growthbook = (name: string, minutes: number, alpha: number): Judge => ({
  name,
  kinds: ['counts'],
  start: () => {
    let [canary, stable]: Arm[] = [];
    return (tick) => {
      if (tick.kind !== 'counts') return 'go on';
      canary = add(canary, tick.canary);
      stable = add(stable, tick.stable);
      return everyMinutes(minutes, tick.atS) && harmIsProven(canary, stable, alpha) ? 'rollback' : 'go on';
    };
  },
});

const add = (sum: Arm | undefined, more: Arm): Arm => ({ n: (sum?.n ?? 0) + more.n, bad: (sum?.bad ?? 0) + more.bad });

export const growthbook10 = growthbook('GrowthBook every 10 min', 10, 0.05);
export const growthbook1 = growthbook('GrowthBook formula every 1 min', 1, 0.05);
export const growthbook1Strict = growthbook('GrowthBook formula every 1 min, 1%', 1, 0.01);
