import { describe, expect, it } from 'vitest';
import { ann, aPlan, atFirstStep, bob, ci, HOUR, MINUTE, passStep, story, types, weightStep } from '../../test/story.ts';
import { Weight } from './ids.ts';
import type { Step } from './plan.ts';

const approve = (by: number, otherwise: 'continue' | 'rollback' = 'rollback'): Step => ({
  kind: 'approve',
  by,
  withinMs: 4 * HOUR,
  otherwise,
});
const pause: Step = { kind: 'pause', forMs: 10 * MINUTE, otherwise: 'continue' };
const gated = (gate: Step) =>
  atFirstStep({ plan: aPlan({ steps: [weightStep(10), gate, weightStep(50)] }) })
    .wait(5 * MINUTE)
    .see('pass');

describe('pause and resume', () => {
  it('gives back the time that a step had left', () => {
    const told = atFirstStep()
      .wait(2 * MINUTE)
      .ask('pause')
      .wait(HOUR)
      .ask('resume');
    expect(told.release.phase).toEqual({ kind: 'watching', since: told.now, until: told.now + 3 * MINUTE });
  });

  it('gives back the time that the bake had left', () => {
    const told = passStep(
      atFirstStep({ plan: aPlan({ steps: [weightStep(50)], bake: { forMs: HOUR, holdBack: Weight(1000) } }) }),
    );
    told
      .wait(20 * MINUTE)
      .ask('pause')
      .wait(HOUR)
      .ask('resume');
    expect(told.release.phase).toEqual({ kind: 'baking', since: told.now, until: told.now + 40 * MINUTE });
  });

  it('resumes into exactly the next step', () => {
    const told = gated(pause).ask('resume').shifted();
    expect(told.release).toMatchObject({ step: 2, phase: { kind: 'watching' } });
  });

  it('waits for its checks after a gate was resumed without them, and for nobody any more', () => {
    const told = gated(pause).see('inconclusive').ask('resume');
    expect(told.release.phase.kind).toBe('paused');
    expect(told.see('inconclusive').release.hold?.reason).toBe('inconclusive');
    expect(told.see('pass').release.phase.kind).toBe('shifting');
  });

  it('does not pause twice by a person, but by a person over a plan', () => {
    const told = gated(pause).ask('pause', { by: ann });
    expect(told.release.phase).toMatchObject({ by: 'person', at: { kind: 'gate' } });
    expect(told.refusal('pause', { by: bob })).toBe('the release is already paused by a person');
  });
});

