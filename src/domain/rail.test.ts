import { expect, it } from 'vitest';
import { aPlan, atFirstStep, MINUTE, NOON, passStep, story, weightStep } from '../../test/story.ts';
import { Weight } from './ids.ts';
import { rail } from './rail.ts';
import { upcoming } from './upcoming.ts';

const plan = aPlan({
  steps: [weightStep(1), { kind: 'pause', forMs: MINUTE, otherwise: 'continue' }, weightStep(50)],
  bake: { forMs: 5 * MINUTE, holdBack: Weight(1_000) },
});

it('knows the whole way before the first step', () => {
  const told = story({ plan });
  const { stops } = rail(told.release, told.events);
  expect(stops.map(({ kind, step, state }) => [kind, step, state])).toEqual([
    ['weight', 1, 'ahead'],
    ['pause', 2, 'ahead'],
    ['weight', 3, 'ahead'],
    ['bake', null, 'ahead'],
    ['end', null, 'ahead'],
  ]);
});

it('notes when each place was entered and left, and when the present one may be left', () => {
  const told = passStep(atFirstStep({ plan })).wait(MINUTE);
  const { stops } = rail(told.release, told.events);
  expect(stops[0]).toMatchObject({ state: 'past', enteredAt: NOON, leftAt: NOON + 5 * MINUTE });
  expect(stops[1]).toMatchObject({ state: 'current', enteredAt: NOON + 5 * MINUTE, until: NOON + 6 * MINUTE });
  expect(stops[2]).toMatchObject({ state: 'ahead', enteredAt: null });
});

it('has what is left of a place that is paused, and not the deadline of the release', () => {
  const told = atFirstStep({ plan })
    .see('pass')
    .wait(2 * MINUTE)
    .ask('pause')
    .wait(MINUTE);
  expect(rail(told.release, told.events).stops[0]).toMatchObject({ state: 'current', until: null, remainingMs: 3 * MINUTE });
  expect(upcoming(told.release)?.sentence).toBe('is rolled back');
  const gate = passStep(atFirstStep({ plan })).ask('pause');
  expect(rail(gate.release, gate.events).stops[1]).toMatchObject({ state: 'current', until: null, remainingMs: null });
});

it('says of places that were passed over, and of those that were never come to', () => {
  const plain = aPlan();
  const skipping = atFirstStep({ plan: plain })
    .see('pass')
    .wait(1)
    .ask('promote', { full: true, reason: 'known good' })
    .shifted();
  expect(rail(skipping.release, skipping.events).stops.map(({ state }) => state)).toEqual([
    'past',
    'skipped',
    'skipped',
    'current',
  ]);
  const back = passStep(atFirstStep({ plan: plain }))
    .ask('rollback')
    .shifted();
  expect(rail(back.release, back.events).stops.map(({ state }) => state)).toEqual(['past', 'past', 'never', 'never']);
});

it('has every change of weight, wanted and seen', () => {
  const told = passStep(atFirstStep()).ask('rollback').shifted();
  const pairs = rail(told.release, told.events).weights.map(({ wanted, served }) => [wanted, served]);
  expect(pairs).toEqual([
    [0, 0],
    [100, 0],
    [100, 100],
    [1000, 100],
    [1000, 1000],
    [0, 1000],
    [0, 0],
  ]);
});

it('knows only the plan once the log was dropped for its age', () => {
  const told = passStep(atFirstStep());
  const { stops, weights } = rail(told.release, told.events.slice(3));
  expect(weights).toEqual([]);
  expect(stops[1]).toMatchObject({ state: 'current', enteredAt: null });
});

it('counts down to what happens next', () => {
  const told = atFirstStep({ plan });
  expect(upcoming(told.release)).toEqual({
    at: NOON + 5 * MINUTE,
    sentence: 'may go on to step 2 of 3, a pause of 1m, once its checks pass',
  });
  told.see('pass');
  expect(upcoming(told.release)?.sentence).toBe('may go on to step 2 of 3, a pause of 1m');
  passStep(told);
  expect(upcoming(told.release)).toEqual({ at: NOON + 6 * MINUTE, sentence: 'goes on to step 3 of 3, 50 %' });
  told.ask('pause').ask('rollback');
  expect(upcoming(told.release)).toBeNull();
});
