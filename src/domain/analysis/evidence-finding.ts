/** What the evidence checks find, in numbers and in words: ratio, rate, SLO, latency and gauge. */
import { unreachable } from '../../lib/assert.ts';
import type { EvidenceCheck, GaugeCheck, LatencyCheck, RateCheck, RatioCheck, SloCheck } from '../plan.ts';
import { assess, NOTHING, worthHere } from './evidence/engine.ts';
import type { Assessment, Spec } from './evidence/engine.ts';
import { mean } from './evidence/gauges.ts';
import type { Arm } from './evidence/likelihood.ts';
import { nearest } from './evidence/tails.ts';
import { neededRequests } from './needed.ts';
import { HARD_MIN_BAD, HARD_MIN_REQUESTS, NOTHING_TO_COMPARE } from './finding.ts';
import type { Finding } from './finding.ts';
import { boundAt, quantileOf, requestsAbove, requestsIn } from './histogram.ts';
import type { Quantile } from './histogram.ts';
import type { ArmEvidence, Weighed } from './measurement.ts';
import { armOf } from './state.ts';
import type { State } from './state.ts';
import { suspiciousFrom } from './together.ts';
import { againstWords, armWords, countWords, msWords, numberWords, plural, shareWords } from './words.ts';

export type EvidenceRules = {
  readonly spec: Spec;
  /** Of the release, and the part of the evidence that this check has in it. */
  readonly alpha: number;
  readonly beta: number;
  readonly part: number;
};

export function findEvidence(check: EvidenceCheck, state: State, rules: EvidenceRules): Finding {
  const assessment = state.evidence === null ? NOTHING : assess(rules.spec, state.evidence);
  const found = findingOf(check, state, weighedOf(check, state, rules, assessment));
  if (state.evidence === null) return found;
  return { ...found, suspicious: suspiciousFrom(rules.alpha) <= worthHere(rules.spec, state.evidence) + Math.log(rules.part) };
}

function findingOf(check: EvidenceCheck, state: State, weighed: Weighed): Finding {
  switch (check.kind) {
    case 'ratio':
    case 'slo':
      return findShare(check, state, weighed);
    case 'rate':
      return findRate(check, state, weighed);
    case 'latency':
      return findLatency(check, state, weighed);
    case 'gauge':
      return findGauge(check, state, weighed);
    default:
      return unreachable(check);
  }
}

/** What is said of a check that condemns the canary: over everything since the release began, with the promised confidence. */
export function condemnation(check: EvidenceCheck, state: State, rules: EvidenceRules): string {
  const found = state.evidence === null ? NOTHING : assess(rules.spec, state.evidence);
  const confidence = `${+(100 * (1 - rules.alpha)).toFixed(4)} % confidence`;
  const { canary, stable } = state.judged;
  const times = found.atLeast === null ? `worse with ${confidence}` : `at least ${timesOf(found.atLeast)} with ${confidence}`;
  switch (check.kind) {
    case 'ratio':
    case 'slo':
    case 'rate': {
      const isRate = check.kind === 'rate';
      const [own, other] = [armOf(canary, isRate), armOf(stable, isRate)];
      const words = (arm: Arm): string => (isRate ? rateWords(arm) : shareWords(arm.n === 0 ? 0 : arm.bad / arm.n));
      const isFewer = 'worse' in check && check.worse === 'lower';
      const lately = isRate || isFewer ? '' : latelyWords(own, armOf(state.newest ?? []));
      const head = `canary ${check.name} ${words(own)}${lately}`;
      const after = isRate ? '' : ` after ${plural(own.n, 'request')}`;
      if (found.from === 'limit')
        return `${head}${lately ? '' : ','} above the limit ${shareWords('max' in check ? (check.max ?? 0) : 0)} with ${confidence}${after}`;
      const where = found.from === null ? '' : ` (mostly ${found.from})`;
      const accepted = 'tolerance' in check ? 1 + check.tolerance : 1;
      const limit = 'tolerance' in check ? `; limit ${numberWords(isFewer ? 1 / accepted : accepted)} times` : '';
      return `${head} against ${words(other)}${where}, ${isFewer ? `fewer with ${confidence}` : times}${after}${limit}`;
    }
    case 'latency': {
      const histogram = (counts: readonly number[]) => ({ boundsMs: state.boundsMs ?? [], counts });
      const isLimit = found.from === 'limit';
      const ms = isLimit ? (check.maxMs ?? 0) : Number(found.from ?? 0);
      const slow = (counts: readonly number[]): Arm => ({ n: requestsIn(counts), bad: requestsAbove(histogram(counts), ms) });
      const share = ({ n, bad }: Arm): string => shareWords(n === 0 ? 0 : bad / n);
      const own = slow(canary);
      const lately = latelyWords(own, slow(state.newest ?? []));
      const against = isLimit
        ? `${lately ? '' : ','} limit ${shareWords(1 - check.quantile)}`
        : ` against ${share(slow(stable))}`;
      return `canary ${check.name}: ${share(own)} slower than ${msWords(ms)}${lately}${against}, worse with ${confidence} after ${plural(own.n, 'request')}`;
    }
    case 'gauge': {
      const limit = check.worse === 'lower' ? 1 / (1 + check.tolerance) : 1 + check.tolerance;
      return `${findGauge(check, state, weighedOf(check, state, rules, found)).sentence}, ${check.worse} than tolerated with ${confidence} (limit ${numberWords(limit)} times)`;
    }
    default:
      return unreachable(check);
  }
}

