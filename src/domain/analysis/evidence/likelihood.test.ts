/**
 * The promise that all others rest on, by summing over every outcome of one interval: whatever stable's rate is, a canary
 * at the limit of what is tolerated multiplies no bet by more than 1 on average.
 */
import { expect, it } from 'vitest';
import { prng } from '../../../lib/prng.ts';
import { fewerAlternatives, multiple, rateAlternatives, shareAlternatives } from './alternatives.ts';
import { arm } from './evidence.fixtures.ts';
import { closestShare, logRates, logRatio, logShare, logShares } from './likelihood.ts';
import type { Alternative, Limit } from './likelihood.ts';
import { NOT_TO_MISS } from './proof.ts';

/** Chances of 0, 1 ... n bad requests. */
function binomials(n: number, share: number): number[] {
  const chances = [];
  let logChoose = 0;
  for (let bad = 0; bad <= n; bad++) {
    if (bad > 0) logChoose += Math.log((n - bad + 1) / bad);
    const hit = bad === 0 ? 0 : bad * Math.log(share);
    const miss = n === bad ? 0 : (n - bad) * Math.log1p(-share);
    chances.push(Math.exp(logChoose + hit + miss));
  }
  return chances;
}

function poissons(mean: number, most: number): number[] {
  const chances = [Math.exp(-mean)];
  for (let events = 1; events <= most; events++) chances.push(((chances[events - 1] ?? 0) * mean) / events);
  return chances;
}

/** The mean of an e-value over all outcomes of both arms. */
const meanOf = (canary: readonly number[], stable: readonly number[], e: (bad: number, worse: number) => number): number =>
  canary.reduce((sum, p, bad) => sum + p * stable.reduce((inner, q, worse) => inner + q * Math.exp(e(bad, worse)), 0), 0);

type Case = { readonly n: number; readonly m: number; readonly limit: Limit; readonly bet: Alternative };

/** Seeded cases of all sizes: small and large shares, margins, floors. */
function* cases(count: number, form: typeof shareAlternatives | typeof rateAlternatives): Generator<Case> {
  const random = prng(11);
  for (let found = 0; found < count;) {
    const limit = {
      factor: [1, 1.1, 1.25, 2][Math.floor(4 * random())] ?? 1,
      floor: [0, 0, 1e-4, 0.01, 0.05][Math.floor(5 * random())] ?? 0,
    };
    const guess = Math.exp(Math.log(0.002) + Math.log(300) * random());
    const bet = form(guess, limit)(Math.exp(Math.log(64) * random()));
    if (bet === null) continue;
    found++;
    yield { n: 1 + Math.floor(60 * random()), m: 1 + Math.floor(60 * random()), limit, bet };
  }
}

const SHARES = [1e-4, 0.001, 0.005, 0.01, 0.03, 0.07, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9];

it('multiplies no bet by more than 1 on average, for shares at the limit and below', () => {
  let most = 0;
  for (const { n, m, limit, bet } of [...cases(60, shareAlternatives), ...cases(60, fewerAlternatives)]) {
    for (const stable of SHARES) {
      const atLimit = limit.factor * stable + limit.floor;
      if (atLimit >= 1) continue;
      for (const canary of [atLimit, 0.7 * atLimit]) {
        const e = (bad: number, worse: number): number => logShares(arm(n, bad), arm(m, worse), bet, limit);
        most = Math.max(most, meanOf(binomials(n, canary), binomials(m, stable), e));
      }
    }
  }
  expect(most).toBeLessThanOrEqual(1 + 1e-9);
  expect(most).toBeGreaterThan(0.99); // and not by being worth nothing
});

it('is more than 1 on average where the canary is as bad as the bet says', () => {
  for (const { n, m, limit, bet } of cases(20, shareAlternatives)) {
    const e = (bad: number, worse: number): number => logShares(arm(n, bad), arm(m, worse), bet, limit);
    expect(meanOf(binomials(n, bet.canary), binomials(m, bet.stable), e)).toBeGreaterThan(1);
  }
});

it('multiplies no bet by more than 1 on average, for events of rates and for rare bad requests', () => {
  let most = 0;
  for (const { n, m, limit, bet } of cases(40, rateAlternatives)) {
    for (const stable of SHARES) {
      const canary = limit.factor * stable + limit.floor;
      const e = (bad: number, worse: number): number => logRates(arm(n, bad), arm(m, worse), bet, limit);
      const [mean, other] = [n * canary, m * stable];
      const far = (of: number): number => Math.ceil(of + 14 * Math.sqrt(of) + 30);
      most = Math.max(most, meanOf(poissons(mean, far(mean)), poissons(other, far(other)), e));
      if (canary < 1) most = Math.max(most, meanOf(binomials(n, canary), binomials(m, stable), e));
    }
  }
  expect(most).toBeLessThanOrEqual(1 + 1e-9);
  expect(most).toBeGreaterThan(0.9999);
});

