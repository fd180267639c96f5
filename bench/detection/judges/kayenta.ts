/**
 * Kayenta with NetflixACAJudge-v1.0: one value per minute for the canary and for a baseline of its size, judged once at
 * the end of the hour (as its guide recommends: 50 points or more) or every ten minutes over all minutes so far. A
 * judgement must score above marginal (75) to go on and reach pass (95) at the end.
 */
import { classifyMetric, metricRule } from '../../../src/domain/analysis/mann-whitney-metric.ts';
import { scoreOf } from '../../../src/domain/analysis/mann-whitney-score.ts';
import { everyMinutes, shareOf } from '../judge.ts';
import type { Judge } from '../judge.ts';
import { meanMs, quantileMs } from '../tick.ts';
import type { Buckets, Kind, Tick } from '../tick.ts';

/** One value per minute and arm. */
export type Points = (tick: Tick) => { readonly canary: number; readonly baseline: number; readonly stable: number } | null;

const RULE = metricRule({ direction: 'increase' });
const THRESHOLDS = { pass: 95, marginal: 75, groupWeights: {} };

const kayenta = (name: string, kinds: readonly Kind[], points: Points, intervalMinutes: number | null): Judge => ({
  name,
  kinds,
  start: ({ scenario: { minutes } }) => {
    const canary: number[] = [];
    const baseline: number[] = [];
    return (tick) => {
      const point = points(tick);
      if (point === null) return 'go on';
      canary.push(point.canary);
      baseline.push(point.baseline);
      const atEnd = tick.atS === minutes * 60;
      if (!atEnd && (intervalMinutes === null || !everyMinutes(intervalMinutes, tick.atS))) return 'go on';
      const verdict = classifyMetric(RULE, { canary, baseline });
      const { score } = scoreOf(THRESHOLDS, [{ name, groups: ['canary'], ...verdict }]);
      return (atEnd ? THRESHOLDS.pass <= score : THRESHOLDS.marginal < score) ? 'go on' : 'rollback';
    };
  },
});

export const shares: Points = ({ kind, minute }) =>
  kind === 'counts' && minute !== null
    ? { canary: shareOf(minute.canary), baseline: shareOf(minute.baseline), stable: shareOf(minute.stable) }
    : null;

const latencies =
  (value: (buckets: Buckets) => number): Points =>
  ({ kind, minute }) =>
    kind === 'latency' && minute !== null
      ? { canary: value(minute.canary), baseline: value(minute.baseline), stable: value(minute.stable) }
      : null;

export const p99s = latencies((buckets) => quantileMs(buckets, 0.99));
const means = latencies(meanMs);
export const levels: Points = ({ kind, minute }) => (kind === 'gauge' ? minute : null);

export const kayentaOnce = kayenta('Kayenta, once at the end', ['counts'], shares, null);
export const kayentaGrowing = kayenta('Kayenta every 10 min', ['counts'], shares, 10);
export const kayentaP99 = kayenta('Kayenta p99 every 10 min', ['latency'], p99s, 10);
export const kayentaMean = kayenta('Kayenta mean every 10 min', ['latency'], means, 10);
export const kayentaLevel = kayenta('Kayenta level every 10 min', ['gauge'], levels, 10);
