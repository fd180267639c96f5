/** From the outcomes of many runs to the numbers of a table. */
import type { Outcome } from './run.ts';
import type { Scenario } from './scenarios.ts';

export type Summary = {
  readonly scenario: string;
  readonly judge: string;
  readonly runs: number;
  /** Rolled back although nothing was wrong (yet), and the standard error of that share. */
  readonly falseShare: number;
  readonly falseError: number;
  /** Rolled back after it had gone wrong; of a good release nothing can be. */
  readonly detected: number;
  /** Since the onset, a miss being later than everything; null: missed. */
  readonly medianS: number | null;
  readonly p95S: number | null;
  /** Canary requests that failed until the rollback, or until the end. */
  readonly failedMedian: number;
  readonly failedP95: number;
};

export function summarize({ name, group, onsetS }: Scenario, judge: string, outcomes: readonly Outcome[]): Summary {
  const isBad = group === 'bad';
  const early = outcomes.filter(({ rolledBackS }) => rolledBackS !== null && (!isBad || rolledBackS <= onsetS)).length;
  const falseShare = early / outcomes.length;
  const fair = isBad ? outcomes.filter(({ rolledBackS }) => rolledBackS === null || onsetS < rolledBackS) : [];
  const delays = fair.map(({ rolledBackS }) => (rolledBackS === null ? Infinity : rolledBackS - onsetS));
  const failed = fair.map((outcome) => outcome.failed);
  return {
    scenario: name,
    judge,
    runs: outcomes.length,
    falseShare,
    falseError: Math.sqrt((falseShare * (1 - falseShare)) / outcomes.length),
    detected: delays.filter(Number.isFinite).length / Math.max(1, fair.length),
    medianS: finite(rank(delays, 0.5)),
    p95S: finite(rank(delays, 0.95)),
    failedMedian: rank(failed, 0.5),
    failedP95: rank(failed, 0.95),
  };
}

/** The smallest value that at least this share of all does not exceed. */
function rank(values: readonly number[], share: number): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil(share * values.length) - 1)] ?? NaN;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