/** A long good time makes a canary that just died look mild: the newest interval is told as well, where it is much worse than all. */
function latelyWords(all: Arm, newest: Arm): string {
  const isTelling = HARD_MIN_REQUESTS <= newest.n && HARD_MIN_BAD <= newest.bad;
  const isWorse = MUCH_WORSE * all.bad * newest.n <= newest.bad * all.n;
  return isTelling && isWorse ? `, and ${armWords(newest)} in the last look,` : '';
}

const MUCH_WORSE = 3;

/** What was proved at one weight says little of another one before some requests were served there. */
const SOME_AT_A_WEIGHT = 50;

const requestsAt = ({ kind }: EvidenceCheck, { canary }: State): number =>
  kind === 'latency' ? requestsIn(canary) : kind === 'gauge' ? 0 : (canary[0] ?? 0);

function weighedOf(check: EvidenceCheck, state: State, rules: EvidenceRules, found: Assessment): Weighed {
  const { logE, logProof, effect, dispersion, from } = found;
  return {
    logE,
    together: logE,
    threshold: Math.log(1 / rules.alpha),
    anytimeP: Math.min(1, Math.exp(-logE)),
    ratio: effect,
    dispersion,
    from,
    needed: neededOf(check, state, rules),
    proved: logProof !== null && Math.log(1 / rules.beta) <= logProof && SOME_AT_A_WEIGHT <= requestsAt(check, state),
    slow: check.kind === 'latency' ? slowAt(check, state) : null,
  };
}

/** Requests at this weight until a regression worth seeing would have shown; what the plan says goes before. */
function neededOf(check: EvidenceCheck, state: State, { alpha, part }: EvidenceRules): number | null {
  const stable = armOf(state.judged.stable);
  return neededRequests(check, stable.n > 0 ? stable.bad / stable.n : null, alpha * part);
}

function findShare(check: RatioCheck | SloCheck, state: State, weighed: Weighed): Finding {
  const canary = armOf(state.canary);
  const stable = armOf(state.stable);
  const broken = hardShare(check, state);
  const against = check.kind === 'slo' ? '' : againstWords(stable);
  const times = timesWords(weighed, isOfMore(state));
  const isBlind = check.kind === 'ratio' && stable.n === 0 && check.max === null && check.hardMax === null;
  return {
    breached: false,
    hard: broken && `canary ${check.name} ${armWords(broken)}, above the hard limit ${shareWords(check.hardMax ?? 0)}`,
    undecided: isBlind && 0 < canary.n ? NOTHING_TO_COMPARE : tooFew(canary.n, weighed),
    sentence: `canary ${check.name} ${armWords(canary)}${against}${times}${limitWords(check.max)}`,
    requests: canary.n,
    canary: evidenceOf(broken ?? canary),
    stable: evidenceOf(stable),
    limit: broken ? check.hardMax : (check.max ?? check.hardMax),
    weighed,
  };
}

const limitWords = (max: number | null): string => (max === null ? '' : `, limit ${shareWords(max)}`);

/** Whether the evidence has more in it than was counted at this weight: then a ratio of it is not one of these counts. */
const isOfMore = ({ judged, canary }: State): boolean => requestsIn(canary) < requestsIn(judged.canary);

