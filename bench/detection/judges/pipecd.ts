/**
 * PipeCD's analysis of canary against baseline: at every interval the points of that interval alone, one per minute, an
 * exact rank-sum test at 5 %, and with the default `failureLimit` of 0 the first significant one ends the stage. Nothing
 * corrects for the number of looks. `deviation` is EITHER unless configured, so a better canary fails as well.
 * Source: pipe-cd/pipecd at 7e22859, pkg/app/piped/executor/analysis/metrics_analyzer.go.
 */
import { exactTest } from '../exact-u.ts';
import type { Alternative } from '../exact-u.ts';
import { everyMinutes } from '../judge.ts';
import type { Judge } from '../judge.ts';
import type { Kind } from '../tick.ts';
import { levels, p99s, shares } from './kayenta.ts';
import type { Points } from './kayenta.ts';

const INTERVAL_MINUTES = 5;
const SIGNIFICANT = 0.05;

const pipecd = (name: string, kind: Kind, points: Points, alternative: Alternative): Judge => ({
  name,
  kinds: [kind],
  start: () => {
    let canary: number[] = [];
    let baseline: number[] = [];
    return (tick) => {
      const point = points(tick);
      if (point === null) return 'go on';
      if (!Number.isNaN(point.canary)) canary.push(point.canary);
      if (!Number.isNaN(point.baseline)) baseline.push(point.baseline);
      if (!everyMinutes(INTERVAL_MINUTES, tick.atS)) return 'go on';
      const fails = deviates(canary, baseline, alternative);
      [canary, baseline] = [[], []];
      return fails ? 'rollback' : 'go on';
    };
  },
});

/** No points on both sides pass; none on one side is an error, which counts as a failure. */
function deviates(canary: readonly number[], baseline: readonly number[], alternative: Alternative): boolean {
  if (canary.length === 0 || baseline.length === 0) return canary.length !== baseline.length;
  const test = exactTest(canary, baseline, alternative);
  return test !== null && test.p <= SIGNIFICANT;
}

export const pipecdHigh = pipecd('PipeCD 5 min, HIGH', 'counts', shares, 'greater');
export const pipecdEither = pipecd('PipeCD 5 min, EITHER', 'counts', shares, 'differs');
export const pipecdP99 = pipecd('PipeCD p99 5 min, HIGH', 'latency', p99s, 'greater');
export const pipecdLevel = pipecd('PipeCD level 5 min, HIGH', 'gauge', levels, 'greater');
