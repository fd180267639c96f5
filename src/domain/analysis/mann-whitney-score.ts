/**
 * From the classified metrics to one number and one verdict, as Kayenta scores them: the share of metrics that passed in
 * each group, groups weighed, and two ways to lose everything at once (a critical metric, half of the metrics silent).
 */
import type { MetricVerdict } from './mann-whitney-metric.ts';

export type ScoredMetric = Pick<MetricVerdict, 'classification' | 'critical'> & {
  readonly name: string;
  readonly groups: readonly string[];
  /** Classified and shown, but without a say. */
  readonly muted?: boolean;
};

export type ScoreRule = {
  /** From this score on it is a pass; from the other on marginal; below that a fail. */
  readonly pass: number;
  readonly marginal: number;
  /** Percent. Groups that are not named share what is left to 100 evenly. */
  readonly groupWeights: Readonly<Record<string, number>>;
};

export type Score = {
  readonly score: number;
  readonly verdict: 'pass' | 'marginal' | 'fail';
  /** Why the score is zero whatever the groups say, or null. */
  readonly reason: string | null;
  /** Per group; null where no metric of it had data. */
  readonly groups: Readonly<Record<string, number | null>>;
};

/** A canary with this share of silent metrics is not judged by the rest. */
const SILENT_MAX = 0.5;

export function scoreOf(rule: ScoreRule, metrics: readonly ScoredMetric[]): Score {
  const heard = metrics.filter(({ muted }) => muted !== true);
  const groups = groupScores(heard);
  const reason = lostAtOnce(heard);
  const score = reason === null ? weigh(groups, rule.groupWeights) : 0;
  return { score, verdict: score >= rule.pass ? 'pass' : score >= rule.marginal ? 'marginal' : 'fail', reason, groups };
}

function lostAtOnce(metrics: readonly ScoredMetric[]): string | null {
  const critical = metrics.find(({ critical, classification }) => critical && classification !== 'pass');
  if (critical) return `critical metric ${critical.name} is ${critical.classification}`;
  const silent = metrics.filter(({ classification }) => classification === 'nodata').length;
  return 0 < silent && SILENT_MAX * metrics.length <= silent ? `${silent} of ${metrics.length} metrics have no data` : null;
}

function groupScores(metrics: readonly ScoredMetric[]): Record<string, number | null> {
  const names = new Set(metrics.flatMap(({ groups }) => groups));
  return Object.fromEntries(
    [...names].map((name) => {
      const own = metrics.filter(({ groups }) => groups.includes(name)).map(({ classification }) => classification);
      // A metric without data, or one that could not be judged, is no evidence either way.
      const judged = own.filter((classification) => classification !== 'nodata' && classification !== 'error');
      const passed = judged.filter((classification) => classification === 'pass').length;
      return [name, judged.length === 0 ? null : (passed / judged.length) * 100];
    }),
  );
}

function weigh(groups: Readonly<Record<string, number | null>>, weights: Readonly<Record<string, number>>): number {
  const given = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const others = Object.keys(groups).filter((name) => weights[name] === undefined).length;
  const total = Object.entries(groups).reduce(
    (sum, [name, score]) => sum + (score ?? 100) * ((weights[name] ?? (100 - given) / others) / 100),
    0,
  );
  // To two places, halves up, as the digits read: 33.335 is 33.34.
  return Number(`${Math.round(Number(`${total}e2`))}e-2`);
}
