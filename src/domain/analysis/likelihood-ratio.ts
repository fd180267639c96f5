/**
 * Signed root of the likelihood ratio for shares: how surely the canary's share of bad requests is above a limit, in
 * standard deviations. Zero when it is not above at all.
 *
 * Assumes requests that go wrong independently of each other; bursts of errors make it too sure of itself. Chosen over
 * Wald and score tests because it stays honest for rare errors (a handful of bad requests, where the others are two to
 * three times too eager) and because it grows with every further bad request, which can be proved and not only hoped.
 * Source: Wilks, "The large-sample distribution of the likelihood ratio", 1938; the restricted estimate as in Farrington
 * and Manning, Statistics in Medicine 9, 1990, for a limit of any factor and floor. Cost: one bisection of 60 steps.
 */

export type Arm = { readonly n: number; readonly bad: number };

/**
 * How sure is sure. One look beyond 2.9 comes by chance in 0.2 % of cases. A check is looked at again with every
 * measurement, and 180 looks at growing counts in half an hour are worth about a dozen independent ones. Simulated at
 * 100 requests a second, 5 % of them on a good canary: 0.5 % false alarms (2 % with no tolerance at all), against 2 %
 * (5 %) at 2.6, which finds five times the errors no sooner: after 4 intervals in the middle (judge-rates.test.ts).
 */
export const SURE = 2.9;

/** Against stable, whose own share is uncertain as well: the limit is `factor` x its true share + `floor`. */
export function excessOverStable(
  canary: Arm,
  stable: Arm,
  { factor, floor }: { readonly factor: number; readonly floor: number },
): number {
  if (canary.n <= 0 || stable.n <= 0) return 0;
  const share = canary.bad / canary.n;
  const stableShare = stable.bad / stable.n;
  if (share <= factor * stableShare + floor) return 0;
  const likeliest = likeliestOnLimit(canary, stable, { factor, floor, share, stableShare });
  const gain =
    logLikelihood(canary, share) -
    logLikelihood(canary, factor * likeliest + floor) +
    logLikelihood(stable, stableShare) -
    logLikelihood(stable, likeliest);
  return Math.sqrt(Math.max(0, 2 * gain));
}

/** Against a fixed limit. */
export function excessOver(canary: Arm, limit: number): number {
  if (canary.n <= 0) return 0;
  const share = canary.bad / canary.n;
  if (share <= limit) return 0;
  return Math.sqrt(Math.max(0, 2 * (logLikelihood(canary, share) - logLikelihood(canary, limit))));
}

type Limit = {
  readonly factor: number;
  readonly floor: number;
  readonly share: number;
  readonly stableShare: number;
};

/** Stable's share that explains both arms best if the canary were exactly on the limit: the root of a falling slope. */
function likeliestOnLimit(canary: Arm, stable: Arm, { factor, floor, share, stableShare }: Limit): number {
  let low = stableShare;
  let high = Math.max(low, (share - floor) / factor);
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const rising = factor * slope(canary, factor * middle + floor) + slope(stable, middle) > 0;
    if (rising) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Zero bad (or zero good) requests add nothing, at whatever share: 0 x log 0 is 0. */
function logLikelihood({ n, bad }: Arm, share: number): number {
  const good = n - bad;
  return (bad === 0 ? 0 : bad * Math.log(share)) + (good === 0 ? 0 : good * Math.log1p(-share));
}

function slope({ n, bad }: Arm, share: number): number {
  const good = n - bad;
  return (bad === 0 ? 0 : bad / share) - (good === 0 ? 0 : good / (1 - share));
}
