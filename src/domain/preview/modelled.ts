/** A check of a plan as what can be foretold of it: its bets, and what its counts are like when the canary is so and so much worse. */
import { ALL_PARTS } from '../analysis/evidence/counts.ts';
import { alternativesOf, multiple, shareAlternatives } from '../analysis/evidence/alternatives.ts';
import { calibrated, specOf } from '../analysis/evidence/engine.ts';
import type { Rules, Spec } from '../analysis/evidence/engine.ts';
import { logRates, logShare, logShares } from '../analysis/evidence/likelihood.ts';
import { noProof, observeProof, observeProofBelow } from '../analysis/evidence/proof.ts';
import { everyOther } from '../analysis/evidence/process.ts';
import { BOUND_BETS, isFine, nearest } from '../analysis/evidence/tails.ts';
import type { Check, EvidenceCheck } from '../plan.ts';
import { shareAbove } from '../rehearsal/figures.ts';
import type { Figures } from '../rehearsal/figures.ts';
import type { Bets, Levels, Twin } from './twin.ts';

export type Modelled = {
  readonly check: EvidenceCheck;
  readonly figures: Figures;
  readonly twin: Twin;
  readonly stable: Levels;
  /** Of a canary whose share of bad requests is `worse`; of a latency, whose requests take so many times as long. */
  canary(worse: number): Levels;
  /** What is no worse, the least that is not tolerated, and the worst there is, in the unit of `canary`. */
  readonly same: number;
  readonly tolerated: number;
  readonly worst: number;
};

/** The other kinds are not foretold, and why. */
export function modelled(
  check: Check,
  figures: Figures,
  { rules, rps }: { readonly rules: Rules; readonly rps: number },
): Modelled | string {
  if (check.kind === 'threshold') return 'a threshold has no evidence: it fails when its number is over the limit';
  if (check.kind === 'mann-whitney')
    return 'a rank test has no evidence that grows: its score is made once there are values enough';
  if (check.kind === 'gauge') return 'how far levels of instances are from each other is only known from measuring them';
  const spec = specOf(check, rules);
  const known = { figures, past: pastShare(figures.bad, rps) };
  if (spec.kind === 'counts') return ofCounts(check, spec, known);
  return spec.kind === 'tails' && check.kind === 'latency' ? ofTails(check, spec, figures) : 'it is of an unknown kind';
}

const HOUR_S = 3600;
const MOST_PAST = 1e5;

/** What the engine takes stable to be like after an hour of it: its guess of half a bad request in fifty counts, too. */
function pastShare(share: number, rps: number): number {
  const requests = Math.min(MOST_PAST, rps * HOUR_S);
  return (share * requests + 0.5) / (requests + 50);
}

type Known = { readonly figures: Figures; readonly past: number };

function ofCounts(check: EvidenceCheck, spec: Extract<Spec, { kind: 'counts' }>, { figures, past }: Known): Modelled {
  const { limit, max, isRate, fewerIsWorse, schedule } = spec;
  const { dispersion, bad } = figures;
  const bets: Bets[] = [];
  const logPart = limit !== null && max !== null ? Math.log(0.5) : 0;
  const level = { grid: ALL_PARTS, logPart, here: { grid: everyOther(ALL_PARTS), logPart }, canaryLevel: 0, stableLevel: 0 };
  if (limit !== null) {
    const alternative = alternativesOf(past, limit, spec);
    const logOf = isRate ? logRates : logShares;
    bets.push({
      ...level,
      gain(canary, stable, ratio) {
        const [worse, better] = fewerIsWorse ? [stable, canary] : [canary, stable];
        if (worse.n <= 0 || better.n <= 0) return 0;
        const chosen = alternative(ratio);
        return chosen === null ? 0 : logOf(worse, better, chosen, limit) / dispersion;
      },
    });
  }
  if (max !== null)
    bets.push({ ...level, gain: (canary, _stable, ratio) => logShare(canary, multiple(max, ratio), max) / dispersion });
  const proves = !fewerIsWorse && !isRate;
  return {
    check,
    figures,
    twin: {
      name: check.name,
      schedule,
      bets,
      shown: 0,
      hardMax: 'hardMax' in check ? check.hardMax : null,
      proof: proves
        ? {
            canaryLevel: 0,
            stableLevel: 0,
            gains: (canary, stable) =>
              limit === null && max !== null
                ? observeProofBelow(noProof(), canary, max, dispersion)
                : observeProof(noProof(), canary, stable, dispersion),
          }
        : null,
    },
    stable: [bad],
    canary: (worse) => [worse],
    same: bad,
    tolerated: toleratedShare(limit, max, { bad, fewerIsWorse }),
    worst: fewerIsWorse ? 0 : isRate ? Math.max(1, bad * 100) : 0.999,
  };
}

