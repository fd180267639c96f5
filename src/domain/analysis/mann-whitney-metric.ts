/**
 * One metric of the canary against the same metric of a baseline, one value per step in each, classified as Kayenta's
 * NetflixACAJudge-v1.0 does it, so that a configuration that was tuned there keeps its meaning here. What a step's value
 * rests on (ten requests or a million) is not known to this judge; it sees values only.
 */
import { shiftBetween } from './mann-whitney.ts';
import type { Shift } from './mann-whitney.ts';

export type Classification = 'pass' | 'high' | 'low' | 'nodata' | 'nodata-fail' | 'error';

export type MetricRule = {
  readonly direction: 'increase' | 'decrease' | 'either';
  /** What becomes of a step without a value: left out, or taken as zero. */
  readonly nanStrategy: 'remove' | 'replace';
  readonly outliers: 'keep' | 'remove';
  /** Interquartile ranges beyond the quartiles that are still no outlier. */
  readonly outlierFactor: number;
  /** The interval must clear this part of the shift itself: a surely positive but hardly visible shift is none. */
  readonly tolerance: number;
  /** Ratio of the means, or the chance that a value of the canary is above one of the baseline. */
  readonly effect: 'meanRatio' | 'cles';
  /** A surely higher (lower) canary is let pass below (above) this effect. */
  readonly allowedIncrease: number;
  readonly allowedDecrease: number;
  /** From this effect on a critical metric fails the canary on its own. */
  readonly criticalIncrease: number;
  readonly criticalDecrease: number;
  readonly critical: boolean;
  readonly mustHaveData: boolean;
};

export type MetricVerdict = {
  readonly classification: Classification;
  /** It fails the canary on its own, whatever the others say, unless it passed. */
  readonly critical: boolean;
  /** Mean of the canary over mean of the baseline; NaN when one of them is zero. */
  readonly ratio: number;
  /** Null when the classification did not need one. */
  readonly shift: Shift | null;
};

/** Kayenta's defaults, and what the configuration says instead. */
export function metricRule(said: Partial<MetricRule> = {}): MetricRule {
  const even = said.effect === 'cles' ? 0.5 : 1;
  return {
    direction: 'either',
    nanStrategy: 'remove',
    outliers: 'keep',
    outlierFactor: 3,
    tolerance: 0.25,
    effect: 'meanRatio',
    allowedIncrease: even,
    allowedDecrease: even,
    criticalIncrease: even,
    criticalDecrease: even,
    critical: false,
    mustHaveData: false,
    ...said,
  };
}

export type Samples = { readonly canary: readonly number[]; readonly baseline: readonly number[] };

/** NaN stands for a step without a value. */
export function classifyMetric(rule: MetricRule, samples: Samples): MetricVerdict {
  const canary = prepare(rule, samples.canary);
  const baseline = prepare(rule, samples.baseline);
  if (canary.length === 0 || baseline.length === 0) return withoutData(rule);
  if (sameValues(canary, baseline) || new Set([...canary, ...baseline]).size === 1) return PASS;
  try {
    return compare(rule, { canary, baseline });
  } catch (error) {
    // Too few different values for a rank to say anything. Kayenta calls it an error, and counts it neither way.
    if (error instanceof RangeError) return { classification: 'error', critical: false, ratio: NaN, shift: null };
    throw error;
  }
}

const PASS: MetricVerdict = { classification: 'pass', critical: false, ratio: 1, shift: null };

function withoutData({ nanStrategy, mustHaveData, critical }: MetricRule): MetricVerdict {
  if (nanStrategy === 'replace') return PASS;
  if (mustHaveData && !critical) return { ...PASS, classification: 'nodata-fail' };
  return { ...PASS, classification: 'nodata', critical };
}