/** `, 0.7 to 1.4 times as many`, and of what where it is not of the counts before it; nothing before anything bad was seen. */
function timesWords({ ratio }: Weighed, isMore: boolean): string {
  if (ratio === null) return '';
  const over = isMore ? ' over all weights so far' : '';
  if (ratio.low === null && ratio.high === null) return '';
  if (ratio.low === null) return `, at most ${timesOf(ratio.high)}${over}`;
  return ratio.high === null
    ? `, at least ${timesOf(ratio.low)}${over}`
    : `, ${numberWords(+ratio.low.toPrecision(2))} to ${timesOf(ratio.high)}${over}`;
}

const timesOf = (ratio: number | null): string => `${numberWords(+(ratio ?? 0).toPrecision(2))} times as many`;

function tooFew(requests: number, { needed, proved }: Weighed): string | null {
  if (needed === null || needed <= requests || proved) return null;
  return `collecting: ${countWords(requests)} of ${plural(needed, 'canary request')} since the weight changed`;
}

/** In the newest interval when it is large enough to be told from chance, or in all since the weight changed. */
function hardShare({ hardMax }: RatioCheck | SloCheck, { newest, exposed }: State): Arm | null {
  if (hardMax === null) return null;
  const isBroken = (arm: Arm): boolean => HARD_MIN_REQUESTS <= arm.n && HARD_MIN_BAD <= arm.bad && hardMax < arm.bad / arm.n;
  return [armOf(newest ?? []), armOf(exposed)].find(isBroken) ?? null;
}

const evidenceOf = (arm: Arm): ArmEvidence => ({ n: arm.n, bad: arm.bad, value: arm.n === 0 ? null : arm.bad / arm.n });

const rateWords = ({ n, bad }: Arm): string => `${numberWords(n === 0 ? 0 : bad / n)} (${countWords(bad)} in ${countWords(n)})`;

function findRate(check: RateCheck, state: State, weighed: Weighed): Finding {
  const canary = armOf(state.canary, true);
  const stable = armOf(state.stable, true);
  return {
    breached: false,
    hard: null,
    undecided: stable.n === 0 ? 'stable has had nothing to compare with' : tooFew(canary.n, weighed),
    sentence: `canary ${check.name} ${rateWords(canary)} against ${rateWords(stable)} on stable${timesWords(weighed, isOfMore(state))}`,
    requests: canary.n,
    canary: evidenceOf(canary),
    stable: evidenceOf(stable),
    limit: null,
    weighed,
  };
}

function findLatency(check: LatencyCheck, state: State, weighed: Weighed): Finding {
  const boundsMs = state.boundsMs ?? [];
  const canary = { boundsMs, counts: state.canary };
  const stable = { boundsMs, counts: state.stable };
  const stableRequests = requestsIn(state.stable);
  const bound = comparedAt(check, state) ?? boundAt(stableRequests === 0 ? canary : stable, check.quantile);
  const slow: Arm = { n: requestsIn(state.canary), bad: requestsAbove(canary, bound) };
  const stableSlow: Arm = { n: stableRequests, bad: requestsAbove(stable, bound) };
  const own = quantileOf(canary, check.quantile);
  const stableMs = quantileOf(stable, check.quantile)?.ms ?? null;
  const broken = hardLatency(check, state);
  const name = `canary ${check.name} p${+(100 * check.quantile).toFixed(3)}`;
  const limit = check.maxMs === null ? '' : `, limit ${msWords(check.maxMs)}`;
  // Of slow requests at other bounds the ratio would not be one of these.
  const isOfBound = [weighed.slow?.leastMs, weighed.slow?.mostMs].every((ms) => ms === undefined || ms === bound);
  const times = isOfBound ? timesWords(weighed, isOfMore(state)) : '';
  const tail = `; slower than ${msWords(bound)}: ${armWords(slow)}${againstWords(stableSlow)}${times}`;
  return {
    breached: false,
    hard:
      broken &&
      `${name} ${quantileWords(broken)} of ${plural(broken.n, 'request')}, above the hard limit ${msWords(check.hardMaxMs ?? 0)}`,
    undecided: latencyUndecided(check, { own, requests: slow.n, stableRequests, isBlind: hasNoBound(state), weighed }),
    sentence: own === null ? `${name} unknown` : `${name} ${quantileWords(own)}${limit}${tail}`,
    requests: slow.n,
    canary: broken ? { n: broken.n, bad: broken.bad, value: broken.ms } : { ...slow, value: own?.ms ?? null },
    stable: { ...stableSlow, value: stableMs },
    limit: broken ? check.hardMaxMs : (check.maxMs ?? (stableSlow.n === 0 ? check.hardMaxMs : bound)),
    weighed,
  };
}