function toleratedShare(
  limit: Extract<Spec, { kind: 'counts' }>['limit'],
  max: number | null,
  { bad, fewerIsWorse }: { readonly bad: number; readonly fewerIsWorse: boolean },
): number {
  if (limit === null) return max ?? bad;
  if (fewerIsWorse) return Math.max(0, (bad - limit.floor) / limit.factor);
  return Math.min(0.998, limit.factor * bad + limit.floor);
}

const SLOWEST = 50;

function ofTails(
  check: Extract<EvidenceCheck, { kind: 'latency' }>,
  spec: Extract<Spec, { kind: 'tails' }>,
  { latency, dispersion, ...rest }: Figures,
): Modelled | string {
  const { boundsMs, counts } = latency;
  const known = calibrated(spec, [{ kind: 'tails', from: 0, to: 1, boundsMs, canary: [], stable: counts, instances: [] }]);
  if (known.kind !== 'tails' || known.bounds === null || known.bounds.length === 0)
    return 'nearly all requests are in one bucket, so there is no bound to compare at';
  const { bounds } = known;
  const shown = nearest(bounds, spec.quantile);
  const shownMs = shown?.stableMs ?? bounds[0]?.stableMs ?? 0;
  const extra = spec.maxMs === null ? [shownMs] : [shownMs, spec.maxMs];
  const rising = (values: readonly number[]): readonly number[] => [...new Set(values)].toSorted((a, b) => a - b);
  const canaryMs = rising([...bounds.map((bound) => bound.canaryMs), ...extra]);
  const stableMs = rising([...bounds.map((bound) => bound.stableMs), shownMs]);
  const limit = { factor: isFine(boundsMs) ? 1 : 1 + spec.tolerance, floor: 0 };
  const half = spec.maxMs === null ? 0 : Math.log(0.5);
  const here = { grid: everyOther(BOUND_BETS), logPart: half };
  const bets: Bets[] = bounds.map((bound) => {
    const alternative = shareAlternatives(bound.past.bad / bound.past.n, limit);
    return {
      grid: BOUND_BETS,
      logPart: half - Math.log(bounds.length),
      here: bound === shown ? here : null,
      canaryLevel: canaryMs.indexOf(bound.canaryMs),
      stableLevel: stableMs.indexOf(bound.stableMs),
      gain(canary, stable, ratio) {
        const bet = canary.n > 0 && stable.n > 0 ? alternative(ratio) : null;
        return bet === null ? 0 : logShares(canary, stable, bet, limit) / dispersion;
      },
    };
  });
  const { maxMs, quantile } = spec;
  if (maxMs !== null)
    bets.push({
      grid: BOUND_BETS,
      logPart: half,
      here,
      canaryLevel: canaryMs.indexOf(maxMs),
      stableLevel: 0,
      gain: (canary, _stable, ratio) => logShare(canary, multiple(1 - quantile, ratio), 1 - quantile) / dispersion,
    });
  return {
    check,
    figures: { ...rest, latency, dispersion },
    twin: {
      name: check.name,
      schedule: spec.schedule,
      bets,
      shown: canaryMs.indexOf(shownMs),
      hardMax: null,
      proof: {
        canaryLevel: canaryMs.indexOf(shownMs),
        stableLevel: stableMs.indexOf(shownMs),
        gains: (canary, stable) => observeProof(noProof(), canary, stable, dispersion),
      },
    },
    stable: stableMs.map((ms) => shareAbove(latency, ms)),
    canary: (worse) => canaryMs.map((ms) => shareAbove(latency, ms, worse)),
    same: 1,
    tolerated: 1,
    worst: SLOWEST,
  };
}
