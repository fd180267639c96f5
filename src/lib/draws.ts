/**
 * Exact draws from the distributions that traffic is made of, from one injected uniform source. Few draws are made by
 * walking the distribution, many by rejection with a hat that fits (Hormann's BTRS and PTRS), so the cost does not grow
 * with the number of requests.
 * Source: Hormann, "The generation of binomial random variates", 1993; "The transformed rejection method for generating
 * Poisson random variables", 1993.
 */

/** Uniform in [0, 1). */
export type Uniform = () => number;

/** Bad ones of `n` requests that go wrong independently of each other. */
export function binomial(random: Uniform, n: number, share: number): number {
  if (n <= 0 || share <= 0) return 0;
  if (share >= 1) return n;
  if (share > 0.5) return n - binomial(random, n, 1 - share);
  return n * share < 10 ? fewOf(random, n, share) : manyOf(random, n, share);
}

function fewOf(random: Uniform, n: number, share: number): number {
  const odds = share / (1 - share);
  let chance = Math.exp(n * Math.log1p(-share));
  let left = random();
  let count = 0;
  while (left > chance && count < n) {
    left -= chance;
    count++;
    chance *= (odds * (n - count + 1)) / count;
  }
  return count;
}

function manyOf(random: Uniform, n: number, share: number): number {
  const deviation = Math.sqrt(n * share * (1 - share));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * share;
  const middle = n * share + 0.5;
  const inner = 0.92 - 4.2 / b;
  const hat = (2.83 + 5.1 / b) * deviation;
  const logOdds = Math.log(share / (1 - share));
  const mode = Math.floor((n + 1) * share);
  const atMode = logFactorial(mode) + logFactorial(n - mode);
  for (;;) {
    const across = random() - 0.5;
    const height = random();
    const edge = 0.5 - Math.abs(across);
    const count = Math.floor(((2 * a) / edge + b) * across + middle);
    if (edge >= 0.07 && height <= inner) return count;
    if (count < 0 || count > n) continue;
    const bound = atMode - logFactorial(count) - logFactorial(n - count) + (count - mode) * logOdds;
    if (Math.log((height * hat) / (a / (edge * edge) + b)) <= bound) return count;
  }
}

/** Arrivals in an interval that brings `mean` of them on average. */
export function poisson(random: Uniform, mean: number): number {
  if (mean <= 0) return 0;
  return mean < 10 ? fewArrivals(random, mean) : manyArrivals(random, mean);
}

function fewArrivals(random: Uniform, mean: number): number {
  let chance = Math.exp(-mean);
  let left = random();
  let count = 0;
  while (left > chance && count < 1000) {
    left -= chance;
    count++;
    chance *= mean / count;
  }
  return count;
}

function manyArrivals(random: Uniform, mean: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const hat = 1.1239 + 1.1328 / (b - 3.4);
  const inner = 0.9277 - 3.6224 / (b - 2);
  const logMean = Math.log(mean);
  for (;;) {
    const across = random() - 0.5;
    const height = random();
    const edge = 0.5 - Math.abs(across);
    const count = Math.floor(((2 * a) / edge + b) * across + mean + 0.43);
    if (edge >= 0.07 && height <= inner) return count;
    if (count < 0 || (edge < 0.013 && height > edge)) continue;
    if (Math.log((height * hat) / (a / (edge * edge) + b)) <= count * logMean - mean - logFactorial(count)) return count;
  }
}

/** Standard normal; every second call costs nothing (Marsaglia's polar method). */
export function normals(random: Uniform): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    for (;;) {
      const [x, y] = [2 * random() - 1, 2 * random() - 1];
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * scale;
      return x * scale;
    }
  };
}

const TABLE = new Float64Array(1024);
for (let n = 2; n < TABLE.length; n++) TABLE[n] = (TABLE[n - 1] ?? 0) + Math.log(n);

/** Natural logarithm of n!; beyond the table Stirling's series, which is exact to the last digit there. */
function logFactorial(n: number): number {
  const known = TABLE[n];
  if (known !== undefined) return known;
  return (n + 0.5) * Math.log(n) - n + 0.9189385332046727 + 1 / (12 * n) - 1 / (360 * n ** 3);
}
