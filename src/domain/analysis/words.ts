/** Numbers in the sentences of verdicts: the same on every machine, whatever its language. */

/** `5.2 %`: two digits that matter, no more than a sample of some hundred requests can bear. */
export function shareWords(share: number): string {
  const percent = 100 * share;
  return `${percent < 99.5 ? +percent.toPrecision(2) : +percent.toFixed(1)} %`;
}

/** `4,500`. */
export const countWords = (count: number): string => String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** `1 request`, `4,500 requests`. */
export const plural = (count: number, noun: string): string => `${countWords(count)} ${noun}${count === 1 ? '' : 's'}`;

export const msWords = (ms: number): string => `${countWords(ms) === '0' ? numberWords(ms) : countWords(ms)} ms`;

export const numberWords = (value: number): string => String(+value.toPrecision(4));

/** `40 s`, `5 min`, `2.5 h`: near enough for a sentence. */
export function durationWords(durationMs: number): string {
  if (durationMs < 120_000) return `${+(durationMs / 1000).toFixed(durationMs < 10_000 ? 1 : 0)} s`;
  return durationMs < 7_200_000 ? `${Math.round(durationMs / 60_000)} min` : `${+(durationMs / 3_600_000).toFixed(1)} h`;
}

/** `5.2 % (26 of 500)`. */
export const armWords = ({ n, bad }: { readonly n: number; readonly bad: number }): string =>
  `${shareWords(n === 0 ? 0 : bad / n)} (${countWords(bad)} of ${countWords(n)})`;

export const againstWords = (stable: { readonly n: number; readonly bad: number }): string =>
  stable.n === 0 ? '' : ` against ${armWords(stable)} on stable`;
