/** Many checks, one verdict: the worst one speaks. A check that was never answered is inconclusive, and no data is never a pass. */
import type { Verdict } from './measurement.ts';

const WORST_FIRST: readonly Verdict[] = ['fail', 'error', 'no_data', 'inconclusive'];

/** `required` names the checks that count; with none of them there is nothing to wait for. */
export function overallVerdict(
  required: readonly string[],
  checks: Readonly<Record<string, { readonly verdict: Verdict }>>,
): Verdict {
  const verdicts = required.map((name) => checks[name]?.verdict ?? 'inconclusive');
  return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? 'pass';
}
