/**
 * Every call out of the process: with a deadline that holds even when the callee ignores its signal, and a breaker per
 * dependency. A breaker never blocks a lowering. Nothing is retried here: retrying is the state machine's, where it is
 * visible and durable.
 */
import { admit, CLOSED, report } from '../lib/breaker.ts';
import type { BreakerState } from '../lib/breaker.ts';
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts';
import { freshBudget, noteAttempt, RETRY_BUDGET, takeRetry } from '../lib/retry-budget.ts';
import type { RetryBudget } from '../lib/retry-budget.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Recorder } from '../ports/recorder.ts';

export type CallSpec = {
  /** Names what a breaker stands for: `router eu-haproxy`, `provider prom`. */
  readonly dependency: string;
  readonly ms: number;
  readonly signal: AbortSignal;
  /** Lowers exposure: tried whatever the breaker and the budget say. */
  readonly lowering: boolean;
  /** The same was tried before and failed: counts against the dependency's budget of retries. */
  readonly isRetry?: boolean;
};

export type Calls = {
  /** The error is one sentence for people. `isHealthy` says whether an answer counts for or against the dependency. */
  call<T>(spec: CallSpec, run: (signal: AbortSignal) => Promise<T>, isHealthy: (value: T) => boolean): Promise<Result<T, string>>;
  /** Dependencies whose breaker is not closed, for health pages. */
  open(): readonly string[];
  /** How the breaker of a dependency stands; one that was never called is closed. */
  breaker(dependency: string): Standing;
};

/** `retryMs`: how long an open one lets nothing through, from now. */
export type Standing = { readonly state: BreakerState['kind']; readonly failures: number; readonly retryMs: number | null };

const BREAKER = { failures: 5, openMs: 5_000, maxOpenMs: 60_000 };

export function calls(clock: Clock, recorder: Recorder): Calls {
  const breakers = new Map<string, BreakerState>();
  const budgets = new Map<string, RetryBudget>();
  const keep = (dependency: string, next: BreakerState): void => {
    const before = breakers.get(dependency) ?? CLOSED;
    breakers.set(dependency, next);
    if ((before.kind === 'closed') !== (next.kind === 'closed')) recorder.breaker(dependency, next.kind !== 'closed');
  };
  const reportOf = (dependency: string, healthy: boolean): void =>
    keep(dependency, report(breakers.get(dependency) ?? CLOSED, healthy, clock.monotonicMs(), BREAKER));
  /** First attempts earn retries; a dependency in trouble is not asked many times more than one that is well. */
  const affordable = (dependency: string, isRetry: boolean): boolean => {
    const nowMs = clock.monotonicMs();
    const before = budgets.get(dependency) ?? freshBudget(nowMs, RETRY_BUDGET);
    const { granted, next } = isRetry
      ? takeRetry(before, nowMs, RETRY_BUDGET)
      : { granted: true, next: noteAttempt(before, nowMs, RETRY_BUDGET) };
    budgets.set(dependency, next);
    return granted;
  };
  return {
    async call(spec, run, isHealthy) {
      const { dependency, ms, signal, lowering, isRetry = false } = spec;
      if (!affordable(dependency, isRetry) && !lowering) return err(`${dependency} has had its share of retries for the moment`);
      const { admitted, next } = admit(breakers.get(dependency) ?? CLOSED, clock.monotonicMs(), BREAKER);
      if (!admitted && !lowering)
        return err(`${dependency} failed ${BREAKER.failures} times in a row and is left alone for a moment`);
      if (admitted) keep(dependency, next);
      try {
        const value = await withDeadline(clock, { ms, signal }, run);
        reportOf(dependency, isHealthy(value));
        return ok(value);
      } catch (error) {
        // Our own cancelling says nothing about the dependency, and is not its answer.
        if (signal.aborted) throw error;
        reportOf(dependency, false);
        return err(error instanceof DeadlineExceeded ? `${dependency}: ${error.message}` : `${dependency}: ${String(error)}`);
      }
    },
    open: () => [...breakers].filter(([, state]) => state.kind !== 'closed').map(([dependency]) => dependency),
    breaker(dependency) {
      const state = breakers.get(dependency) ?? CLOSED;
      const retryMs = state.kind === 'open' ? Math.max(0, state.untilMs - clock.monotonicMs()) : null;
      return { state: state.kind, failures: state.kind === 'closed' ? state.failures : BREAKER.failures, retryMs };
    },
  };
}
