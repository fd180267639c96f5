/** What a rank test finds: the values of both versions since the release began, one of each per measurement. */
import type { MannWhitneyCheck } from '../plan.ts';
import type { Finding } from './finding.ts';
import type { Interval } from './interval.ts';
import { mean } from './evidence/gauges.ts';
import { classifyMetric, metricRule } from './mann-whitney-metric.ts';
import type { ArmEvidence } from './measurement.ts';
import type { State } from './state.ts';
import { numberWords, plural } from './words.ts';

/** One value of each version: the share of bad requests where they are counted, else the mean of the instances. */
export function valuesOf({ to, canary, stable }: Interval, isCounted: boolean): State['values'][number] {
  const value = (numbers: readonly number[]): number | null => {
    if (!isCounted) return numbers.length === 0 ? null : mean(numbers);
    const [n = 0, bad = 0] = numbers;
    return n > 0 ? bad / n : null;
  };
  return [to, value(canary), value(stable)];
}

export function findRanks(check: MannWhitneyCheck, { values, to }: State): Finding {
  const since = check.lookbackMs === null || to === null ? -Infinity : to - check.lookbackMs;
  const seen = values.filter(([at]) => since < at);
  const own = seen.flatMap(([, canary]) => (canary === null ? [] : [canary]));
  const other = seen.flatMap(([, , stable]) => (stable === null ? [] : [stable]));
  const found = classifyMetric(
    metricRule({
      direction: check.direction,
      tolerance: check.tolerance,
      allowedIncrease: check.allowed.increase,
      allowedDecrease: check.allowed.decrease,
      criticalIncrease: check.criticalAllowed.increase,
      criticalDecrease: check.criticalAllowed.decrease,
      critical: check.critical,
      mustHaveData: check.mustHaveData,
    }),
    { canary: own, baseline: other },
  );
  const fewest = Math.min(own.length, other.length);
  const standing = { pass: 'not apart', high: 'surely higher', low: 'surely lower' };
  const { classification } = found;
  const isTold = classification === 'pass' || classification === 'high' || classification === 'low';
  return {
    breached: false,
    hard: null,
    undecided: fewest < check.minValues ? `collecting: ${fewest} of ${plural(check.minValues, 'value')} of each version` : null,
    sentence: `canary ${check.name} ${levelWords(own)} against ${levelWords(other)} on stable, ${isTold ? standing[classification] : 'too alike in rank to tell'} by rank (${plural(own.length, 'value')})`,
    requests: own.length,
    canary: armOf(own),
    stable: armOf(other),
    limit: null,
    weighed: null,
    ranked: fewest < check.minValues ? null : { classification, critical: found.critical },
  };
}

const levelWords = (values: readonly number[]): string => (values.length === 0 ? 'nothing' : numberWords(mean(values)));
const armOf = (values: readonly number[]): ArmEvidence => ({
  n: values.length,
  bad: 0,
  value: values.length === 0 ? null : mean(values),
});
