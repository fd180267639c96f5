/** One sentence for a whole plan: everything that makes people wait, and nothing twice. */
import { expect, test } from 'vitest';
import { aPlan, MINUTE, threshold, weightStep } from '../../test/story.ts';
import { outline } from './outline.ts';
import { Weight } from './ids.ts';

test('weights that are held equally long are said together, and gates stand between them', () => {
  const plan = aPlan({
    steps: [
      weightStep(1, { holdMs: 5 * MINUTE, checks: ['cpu'] }),
      weightStep(10, { holdMs: 5 * MINUTE, checks: ['cpu'] }),
      { kind: 'approve', by: 2, withinMs: 30 * MINUTE, otherwise: 'rollback' },
      { kind: 'pause', forMs: 2 * MINUTE, otherwise: 'continue' },
      weightStep(50, { holdMs: 10 * MINUTE, checks: ['cpu'] }),
    ],
    bake: { forMs: 60 * MINUTE, holdBack: Weight(500) },
    checks: { cpu: threshold('cpu') },
    deadlineMs: 24 * 60 * MINUTE,
  });
  expect(outline(plan, 30_000)).toBe(
    'takes 1 % and 10 % of the traffic for 5m each, the approval of 2 people within 30m, a pause of 2m at most, 50 % of the traffic for 10m then 95 % for 1h to bake; cpu must pass on the way; promoted after 1h22m30s at the soonest, and taken back when that has not come within 1d',
  );
});

test('a plan that nothing judges says so', () => {
  const plan = aPlan({ steps: [weightStep(100, { holdMs: MINUTE, checks: [] })], bake: null, checks: {} });
  expect(outline(plan, 1_000)).toMatch(/^takes 100 % of the traffic for 1m; nothing judges it on the way; promoted after 1m1s /);
});
