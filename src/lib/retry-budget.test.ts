import { expect, it } from 'vitest';
import { freshBudget, noteAttempt, RETRY_BUDGET, takeRetry } from './retry-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Takes retries until one is refused. */
function drain(start: RetryBudget, nowMs: number): { readonly granted: number; readonly budget: RetryBudget } {
  let budget = start;
  for (let granted = 0; ; granted++) {
    const taken = takeRetry(budget, nowMs, RETRY_BUDGET);
    if (!taken.granted) return { granted, budget: taken.next };
    budget = taken.next;
  }
}

const empty = drain(freshBudget(0, RETRY_BUDGET), 0).budget;

it('grants the burst to a fresh caller, and then no more', () => {
  expect(drain(freshBudget(0, RETRY_BUDGET), 0).granted).toBe(5);
});

it('earns one retry with every ten first attempts', () => {
  let budget = empty;
  for (let attempt = 1; attempt <= 20; attempt++) budget = noteAttempt(budget, 0, RETRY_BUDGET);
  expect(drain(budget, 0).granted).toBe(2);
});

it('adds no more than a tenth and the burst when everything fails', () => {
  let budget = freshBudget(0, RETRY_BUDGET);
  let retries = 0;
  for (let attempt = 1; attempt <= 1000; attempt++) {
    const taken = takeRetry(noteAttempt(budget, 0, RETRY_BUDGET), 0, RETRY_BUDGET);
    if (taken.granted) retries++;
    budget = taken.next;
  }
  expect(retries).toBeGreaterThan(95);
  expect(retries).toBeLessThanOrEqual(105);
});

it('never saves up more than the burst', () => {
  let budget = freshBudget(0, RETRY_BUDGET);
  for (let attempt = 1; attempt <= 1000; attempt++) budget = noteAttempt(budget, 600_000, RETRY_BUDGET);
  expect(drain(budget, 600_000).granted).toBe(5);
});

it('fills up again with time', () => {
  expect(drain(empty, 11_999).granted).toBe(0);
  expect(drain(empty, 12_000).granted).toBe(1);
  expect(drain(empty, 60_000).granted).toBe(5);
});

it('earns nothing from a clock that goes back', () => {
  const late = drain(freshBudget(60_000, RETRY_BUDGET), 60_000).budget;
  const back = takeRetry(late, 0, RETRY_BUDGET);
  expect(back.granted).toBe(false);
  expect(takeRetry(back.next, 60_000, RETRY_BUDGET).granted).toBe(false);
});
