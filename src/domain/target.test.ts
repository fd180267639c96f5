import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Weight } from './ids.ts';
import { canarySlot, canaryWeight, secondShare } from './target.ts';

const slots = ['blue', 'green'] as const;
const weight = fc.integer({ min: 0, max: 10_000 }).map(Weight);

it('has the canary in the slot that is not stable', () => {
  expect(canarySlot(slots, 'blue')).toBe('green');
  expect(canarySlot(slots, 'green')).toBe('blue');
});

it('maps the weight of the canary to the share of the second slot and back', () => {
  fc.assert(
    fc.property(
      weight,
      fc.constantFrom(...slots),
      (given, stable) => canaryWeight(slots, stable, secondShare(slots, stable, given)) === given,
    ),
  );
});

it('gives the slots shares that sum to the whole in either role', () => {
  fc.assert(fc.property(weight, (given) => secondShare(slots, 'blue', given) + secondShare(slots, 'green', given) === 10_000));
});

it('moves no traffic when the roles swap at full weight', () => {
  expect(secondShare(slots, 'blue', Weight(10_000))).toBe(secondShare(slots, 'green', Weight(0)));
});
