/** What the plan says of verdicts that are neither pass nor fail, of leaving early, and of evidence that begins anew. */
import { describe, expect, it } from 'vitest';
import {
  aPlan,
  atFirstStep,
  HOUR,
  MINUTE,
  NOON,
  passStep,
  ratio,
  RATES,
  SECOND,
  story,
  threshold,
  types,
  verdictOf,
  weightStep,
} from '../../test/story.ts';
import type { Story } from '../../test/story.ts';
import type { CheckVerdict, Doubt, Verdict, Weighed } from './analysis/measurement.ts';
import { Weight } from './ids.ts';
import type { Check, Plan, Recourse } from './plan.ts';

const kind = (told: Story): string => told.release.phase.kind;
type Change = Partial<Pick<Check, 'onFail' | 'onNoData' | 'onError' | 'onInconclusive'>>;
const planWith = (change: Change, plan: Partial<Plan> = {}): Plan =>
  aPlan({ checks: { errors: { ...ratio('errors'), ...change } }, ...plan });

/** Told these verdicts. */
function saw(told: Story, verdicts: Readonly<Record<string, CheckVerdict>>, restart: string | null = null): Story {
  told.take({ kind: 'observed', served: { kind: 'asWanted' }, driftAt: null, verdicts, restart });
  return told;
}
const doubtful = (doubt: Doubt): CheckVerdict => verdictOf('inconclusive', { doubt });

/** At the end of a step's hold, with this verdict of its only check. */
const atTheEnd = (change: Change, verdict: CheckVerdict, plan: Partial<Plan> = {}): Story =>
  saw(atFirstStep({ plan: planWith(change, plan) }).wait(5 * MINUTE), { errors: verdict });

const CASES: readonly (readonly [keyof Change, CheckVerdict])[] = [
  ['onNoData', verdictOf('no_data')],
  ['onError', verdictOf('error')],
  ['onInconclusive', doubtful('thin')],
  ['onInconclusive', doubtful('marginal')],
];
const wordOf = ({ verdict, doubt }: CheckVerdict): string => doubt ?? verdict;

const HELD = { no_data: 'has no data', error: 'cannot be measured', inconclusive: 'is undecided', fail: 'fails', pass: '' };
const heldBy = ({ verdict, sentence }: CheckVerdict): string => `check errors ${HELD[verdict]}, ${sentence}`;

describe('a check that does not pass when its step could be left', () => {
  for (const [key, verdict] of CASES) {
    const at = (recourse: Recourse, plan?: Partial<Plan>): Story => atTheEnd({ [key]: recourse }, verdict, plan);

    it(`holds the release by default, and goes on once it passes: ${wordOf(verdict)}`, () => {
      const told = at('hold');
      expect(told.release).toMatchObject({ phase: { kind: 'watching' }, hold: { detail: heldBy(verdict) } });
      expect(kind(told.see('pass'))).toBe('shifting');
    });

    it(`takes the release back where the plan says so: ${wordOf(verdict)}`, () => {
      const told = at('rollback');
      expect(told.release).toMatchObject({ phase: { kind: 'rollingBack' }, wanted: 0 });
      expect(told.release.rollback?.cause).toEqual(
        verdict.verdict === 'no_data'
          ? { kind: 'no_data', check: 'errors' }
          : { kind: 'unclear', check: 'errors', verdict: verdict.verdict },
      );
    });

    it(`lets the release go on where the plan says so, and says why: ${wordOf(verdict)}`, () => {
      const told = at('continue');
      expect(told.release).toMatchObject({ phase: { kind: 'shifting' }, wanted: 1000 });
      expect(told.latest.at(-1)).toMatchObject({
        type: 'weight.intended',
        reason: expect.stringMatching(/the plan goes on then/) as string,
      });
    });

    it(`never lets it go on into the promotion: ${wordOf(verdict)}`, () => {
      const last = at('continue', { steps: [weightStep(50)] });
      expect(last.release).toMatchObject({
        phase: { kind: 'watching' },
        wanted: 5000,
        hold: { detail: heldBy(verdict) },
      });
      const baking = passStep(
        atFirstStep({
          plan: planWith({ [key]: 'continue' }, { steps: [weightStep(50)], bake: { forMs: HOUR, holdBack: Weight(1000) } }),
        }),
      );
      expect(kind(baking)).toBe('baking');
      expect(kind(saw(baking.wait(HOUR), { errors: verdict }))).toBe('baking');
    });

    it(`does nothing of the sort before the hold has passed: ${wordOf(verdict)}`, () => {
      for (const recourse of ['rollback', 'continue'] as const) {
        const told = saw(atFirstStep({ plan: planWith({ [key]: recourse }) }).wait(5 * MINUTE - 1), { errors: verdict });
        expect(kind(told)).toBe('watching');
      }
    });
  }

  it('goes on with nothing on a suspicion or on too few measurements, whatever the plan says', () => {
    for (const doubt of ['suspicious', 'collecting'] as const)
      for (const recourse of ['continue', 'rollback'] as const) {
        const told = atTheEnd({ onInconclusive: recourse }, doubtful(doubt));
        expect(told.release).toMatchObject({ phase: { kind: 'watching' }, hold: { reason: 'inconclusive' } });
        expect(kind(saw(told.wait(HOUR), { errors: doubtful(doubt) }))).toBe('watching');
      }
  });

  const two = (first: Change, second: Change): Plan =>
    aPlan({
      checks: { errors: { ...ratio('errors'), ...first }, cpu: { ...threshold('cpu'), ...second } },
      steps: [weightStep(10, { checks: ['errors', 'cpu'] }), weightStep(50, { checks: ['errors', 'cpu'] })],
    });
  const bothSilent = (plan: Plan): Story =>
    saw(atFirstStep({ plan }).wait(5 * MINUTE), { errors: verdictOf('no_data'), cpu: verdictOf('no_data') });

  it('is the strictest of them when there are several: back before hold before on', () => {
    expect(kind(bothSilent(two({ onNoData: 'continue' }, { onNoData: 'rollback' })))).toBe('rollingBack');
    expect(kind(bothSilent(two({ onNoData: 'continue' }, { onNoData: 'hold' })))).toBe('watching');
    expect(kind(bothSilent(two({ onNoData: 'continue' }, { onNoData: 'continue' })))).toBe('shifting');
  });

  it('does not let a silent check speak for one that was never measured', () => {
    const told = saw(
      atFirstStep({ plan: two({ onNoData: 'continue' }, { onNoData: 'continue', onInconclusive: 'continue' }) }).wait(HOUR),
      {
        errors: verdictOf('no_data'),
      },
    );
    expect(kind(told)).toBe('watching');
  });
});