function compare(rule: MetricRule, samples: Samples): MetricVerdict {
  const { canary, baseline } = spreadConstants(samples);
  const shift = shiftBetween(canary, baseline);
  const ratio = meanRatio(canary, baseline);
  const effect = rule.effect === 'cles' ? chanceAbove(canary, baseline) : ratio;
  const reaches = (limit: number): boolean => Number.isNaN(effect) || limit <= effect;
  const sinksTo = (limit: number): boolean => Number.isNaN(effect) || effect <= limit;
  const clear = rule.tolerance * Math.abs(shift.estimate);
  if (rule.direction !== 'decrease' && clear < shift.low && reaches(rule.allowedIncrease)) {
    return { classification: 'high', critical: rule.critical && reaches(rule.criticalIncrease), ratio, shift };
  }
  if (rule.direction !== 'increase' && shift.high < -clear && sinksTo(rule.allowedDecrease)) {
    return { classification: 'low', critical: rule.critical && sinksTo(rule.criticalDecrease), ratio, shift };
  }
  return { classification: 'pass', critical: false, ratio, shift };
}

function prepare({ nanStrategy, outliers, outlierFactor }: MetricRule, values: readonly number[]): readonly number[] {
  const known =
    nanStrategy === 'remove'
      ? values.filter((value) => !Number.isNaN(value))
      : values.map((value) => (Number.isNaN(value) ? 0 : value));
  if (outliers === 'keep' || known.length === 0) return known;
  const ascending = known.toSorted((a, b) => a - b);
  const [lower, upper] = [percentile(ascending, 0.25), percentile(ascending, 0.75)];
  const reach = outlierFactor * (upper - lower);
  // One value in a hundred at each end is never an outlier: long tails are what latency looks like.
  const floor = Math.min(percentile(ascending, 0.01), lower - reach);
  const ceiling = Math.max(percentile(ascending, 0.99), upper + reach);
  return known.filter((value) => floor <= value && value <= ceiling);
}

/** Between the two nearest values in proportion, the ends being the least and the greatest (type 7 of Hyndman and Fan). */
function percentile(ascending: readonly number[], share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)] ?? 0;
  const above = ascending[Math.ceil(place)] ?? below;
  return below + (place - Math.floor(place)) * (above - below);
}

/**
 * Two constants that differ tie every rank of their own arm, so Kayenta adds noise of a hundred-thousandth of the value.
 * Here the same width is spread evenly, so that the same values always get the same verdict.
 */
function spreadConstants({ canary, baseline }: Samples): Samples {
  const constant = (values: readonly number[]): boolean => values.every((value) => value === values[0]);
  const spread = (values: readonly number[]): readonly number[] =>
    values.map((value, index) => value * (1 + 1e-5 * ((2 * index + 1) / values.length - 1)));
  return constant(canary) && constant(baseline) ? { canary: spread(canary), baseline: spread(baseline) } : { canary, baseline };
}

function sameValues(some: readonly number[], others: readonly number[]): boolean {
  if (some.length !== others.length) return false;
  const ascending = others.toSorted((a, b) => a - b);
  return some.toSorted((a, b) => a - b).every((value, index) => value === ascending[index]);
}

function meanRatio(canary: readonly number[], baseline: readonly number[]): number {
  const [upper, lower] = [mean(canary), mean(baseline)];
  return upper === 0 || lower === 0 ? NaN : upper / lower;
}

/** In two passes: the second takes back what the first lost to rounding. */
function mean(values: readonly number[]): number {
  const rough = values.reduce((sum, value) => sum + value, 0) / values.length;
  return rough + values.reduce((sum, value) => sum + (value - rough), 0) / values.length;
}

/** Vargha and Delaney's A: an equal pair counts half. */
function chanceAbove(canary: readonly number[], baseline: readonly number[]): number {
  const wins = canary.reduce(
    (sum, own) => sum + baseline.reduce((pairs, other) => pairs + (other < own ? 1 : other === own ? 0.5 : 0), 0),
    0,
  );
  return wins / (canary.length * baseline.length);
}
