/** Exponential backoff with full jitter, as a number and not a policy object: the state machine owns retrying. */
export type Backoff = { readonly firstMs: number; readonly maxMs: number };

/** Milliseconds to wait before attempt `attempt` (1 is the first retry); `random` is uniform in [0, 1). */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
