/**
 * How many retries a dependency may be asked to bear: a share of the first attempts, and a few on top. When everything
 * fails, retries then add a tenth to the load instead of multiplying it. A token bucket as data; the caller keeps the
 * state. The burst comes back with time, so that a quiet caller is not left without any retry for ever.
 */
export type RetryBudget = { readonly tokens: number; readonly atMs: number };

export type RetryBudgetOptions = {
  /** Retries earned by one first attempt: 0.1 is one in ten. */
  readonly share: number;
  /** Most tokens that can be saved up, and what a fresh budget has. */
  readonly burst: number;
  /** In how long an empty budget is full again without any attempt. */
  readonly refillMs: number;
};

export const RETRY_BUDGET: RetryBudgetOptions = { share: 0.1, burst: 5, refillMs: 60_000 };

export const freshBudget = (nowMs: number, options: RetryBudgetOptions): RetryBudget => ({
  tokens: options.burst,
  atMs: nowMs,
});

/** To be told of every first attempt. */
export function noteAttempt(budget: RetryBudget, nowMs: number, options: RetryBudgetOptions): RetryBudget {
  return earn(refilled(budget, nowMs, options), options.share, options);
}

/** May this retry go out? `next` is the state to keep. */
export function takeRetry(
  budget: RetryBudget,
  nowMs: number,
  options: RetryBudgetOptions,
): { readonly granted: boolean; readonly next: RetryBudget } {
  const now = refilled(budget, nowMs, options);
  // Ten times a tenth is a little less than one in binary.
  const granted = 1 - 1e-9 <= now.tokens;
  return { granted, next: granted ? { ...now, tokens: Math.max(0, now.tokens - 1) } : now };
}

/** A clock that stands or goes back earns nothing. */
function refilled(budget: RetryBudget, nowMs: number, options: RetryBudgetOptions): RetryBudget {
  const elapsedMs = Math.max(0, nowMs - budget.atMs);
  return earn({ ...budget, atMs: budget.atMs + elapsedMs }, (options.burst * elapsedMs) / options.refillMs, options);
}

const earn = (budget: RetryBudget, tokens: number, { burst }: RetryBudgetOptions): RetryBudget => ({
  ...budget,
  tokens: Math.min(burst, budget.tokens + tokens),
});
