/** One number about the canary against fixed limits. No statistics: the limits are the operator's word. */
import type { ThresholdCheck } from '../plan.ts';
import type { Finding } from './finding.ts';
import type { State } from './state.ts';
import { numberWords } from './words.ts';

export function findThreshold(check: ThresholdCheck, { newest, measurements }: State): Finding {
  const value = newest?.[0] ?? null;
  if (value === null) return nothingYet(check);
  const soft = brokenBy(value, check.min, check.max);
  const hard = brokenBy(value, check.hardMin, check.hardMax);
  const name = `canary ${check.name} ${numberWords(value)}`;
  return {
    breached: soft !== null,
    hard: hard && `${name}, ${hard.side} the hard limit ${numberWords(hard.limit)}`,
    undecided: null,
    sentence: `${name}, ${soft ? `${soft.side} the limit ${numberWords(soft.limit)}` : 'within the limits'}`,
    requests: measurements,
    canary: { n: measurements, bad: 0, value },
    stable: null,
    limit: (hard ?? soft)?.limit ?? check.max ?? check.min ?? check.hardMax ?? check.hardMin,
    weighed: null,
  };
}

const nothingYet = (check: ThresholdCheck): Finding => ({
  breached: false,
  hard: null,
  undecided: `canary ${check.name} has not been measured since the weight changed`,
  sentence: `canary ${check.name} unknown`,
  requests: 0,
  canary: null,
  stable: null,
  limit: null,
  weighed: null,
});

type Broken = { readonly side: 'above' | 'below'; readonly limit: number };

function brokenBy(value: number, min: number | null, max: number | null): Broken | null {
  if (max !== null && max < value) return { side: 'above', limit: max };
  return min !== null && value < min ? { side: 'below', limit: min } : null;
}
