import { describe, expect, it } from 'vitest';
import {
  ann,
  aPlan,
  atFirstStep,
  differs,
  HOUR,
  MINUTE,
  passStep,
  SECOND,
  story,
  unreachable,
  verdictOf,
  weightStep,
} from '../../test/story.ts';
import { explainRelease, targetSentence } from './explain.ts';
import { ReleaseId, Weight } from './ids.ts';

const heads = (told: ReturnType<typeof story>): string => explainRelease(told.release, told.now);

describe('the head of a release', () => {
  it('says where it stands and how long that takes', () => {
    expect(heads(story())).toBe('checkout 1.1.0 is starting: its slot is looked at before any traffic moves');
    expect(heads(story({ behind: ReleaseId('R0') }))).toBe('checkout 1.1.0 waits in the queue behind release R0');
    expect(heads(story().prepared())).toBe('checkout 1.1.0 is being given 1 %, step 1 of 3');
    expect(heads(atFirstStep().wait(MINUTE))).toBe('checkout 1.1.0 stands at step 1 of 3, 1 %; may go on in 4m');
  });

  it('says why it is held, for how long by now, and what happens then', () => {
    const told = atFirstStep()
      .wait(HOUR)
      .see('no_data')
      .wait(2 * MINUTE);
    expect(heads(told)).toBe(
      'checkout 1.1.0 is held at 1 % for 2m: check errors has no data, says no_data; traffic stays as it is; rolls back in 10h58m unless that changes',
    );
  });

  it('says why a step takes longer than planned after a flag was changed, until it is left', () => {
    const told = atFirstStep().wait(4 * MINUTE);
    const change = { source: 'ld', flag: 'new-cart', fingerprint: 'B', what: 'on → off', changedBy: 'ann@x.y' };
    told.take({ kind: 'flagChanged', change: { ...change, confirmed: 'read' } });
    told.wait(20 * SECOND).see('pass');
    expect(heads(told)).toBe(
      'checkout 1.1.0 stands at step 1 of 3, 1 %; may go on in 4m40s, because its time began again: the flag new-cart of ld was changed by ann@x.y',
    );
    expect(heads(passStep(told))).toBe('checkout 1.1.0 stands at step 2 of 3, 10 %; may go on in 5m');
  });

  it('says of a way back that is blocked that it keeps trying', () => {
    const told = atFirstStep()
      .ask('rollback')
      .shifted('timed out')
      .wait(5 * SECOND);
    expect(heads(told)).toBe(
      'checkout 1.1.0 is going back, but for 5s cannot take the traffic off checkout/edge/app (timed out); it keeps trying',
    );
  });

  it('names the cause of a rollback first, during it and after it', () => {
    const told = atFirstStep();
    told.take({
      kind: 'observed',
      served: { kind: 'asWanted' },
      driftAt: null,
      restart: null,
      verdicts: { errors: verdictOf('fail', { sentence: '1.9 % against 1.0 %' }) },
    });
    expect(heads(told)).toBe('checkout 1.1.0 is rolled back at 1 %: 1.9 % against 1.0 %; its traffic goes back');
    told
      .shifted()
      .wait(30 * SECOND)
      .see(null);
    expect(heads(told)).toBe('checkout 1.1.0 was rolled back at 1 %: 1.9 % against 1.0 %');
  });

  it('says that a quarantined release stays where it is', () => {
    const told = atFirstStep();
    told.take({ kind: 'crashed', error: 'boom' });
    expect(heads(told)).toBe('checkout 1.1.0 is quarantined at 1 %: boom');
    expect(told.latest[0]?.sentence).toContain('roll it back');
  });
});

describe('sentences', () => {
  it('carry who did it and why', () => {
    expect(atFirstStep().ask('rollback', { by: ann, reason: 'support is drowning' }).latest[0]?.sentence).toBe(
      'checkout 1.1.0 is rolled back at 1 % by ann ("support is drowning")',
    );
    expect(atFirstStep().see('pass').ask('promote', { full: true, force: true, reason: 'hole' }).latest[0]?.sentence).toBe(
      'checkout 1.1.0 goes from 1 % to 100 %, to full weight, forced ("hole")',
    );
  });

  it('tell drift from a hand, and silence from both', () => {
    const sentence = (served: Parameters<typeof differs>[0] | null): string | undefined =>
      atFirstStep()
        .see('pass', { served: served === null ? unreachable('timed out') : differs(served) })
        .latest.at(-1)?.sentence;
    expect(sentence(true)).toContain('lowered by hand: checkout/edge/app');
    expect(sentence(false)).toContain('another weight is served than wanted: checkout/edge/app');
    expect(sentence(null)).toContain('cannot read what is served: checkout/edge/app (timed out)');
  });

  it('of a first release name no version before it', () => {
    expect(story({ first: true, stableVersion: null }).events[0]?.sentence).toBe(
      'ci asked for a release of checkout 1.1.0 as its first version by plan careful',
    );
  });

  it('say what a deadline cut short', () => {
    const told = atFirstStep({ plan: aPlan({ deadlineMs: HOUR, steps: [weightStep(10)] }) })
      .wait(30 * MINUTE)
      .see('no_data')
      .wait(HOUR)
      .see('no_data');
    expect(told.latest[0]?.sentence).toBe(
      'checkout 1.1.0 is rolled back: its deadline passed while it was held (check errors has no data, says no_data)',
    );
  });

  it('of a target name its slot, since roles may change', () => {
    const fact = {
      type: 'drift.seen',
      node: 'n1',
      servedSecond: Weight(0),
      wantedSecond: Weight(2500),
      restarted: true,
    } as const;
    expect(targetSentence('checkout/edge/app', 'green', fact)).toBe(
      'checkout/edge/app serves 0 % on green at n1 where 25 % is wanted, after a restart',
    );
    expect(targetSentence('checkout/edge/app', 'green', { type: 'target.unreachable', detail: 'timed out' })).toBe(
      'checkout/edge/app cannot be reached: timed out',
    );
  });
});