describe('promote', () => {
  it('goes one step on', () => {
    const told = atFirstStep().see('pass').ask('promote');
    expect(told.release).toMatchObject({ wanted: 1000, phase: { goal: { kind: 'step', step: 1 } } });
  });

  it('asks for a reason without a verdict, and for a force against a failing one', () => {
    const told = atFirstStep();
    expect(told.refusal('promote')).toMatch(/give a reason/);
    expect(told.refusal('promote', { reason: '  ' })).toMatch(/give a reason/);
    expect(told.refusal('promote', { reason: 'tested by hand' })).toBeNull();
    expect(told.refusal('promote', { force: true })).toBe('a forced promotion needs a reason');
  });

  it('does not take a reason for a verdict where the next thing is the promotion', () => {
    const told = atFirstStep({ plan: aPlan({ steps: [weightStep(50)] }) });
    expect(told.refusal('promote', { reason: 'hurry' })).toMatch(/wait, or force/);
    expect(told.see('no_data').refusal('promote', { reason: 'hurry' })).toMatch(/wait, or force/);
    expect(told.ask('promote', { force: true, reason: 'hurry' }).latest.at(-1)).toMatchObject({
      type: 'weight.intended',
      weight: 10_000,
      forced: true,
      by: ann,
    });
  });

  it('promotes fully from a timed pause', () => {
    expect(gated(pause).ask('promote', { full: true }).release).toMatchObject({
      wanted: 10_000,
      phase: { goal: { kind: 'full' } },
    });
  });

  it('promotes fully in the middle of a step, and the verdict of that step does not count at the new weight', () => {
    const told = atFirstStep().see('pass').ask('promote', { full: true }).shifted();
    expect(told.release).toMatchObject({ wanted: 10_000, verdict: 'inconclusive', checks: {} });
  });

  it('does not skip an approval that is ahead or asked for, unless by force', () => {
    const ahead = atFirstStep({ plan: aPlan({ steps: [weightStep(10), approve(1), weightStep(50)] }) }).see('pass');
    expect(ahead.refusal('promote', { full: true })).toMatch(/approval is still ahead/);
    expect(
      ahead
        .wait(5 * MINUTE)
        .see('pass')
        .refusal('promote'),
    ).toMatch(/waits for an approval/);
    const forced = { full: true, force: true, reason: 'now' };
    expect(ahead.refusal('promote', { ...forced, mayApprove: true })).toBeNull();
    expect(ahead.refusal('promote', forced)).toMatch(/takes the right to approve/);
    expect(ahead.refusal('promote', { ...forced, mayApprove: true, by: ci })).toMatch(/given by a person/);
  });

  it('is not forced past an approval by the one who asked for the release', () => {
    const plan = aPlan({ steps: [approve(1), weightStep(50)] });
    const asked = story({ plan, by: ann }).prepared();
    const forced = { force: true, reason: 'now', mayApprove: true };
    expect(asked.release.phase.kind).toBe('awaitingApproval');
    expect(asked.refusal('promote', { ...forced, by: ann })).toMatch(/somebody else's/);
    expect(asked.refusal('promote', { ...forced, by: bob })).toBeNull();
  });

  it('does not go straight to full weight when no step was judged', () => {
    const told = story({ startPaused: true }).prepared().see(null);
    expect(told.refusal('promote', { full: true })).toMatch(/no step has been judged yet/);
    expect(told.refusal('promote')).toBeNull();
  });

  it('begins the replacement where the service replaces its stable slot', () => {
    const told = atFirstStep({ promotion: { kind: 'replace', withinMs: HOUR, otherwise: 'hold', hook: false } })
      .see('pass')
      .ask('promote', { full: true });
    expect(told.release).toMatchObject({ wanted: 100, phase: { kind: 'promoting', until: told.now + HOUR } });
  });
});

describe('approve and reject', () => {
  it('needs as many different people as the plan says', () => {
    const told = gated(approve(2)).ask('approve', { by: ann });
    expect(told.refusal('approve', { by: ann })).toMatch(/different people/);
    expect(told.ask('approve', { by: bob }).release.phase.kind).toBe('shifting');
  });

  it('waits for the checks after the last approval', () => {
    const told = gated(approve(1)).see('no_data').ask('approve');
    expect(told.release.phase.kind).toBe('awaitingApproval');
    expect(told.see('pass').release.phase.kind).toBe('shifting');
  });

  it('rolls back when somebody refuses', () => {
    const told = gated(approve(2)).ask('reject', { by: bob, reason: 'no' });
    expect(types(told.latest)).toEqual(['approval.refused', 'rollback.decided', 'weight.intended']);
    expect(told.release.rollback?.cause).toEqual({ kind: 'refused' });
  });

  it('says once that nobody approved in time, also when the plan goes on then and the checks do not', () => {
    const told = gated(approve(1, 'continue'))
      .wait(4 * HOUR)
      .see('no_data');
    expect(types(told.latest)).toEqual(['verdict.changed', 'approval.expired', 'hold.began']);
    expect(told.wait(MINUTE).see('no_data').latest).toEqual([]);
    expect(told.see('pass').release.phase.kind).toBe('shifting');
  });

  it('keeps the name and the reason of everybody who decided in the log', () => {
    const told = gated(approve(1)).ask('approve', { by: bob, reason: 'looks fine' });
    expect(told.latest[0]).toMatchObject({ type: 'approval.given', subject: 'bob', by: bob, reason: 'looks fine' });
    expect(told.latest.at(-1)).toMatchObject({ type: 'weight.intended', by: bob });
  });
});