describe('a check whose failure a person decides on', () => {
  it('holds the release, and does not take it back', () => {
    const told = atTheEnd({ onFail: 'hold' }, verdictOf('fail'));
    expect(told.release).toMatchObject({ phase: { kind: 'watching' }, rollback: null, hold: { reason: 'failing' } });
    expect(kind(told.see('pass'))).toBe('shifting');
  });

  it('keeps holding for as long as it fails, at the last step, too', () => {
    const told = atTheEnd({ onFail: 'hold', onInconclusive: 'continue' }, verdictOf('fail'), { steps: [weightStep(50)] });
    for (let look = 0; look < 5; look++) expect(kind(told.wait(HOUR).see('fail'))).toBe('watching');
    expect(kind(told.ask('rollback'))).toBe('rollingBack');
  });

  it('does not keep another check from taking it back', () => {
    const plan = aPlan({
      checks: { errors: { ...ratio('errors'), onFail: 'hold' }, cpu: threshold('cpu') },
      steps: [weightStep(10, { checks: ['errors', 'cpu'] })],
    });
    const told = saw(atFirstStep({ plan }), { errors: verdictOf('fail'), cpu: verdictOf('fail') });
    expect(told.release.rollback?.cause).toMatchObject({ check: 'cpu' });
  });
});

