import { expect, it } from 'vitest';
import { ann, aPlan, atFirstStep, MINUTE, passStep, story, weightStep } from '../../test/story.ts';
import type { Story } from '../../test/story.ts';
import { acceptance } from './accepts.ts';
import { Weight } from './ids.ts';
import type { Offer } from './offers.ts';
import { offers } from './offers.ts';
import type { Verb } from './release.ts';

const offered = (told: Story): readonly Offer[] =>
  offers(told.release, acceptance(told.release), told.now, { actor: ann, mayApprove: true });
const offer = (told: Story, verb: Verb, option: Offer['option'] = null): Offer | undefined =>
  offered(told).find((one) => one.verb === verb && one.option === option);

it('says of every command what it would do now', () => {
  const told = atFirstStep().wait(MINUTE).see('pass');
  expect(offer(told, 'promote')?.effect).toBe('goes on to step 2 of 3, 10 %');
  expect(offer(told, 'promote', 'full')?.effect).toBe('goes on to take all traffic, past the 2 steps ahead');
  expect(offer(told, 'pause')?.effect).toBe('stays at 1 % until somebody resumes it; if nobody has in 11h59m, it is rolled back');
  expect(offer(told, 'rollback')?.effect).toBe('gives all traffic back to 1.0.0 at once (1 % now on 1.1.0)');
  expect(offer(told, 'resume')).toMatchObject({ accepted: false, effect: null });
  told.ask('pause');
  expect(offer(told, 'resume')?.effect).toBe('is watched for another 4m at 1 %');
});

it('asks for a reason where a promotion is refused without one, and offers to force it where it is refused anyway', () => {
  const unclear = atFirstStep().see('inconclusive');
  expect(offer(unclear, 'promote')).toMatchObject({ accepted: true, needsReason: true });
  expect(offer(unclear, 'promote', 'force')).toBeUndefined();
  const plan = aPlan();
  const checks = Object.fromEntries(
    Object.entries(plan.checks).map(([name, check]) => [name, { ...check, onFail: 'hold' as const }]),
  );
  const failing = atFirstStep({ plan: { ...plan, checks } }).see('fail');
  expect(offer(failing, 'promote')).toMatchObject({
    accepted: false,
    reason: 'a check is failing: force with a reason if you must',
  });
  expect(offer(failing, 'promote', 'force')).toMatchObject({
    accepted: true,
    needsReason: true,
    past: 'despite a failing check',
  });
});

it('says what is left out by force: the approval and not the checks, where it is that which is missing', () => {
  const approve = { kind: 'approve', by: 1, withinMs: MINUTE, otherwise: 'rollback' } as const;
  const plan = aPlan({ steps: [weightStep(1), approve, weightStep(50)] });
  const told = passStep(atFirstStep({ plan }));
  expect(offer(told, 'promote', 'force')?.past).toBe('without its approval');
  expect(offer(told.see('inconclusive'), 'promote', 'force')?.past).toBe('without its approval, despite its checks');
  const last = atFirstStep({ plan: aPlan({ steps: [weightStep(1)] }) }).see('inconclusive');
  expect(offer(last, 'promote', 'force')?.past).toBe('despite its checks');
  expect(offer(last, 'rollback')?.past).toBe(null);
});

it('never offers what is then refused, nor hides what is taken', () => {
  const plan = aPlan({
    steps: [weightStep(1), { kind: 'approve', by: 1, withinMs: MINUTE, otherwise: 'rollback' }, weightStep(50)],
    bake: { forMs: 5 * MINUTE, holdBack: Weight(1_000) },
  });
  const stories = [
    story({ plan }),
    atFirstStep({ plan }),
    atFirstStep({ plan }).see('inconclusive'),
    atFirstStep({ plan }).see('no_data'),
    atFirstStep({ plan }).see('pass').ask('pause'),
    passStep(atFirstStep({ plan })),
    passStep(passStep(atFirstStep({ plan })).ask('approve').shifted()),
    atFirstStep({ plan }).ask('rollback'),
    atFirstStep({ plan }).ask('rollback').shifted(),
  ];
  for (const told of stories)
    for (const { verb, option, accepted, needsReason } of offered(told)) {
      const asked = { full: option === 'full', force: option === 'force', mayApprove: true };
      expect(
        told.refusal(verb, { ...asked, reason: 'it has to be' }) === null,
        `${told.release.phase.kind} ${verb} ${option}`,
      ).toBe(accepted);
      if (accepted) expect(told.refusal(verb, asked) === null, `${told.release.phase.kind} ${verb}`).toBe(!needsReason);
    }
});
