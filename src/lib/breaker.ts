/**
 * A circuit breaker as data. Closed until `failures` calls in a row have failed, then open for a while that doubles with
 * every failed probe, then one probe decides. Pure: the caller keeps the state and tells the (monotonic) time.
 */
export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number; readonly openings: number }
  | { readonly kind: 'probing'; readonly sinceMs: number; readonly openings: number };

export type BreakerOptions = {
  readonly failures: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
};

export const CLOSED: BreakerState = { kind: 'closed', failures: 0 };

/** May a call go out now? `next` is the state to keep: a probe is handed out once. A probe that never reports ends after `openMs`. */
export function admit(
  state: BreakerState,
  nowMs: number,
  options: BreakerOptions,
): { readonly admitted: boolean; readonly next: BreakerState } {
  const probe: BreakerState = {
    kind: 'probing',
    sinceMs: nowMs,
    openings: state.kind === 'closed' ? 0 : state.openings,
  };
  if (state.kind === 'closed') return { admitted: true, next: state };
  if (state.kind === 'open') return state.untilMs <= nowMs ? { admitted: true, next: probe } : { admitted: false, next: state };
  return state.sinceMs + options.openMs <= nowMs ? { admitted: true, next: probe } : { admitted: false, next: state };
}

export function report(state: BreakerState, healthy: boolean, nowMs: number, options: BreakerOptions): BreakerState {
  if (healthy) return CLOSED;
  if (state.kind === 'closed') {
    const failures = state.failures + 1;
    return failures < options.failures
      ? { kind: 'closed', failures }
      : { kind: 'open', untilMs: nowMs + options.openMs, openings: 1 };
  }
  if (state.kind === 'open') return state;
  const openMs = Math.min(options.maxOpenMs, options.openMs * 2 ** state.openings);
  return { kind: 'open', untilMs: nowMs + openMs, openings: state.openings + 1 };
}