describe('leaving a step early', () => {
  const weighed: Weighed = {
    logE: -2,
    together: -2,
    threshold: Math.log(100),
    anytimeP: 1,
    ratio: null,
    dispersion: null,
    from: null,
    needed: 100,
    proved: true,
    slow: null,
  };
  const passing = (isProved: boolean): CheckVerdict => {
    const own = verdictOf('pass');
    return { ...own, evidence: { ...own.evidence, weighed: { ...weighed, proved: isProved } } };
  };
  const early = (change: Partial<Plan> = {}): Plan => aPlan({ ...RATES, earlyAfterMs: 2 * MINUTE, ...change });

  it('takes the proof of every required check and the least time, and says so', () => {
    const told = saw(atFirstStep({ plan: early() }).wait(2 * MINUTE), { errors: passing(true) });
    expect(told.release).toMatchObject({ phase: { kind: 'shifting' }, wanted: 1000 });
    expect(told.latest.at(-1)).toMatchObject({ type: 'weight.intended', reason: 'proved not to be worse than stable' });
  });

  it('is not done before the least time, without proof, or where the plan does not say so', () => {
    expect(kind(saw(atFirstStep({ plan: early() }).wait(2 * MINUTE - 1), { errors: passing(true) }))).toBe('watching');
    expect(kind(saw(atFirstStep({ plan: early() }).wait(2 * MINUTE), { errors: passing(false) }))).toBe('watching');
    expect(kind(saw(atFirstStep({ plan: early() }).wait(2 * MINUTE), { errors: verdictOf('pass') }))).toBe('watching');
    expect(kind(saw(atFirstStep({ plan: early({ earlyAfterMs: null }) }).wait(2 * MINUTE), { errors: passing(true) }))).toBe(
      'watching',
    );
  });

  it('is not done by the proof of some, nor by a proof whose check does not pass', () => {
    const checks = { errors: ratio('errors'), others: ratio('others') };
    const plan = early({ checks, steps: [weightStep(10, { checks: ['errors', 'others'] })] });
    expect(kind(saw(atFirstStep({ plan }).wait(3 * MINUTE), { errors: passing(true), others: passing(false) }))).toBe('watching');
    const own: CheckVerdict = { ...passing(true), verdict: 'inconclusive', doubt: 'suspicious' };
    expect(kind(saw(atFirstStep({ plan }).wait(3 * MINUTE), { errors: passing(true), others: own }))).toBe('watching');
    expect(kind(saw(atFirstStep({ plan }).wait(3 * MINUTE), { errors: passing(true), others: passing(true) }))).not.toBe(
      'watching',
    );
  });

  it('is not done without any check', () => {
    const plan = early({ checks: {}, steps: [weightStep(10, { checks: [] }), weightStep(50, { checks: [] })] });
    expect(kind(saw(atFirstStep({ plan }).wait(3 * MINUTE), {}))).toBe('watching');
  });

  it('does not shorten the bake', () => {
    const told = atFirstStep({ plan: early({ steps: [weightStep(50)], bake: { forMs: HOUR, holdBack: Weight(1000) } }) });
    passStep(told);
    expect(kind(told)).toBe('baking');
    expect(kind(saw(told.wait(HOUR - 1), { errors: passing(true) }))).toBe('baking');
  });

  it('says nothing of proof when the hold has passed anyway', () => {
    const told = saw(atFirstStep({ plan: early() }).wait(5 * MINUTE), { errors: passing(true) });
    expect(told.latest.at(-1)).toMatchObject({ type: 'weight.intended', reason: null });
  });
});

describe('a stable that restarted', () => {
  it('begins all evidence anew, with the reason, and nothing else happens then', () => {
    const told = atFirstStep()
      .see('pass')
      .wait(5 * MINUTE);
    const before = told.release;
    saw(told, { errors: verdictOf('pass') }, 'stable restarted, as errors shows');
    expect(told.latest).toMatchObject([
      { type: 'evidence.restarted', scope: 'release', reason: 'stable restarted, as errors shows' },
    ]);
    expect(told.release).toMatchObject({
      phase: before.phase,
      verdict: 'inconclusive',
      evidenceFrom: told.now,
      evidenceSince: told.now,
    });
  });

  it('does not save a canary that fails at the same time', () => {
    const told = saw(atFirstStep(), { errors: verdictOf('fail') }, 'stable restarted');
    expect(kind(told)).toBe('rollingBack');
  });

  it('keeps the evidence of the release when only the weight was another for a while', () => {
    const told = atFirstStep().see('pass').wait(MINUTE);
    const { evidenceFrom } = told.release;
    told.see('pass', { driftAt: told.now });
    expect(types(told.latest)).toEqual(['evidence.restarted']);
    expect(told.release).toMatchObject({ evidenceFrom, evidenceSince: told.now });
  });

  it('is of no interest once the release goes back', () => {
    const told = atFirstStep().ask('rollback');
    expect(saw(told, {}, 'stable restarted').latest).toEqual([]);
  });
});

describe('evidence of a release', () => {
  it('begins with its first weight and goes on over all steps', () => {
    const told = story().wait(SECOND).prepared().shifted();
    const { evidenceFrom } = told.release;
    expect(evidenceFrom).toBeGreaterThanOrEqual(NOON);
    passStep(told);
    expect(told.release.evidenceFrom).toBe(evidenceFrom);
    expect(told.release.evidenceSince).toBeGreaterThan(evidenceFrom);
    const words: readonly Verdict[] = ['pass', 'inconclusive'];
    for (const word of words) told.wait(SECOND).see(word);
    expect(told.release.evidenceFrom).toBe(evidenceFrom);
  });
});