/** The bound that is compared at now, so that a sentence does not name one and compare at another. */
const comparedAt = ({ quantile }: LatencyCheck, { evidence, stable }: State): number | null =>
  evidence?.kind === 'tails' && evidence.bounds !== null && requestsIn(stable) > 0
    ? (nearest(evidence.bounds, quantile)?.stableMs ?? null)
    : null;

function slowAt(check: LatencyCheck, state: State): Weighed['slow'] {
  const atMs = comparedAt(check, state);
  const counted = state.evidence?.kind === 'tails' ? (state.evidence.counted ?? null) : null;
  return atMs === null ? null : { atMs, ...(counted ?? { leastMs: atMs, mostMs: atMs }) };
}

type Seen = {
  readonly own: Quantile | null;
  readonly requests: number;
  readonly stableRequests: number;
  readonly isBlind: boolean;
  readonly weighed: Weighed;
};

/** Nearly all of stable is slower than every bucket: there is nothing to compare at. */
const hasNoBound = ({ evidence }: State): boolean => evidence?.kind === 'tails' && evidence.bounds?.length === 0;

function latencyUndecided(check: LatencyCheck, { own, requests, stableRequests, isBlind, weighed }: Seen): string | null {
  const limits = [check.maxMs, check.hardMaxMs].filter((limit) => limit !== null);
  if (stableRequests === 0 && 0 < requests && limits.length === 0) return NOTHING_TO_COMPARE;
  if (isBlind && limits.length === 0)
    return `nearly all requests of stable are slower than most buckets of ${check.name}: slower ones cannot be told from them`;
  const isUntold = own !== null && own.atLeast && limits.some((limit) => own.ms <= limit);
  if (!isUntold) return tooFew(requests, weighed);
  return `canary ${check.name} is beyond the largest bucket, ${msWords(own.ms)}: whether it is within its limit cannot be told`;
}

type Broken = Quantile & Arm;

/** As for a share, the slowest few of a few are no evidence: at least some must be above the limit. */
function hardLatency({ hardMaxMs, quantile }: LatencyCheck, { newest, exposed, boundsMs }: State): Broken | null {
  if (hardMaxMs === null) return null;
  for (const counts of [newest ?? [], exposed]) {
    const histogram = { boundsMs: boundsMs ?? [], counts };
    const arm = { n: requestsIn(counts), bad: requestsAbove(histogram, hardMaxMs) };
    const own = quantileOf(histogram, quantile);
    const isTelling = HARD_MIN_REQUESTS <= arm.n && HARD_MIN_BAD <= arm.bad;
    if (isTelling && own !== null && hardMaxMs < own.ms) return { ...arm, ...own };
  }
  return null;
}

const quantileWords = ({ ms, atLeast }: Quantile): string => `${atLeast ? 'at least ' : ''}${msWords(ms)}`;

function findGauge(check: GaugeCheck, { canary, stable, measurements }: State, weighed: Weighed): Finding {
  const level = (values: readonly number[]): number | null => (values.length === 0 ? null : mean(values));
  const [own, other] = [level(canary), level(stable)];
  const ratio =
    weighed.ratio === null ? '' : `, ${numberWords(+weighed.ratio.estimate.toPrecision(3))} times as high on the whole`;
  return {
    breached: false,
    hard: null,
    undecided: own === null ? null : incomparable(check, own, other),
    sentence: `canary ${check.name} ${own === null ? 'unknown' : numberWords(own)}${other === null ? '' : ` against ${numberWords(other)} on stable`}${ratio}`,
    requests: measurements,
    canary: { n: canary.length, bad: 0, value: own },
    stable: { n: stable.length, bad: 0, value: other },
    limit: null,
    weighed,
  };
}

/** Of a level of nothing no other is so many times: what cannot be compared is no pass. */
function incomparable({ name, floor }: GaugeCheck, own: number, other: number | null): string | null {
  if (other === null) return `stable has no level of ${name} to compare with`;
  const [above, below] = [own + floor, other + floor];
  if ((above > 0 && below > 0) || (above === 0 && below === 0)) return null;
  return `${name} is ${numberWords(own)} on the canary and ${numberWords(other)} on stable, which is no ratio: give the check a floor`;
}