it('multiplies no bet against a promised limit by more than 1 on average', () => {
  for (const limit of [0.001, 0.01, 0.2, 0.6])
    for (const ratio of [1.15, 2, 10, 64])
      for (const share of [limit, limit / 2]) {
        const e = (bad: number): number => logShare(arm(60, bad), multiple(limit, ratio), limit);
        expect(meanOf(binomials(60, share), [1], e)).toBeLessThanOrEqual(1 + 1e-9);
      }
});

it('stays a bet when it is divided by a dispersion, or cut off', () => {
  for (const { n, m, limit, bet } of cases(15, shareAlternatives)) {
    const e = (bad: number, worse: number): number => logShares(arm(n, bad), arm(m, worse), bet, limit);
    const canary = binomials(n, Math.min(0.99, limit.factor * 0.05 + limit.floor));
    expect(meanOf(canary, binomials(m, 0.05), (bad, worse) => e(bad, worse) / 1.7)).toBeLessThanOrEqual(1 + 1e-9);
    expect(meanOf(canary, binomials(m, 0.05), (bad, worse) => Math.min(e(bad, worse), 0.5))).toBeLessThanOrEqual(1 + 1e-9);
  }
});

it('proves "not twice as bad" of a canary that is twice as bad by no more than 1 on average', () => {
  for (const [n, m] of [
    [10, 60],
    [60, 60],
    [60, 5],
  ] as const)
    for (const stable of [0.01, 0.1, 0.4])
      for (const part of [0.1, 0.4, 0.87]) {
        const e = (bad: number, worse: number): number =>
          logRatio(arm(n, bad), arm(m, worse))(NOT_TO_MISS * part) - logRatio(arm(n, bad), arm(m, worse))(NOT_TO_MISS);
        const poisson = meanOf(poissons(n * NOT_TO_MISS * stable, 150), poissons(m * stable, 90), e);
        expect(poisson).toBeLessThanOrEqual(1 + 1e-9);
      }
});

it('grows with every bad request of the canary and sinks with every one of stable', () => {
  for (const { n, m, limit, bet } of cases(200, shareAlternatives)) {
    const e = (bad: number, worse: number): number => logShares(arm(n, bad), arm(m, worse), bet, limit);
    for (let bad = 1; bad <= n; bad += 7) expect(e(bad, 0)).toBeGreaterThan(e(bad - 1, 0));
    for (let worse = 1; worse <= m; worse += 7) expect(e(0, worse)).toBeLessThan(e(0, worse - 1));
  }
});

it('is worth the same for rates however an interval is cut, and in whatever unit they are counted', () => {
  for (const { n, m, limit, bet } of cases(200, rateAlternatives)) {
    const whole = logRates(arm(n, 5), arm(m, 3), bet, limit);
    const parts = logRates(arm(0.4 * n, 2), arm(0.4 * m, 0), bet, limit) + logRates(arm(0.6 * n, 3), arm(0.6 * m, 3), bet, limit);
    expect(parts).toBeCloseTo(whole, 9);
    const inHours = logRates(
      arm(n / 3600, 5),
      arm(m / 3600, 3),
      { canary: 3600 * bet.canary, stable: 3600 * bet.stable },
      { factor: limit.factor, floor: 3600 * limit.floor },
    );
    expect(inHours).toBeCloseTo(whole, 9);
  }
});

it('finds the projection between stable and the limit, however large the shares are', () => {
  for (const { n, m, limit, bet } of [...cases(5000, shareAlternatives), ...cases(5000, fewerAlternatives)]) {
    const stable = closestShare(n, m, bet, limit);
    const canary = limit.factor * stable + limit.floor;
    expect(stable).toBeGreaterThanOrEqual(bet.stable - 1e-9);
    expect(canary).toBeLessThanOrEqual(bet.canary + 1e-9);
    const pull = (share: number, at: number): number => (share - at) / (at * (1 - at));
    const slope = n * limit.factor * pull(bet.canary, canary) + m * pull(bet.stable, stable);
    expect(Math.abs(slope) / (n + m)).toBeLessThan(1e-4);
  }
});

it('bets on nothing where everything is tolerated', () => {
  for (const [stable, limit] of [
    [0.95, { factor: 1.1, floor: 1e-4 }],
    [0.8, { factor: 1.25, floor: 0 }],
    [0.6, { factor: 2, floor: 0 }],
    [0.2, { factor: 1, floor: 0.8 }],
    [1, { factor: 1, floor: 0 }],
  ] as const)
    for (const ratio of [1.15, 3, 64]) expect(shareAlternatives(stable, limit)(ratio)).toBeNull();
});
