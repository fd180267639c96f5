/** How many canary requests at a weight a pass needs: as many as show a regression worth seeing, unless the plan says how many. */
import { unreachable } from '../../lib/assert.ts';
import type { EvidenceCheck } from '../plan.ts';
import { requestsToSee, TO_SEE, worthSeeing } from './evidence/planning.ts';

/** `share` of stable's requests is bad, null where that is not known yet; `alpha` is this check's part of the release's. */
export function neededRequests(check: EvidenceCheck, share: number | null, alpha: number): number | null {
  if (check.kind === 'gauge') return null;
  if (check.minRequests !== null) return check.minRequests;
  const toSee = (from: number): number => requestsToSee(from, worthSeeing(from), alpha);
  switch (check.kind) {
    case 'rate':
      return null;
    case 'slo':
      return toSee(check.max);
    case 'ratio':
      return check.worse === 'lower' ? toSeeFewer(share, alpha) : toSee(share ?? check.max ?? 0);
    case 'latency':
      return toSee(1 - check.quantile);
    default:
      return unreachable(check);
  }
}

/** Where fewer is worse: a third of what stable has. Null where stable has nothing to be fewer than. */
const toSeeFewer = (share: number | null, alpha: number): number | null =>
  share === null || share === 0 ? null : requestsToSee(share, share / TO_SEE, alpha);
