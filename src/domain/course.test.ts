import { expect, it } from 'vitest';
import { aPlan, atFirstStep, HOUR, MINUTE, passStep, ratio, SECOND, story, threshold, weightStep } from '../../test/story.ts';
import { checksNow, isAbsolute, nextOf, requiredNow, weightStep as stepOf } from './course.ts';
import { Weight } from './ids.ts';

const checks = { errors: ratio('errors'), cpu: threshold('cpu'), slow: ratio('slow', true) };
const all = Object.keys(checks);
const plan = aPlan({
  checks,
  steps: [
    weightStep(10, { checks: all }),
    { kind: 'pause', forMs: MINUTE, otherwise: 'continue' },
    weightStep(50, { checks: ['errors'] }),
  ],
});
const pass = { errors: 'pass', cpu: 'pass', slow: 'pass' } as const;

it('measures nothing while no traffic is on the canary', () => {
  const told = story({ plan });
  expect(checksNow(told.release)).toEqual([]);
  expect(checksNow(told.ask('rollback').release)).toEqual([]);
});

it('measures the first step while its weight is on the way', () => {
  expect(checksNow(story({ plan }).prepared().release).map(({ name }) => name)).toEqual(all);
});

it('requires all that is measured but what is only watched', () => {
  const { release } = atFirstStep({ plan });
  expect(checksNow(release).map(({ name }) => name)).toEqual(all);
  expect(requiredNow(release)).toEqual(['errors', 'cpu']);
});

it('keeps judging at a gate by the checks of the step before it', () => {
  const told = atFirstStep({ plan })
    .wait(5 * MINUTE)
    .see(pass);
  expect(told.release).toMatchObject({ step: 1, phase: { kind: 'paused' } });
  expect(stepOf(told.release)).toBe(plan.steps[0]);
  expect(requiredNow(told.release)).toEqual(['errors', 'cpu']);
});

it('requires every check of the plan in the bake, and at full weight those that need no stable traffic', () => {
  const told = atFirstStep({ plan: aPlan({ checks, steps: [weightStep(50)], bake: { forMs: HOUR, holdBack: Weight(500) } }) });
  passStep(told, pass);
  expect(told.release.phase.kind).toBe('baking');
  expect(requiredNow(told.release)).toEqual(['errors', 'cpu']);
  told.wait(HOUR).see(pass);
  expect(told.release.wanted).toBe(10_000);
  expect(requiredNow(told.release)).toEqual(['cpu']);
});

it('calls a check absolute when it has a limit of its own', () => {
  const relative = ratio('errors');
  expect(isAbsolute(relative)).toBe(false);
  expect(relative.kind === 'ratio' && isAbsolute({ ...relative, hardMax: 0.5 })).toBe(true);
  expect(isAbsolute(threshold('cpu'))).toBe(true);
  const latency = {
    ...relative,
    kind: 'latency',
    quantile: 0.95,
    tolerance: 0.2,
    maxMs: null,
    hardMaxMs: null,
    minRequests: 1,
    weight: 1,
  } as const;
  expect(isAbsolute(latency)).toBe(false);
  expect(isAbsolute({ ...latency, maxMs: 300 })).toBe(true);
});

it('knows what comes after each place, and promotes after the bake', () => {
  const told = atFirstStep({
    plan: aPlan({ steps: [weightStep(10), weightStep(50)], bake: { forMs: HOUR, holdBack: Weight(500) } }),
  });
  expect(nextOf(told.release)).toEqual({ kind: 'step', step: 1 });
  expect(nextOf(passStep(told).release)).toEqual({ kind: 'bake' });
  expect(nextOf(passStep(told).release)).toEqual({ kind: 'promotion' });
  expect(nextOf(told.ask('pause').release)).toEqual({ kind: 'promotion' });
});

it('sends a first release straight to full weight', () => {
  const told = story({ first: true, stableVersion: null }).prepared();
  expect(told.release).toMatchObject({ wanted: 10_000, phase: { goal: { kind: 'full' } } });
  expect(
    told
      .shifted()
      .wait(30 * SECOND)
      .see(null).release.phase.kind,
  ).toBe('promoted');
  expect(told.events.map(({ type }) => type)).not.toContain('step.entered');
});
