/** Bursts of failures: what the bench draws beside what `src/lib/draws.ts` does. */
import { poisson } from '../../src/lib/draws.ts';
import type { Uniform } from '../../src/lib/draws.ts';

/** Failures come in clusters of geometric size around `mean`: one client that retries, one connection that breaks. */
export function clustered(random: Uniform, n: number, share: number, mean: number): number {
  let bad = 0;
  for (let clusters = poisson(random, (n * share) / mean); clusters > 0; clusters--) {
    bad += 1 + Math.floor(Math.log1p(-random()) / Math.log1p(-1 / mean));
  }
  return Math.min(n, bad);
}
