/** Distribution functions, to about twelve digits. Sources: Numerical Recipes 6.2 and 6.4 in idea; Abramowitz and Stegun 26.2.12, 6.1. */

/** Log of the standard normal distribution function, also far out where it is nothing but its logarithm. */
export function logNormalBelow(x: number): number {
  if (x < -8) {
    const squared = x * x;
    const series = 1 - 1 / squared + 3 / squared ** 2 - 15 / squared ** 3 + 105 / squared ** 4;
    return -squared / 2 - Math.log(-x) - 0.5 * Math.log(2 * Math.PI) + Math.log(series);
  }
  return x > 0 ? Math.log1p(-upperTail(x)) : Math.log(upperTail(-x));
}

/** Chance of more than x >= 0: half the regularised upper incomplete gamma function of (1/2, x²/2). */
function upperTail(x: number): number {
  const half = (x * x) / 2;
  return x < 2 ? 0.5 * (1 - gammaSeries(half)) : 0.5 * gammaFraction(half);
}

function gammaSeries(x: number): number {
  if (x === 0) return 0;
  let term = 2;
  let sum = term;
  for (let n = 1.5; Math.abs(term) > 1e-17 * sum; n++) {
    term *= x / n;
    sum += term;
  }
  return (sum * Math.sqrt(x) * Math.exp(-x)) / Math.sqrt(Math.PI);
}

function gammaFraction(x: number): number {
  const tiny = 1e-300;
  let b = x + 0.5;
  let c = 1 / tiny;
  let d = 1 / b;
  let product = d;
  for (let i = 1; i < 300; i++) {
    const a = -i * (i - 0.5);
    b += 2;
    d = 1 / nonZero(a * d + b);
    c = nonZero(b + a / c);
    product *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return (product * Math.sqrt(x) * Math.exp(-x)) / Math.sqrt(Math.PI);
}

const nonZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);

/** Student's distribution function. */
export function studentBelow(t: number, freedom: number): number {
  const tail = 0.5 * incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let product = d;
  for (let m = 1; m < 500; m++) {
    for (const term of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / nonZero(1 + term * d);
      c = nonZero(1 + term / c);
      product *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return product;
}

/** Lanczos' approximation with g = 7. */
const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13, -176.615_029_162_140_59,
  12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6, 1.505_632_735_149_311_6e-7,
];
function logGamma(x: number): number {
  const [first = 0, ...rest] = LANCZOS;
  const shifted = x - 1;
  const sum = rest.reduce((total, factor, index) => total + factor / (shifted + index + 1), first);
  const t = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}
