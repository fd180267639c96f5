import { expect, it } from 'vitest';
import { boundAt, quantileOf, requestsAbove } from './histogram.ts';

const boundsMs = [100, 250, 500];

it('interpolates a quantile inside its bucket', () => {
  expect(quantileOf({ boundsMs, counts: [50, 50, 0, 0] }, 0.75)).toEqual({ ms: 175, atLeast: false });
  expect(quantileOf({ boundsMs, counts: [50, 50, 0, 0] }, 0.5)).toEqual({ ms: 100, atLeast: false });
});

it('says of a quantile in the open bucket only that it is at least so much', () => {
  expect(quantileOf({ boundsMs, counts: [50, 0, 0, 50] }, 0.99)).toEqual({ ms: 500, atLeast: true });
});

it('has no quantile without requests', () => {
  expect(quantileOf({ boundsMs, counts: [0, 0, 0, 0] }, 0.5)).toBeNull();
  expect(quantileOf({ boundsMs, counts: [] }, 0.5)).toBeNull();
});

it('rounds a quantile up to a bound that is there, and to the largest one beyond', () => {
  expect(boundAt({ boundsMs, counts: [90, 9, 1, 0] }, 0.95)).toBe(250);
  expect(boundAt({ boundsMs, counts: [95, 5, 0, 0] }, 0.95)).toBe(100);
  expect(boundAt({ boundsMs, counts: [50, 0, 0, 50] }, 0.95)).toBe(500);
});

it('counts what is slower than a bound exactly, and inside a bucket in proportion', () => {
  const histogram = { boundsMs, counts: [10, 20, 40, 5] };
  expect(requestsAbove(histogram, 100)).toBe(65);
  expect(requestsAbove(histogram, 250)).toBe(45);
  expect(requestsAbove(histogram, 175)).toBe(55);
  expect(requestsAbove(histogram, 9000)).toBe(5);
});
