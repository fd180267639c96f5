import { describe, expect, it } from 'vitest';
import {
  atFirstStep,
  ann,
  aPlan,
  bob,
  commanded,
  differs,
  EDGE,
  HOUR,
  MINUTE,
  observed,
  passStep,
  ratio,
  SECOND,
  story,
  threshold,
  types,
  unreachable,
  verdictOf,
  weightStep,
} from '../../test/story.ts';
import type { Story } from '../../test/story.ts';
import { UNVERIFIED_AFTER_MS } from './decide.ts';
import { Instant, ReleaseId, Weight } from './ids.ts';
import type { Promotion } from './release.ts';

const kind = (told: Story): string => told.release.phase.kind;
const replaceOr = (otherwise: 'hold' | 'rollback'): Promotion => ({
  kind: 'replace',
  withinMs: 30 * MINUTE,
  otherwise,
  hook: false,
});

describe('going up', () => {
  it('stands at the step before until the new weight was read back everywhere', () => {
    const told = passStep(atFirstStep());
    const before = atFirstStep()
      .wait(5 * MINUTE)
      .see('pass');
    expect(before.release).toMatchObject({ step: 0, wanted: 1000, phase: { kind: 'shifting' } });
    before.shifted('timed out');
    expect(before.release).toMatchObject({ step: 0, hold: { reason: 'router' } });
    expect(told.release).toMatchObject({ step: 1, phase: { kind: 'watching' } });
  });

  it('wants full weight only after the last step and the bake', () => {
    const told = atFirstStep({ plan: aPlan({ bake: { forMs: HOUR, holdBack: Weight(1000) } }) });
    const wanted = [told.release.wanted];
    while (kind(told) !== 'settling') wanted.push(passStep(told).release.wanted);
    expect(wanted).toEqual([100, 1000, 5000, 9000, 10_000]);
  });

  it('stays a whole step even when it passes at once, and no longer', () => {
    const told = atFirstStep()
      .see('pass')
      .wait(5 * MINUTE - 1)
      .see('pass');
    expect(kind(told)).toBe('watching');
    expect(kind(told.wait(1).see('pass'))).toBe('shifting');
  });

  it('holds while the checks are inconclusive, and goes on when they pass', () => {
    const told = atFirstStep().wait(HOUR).see('inconclusive');
    expect(told.release.hold).toMatchObject({ reason: 'inconclusive', detail: 'check errors is undecided, says inconclusive' });
    expect(types(told.see('inconclusive').latest)).toEqual([]);
    expect(types(told.see('pass').latest)).toEqual(['verdict.changed', 'hold.ended', 'weight.intended']);
  });

  it('does not count a check that was never measured as passed', () => {
    const told = atFirstStep({
      plan: aPlan({
        steps: [weightStep(10, { checks: ['errors', 'cpu'] })],
        checks: { errors: ratio('errors'), cpu: threshold('cpu') },
      }),
    });
    expect(told.wait(HOUR).see({ errors: 'pass' }).release).toMatchObject({
      verdict: 'inconclusive',
      hold: { reason: 'inconclusive' },
    });
  });

  it('judges only the checks that a step names', () => {
    const checks = { errors: ratio('errors'), cpu: threshold('cpu') };
    const told = atFirstStep({
      plan: aPlan({ checks, steps: [weightStep(10, { checks: ['errors'] }), weightStep(50, { checks: ['errors', 'cpu'] })] }),
    });
    expect(kind(told.see({ errors: 'pass', cpu: 'fail' }))).toBe('watching');
    passStep(told, { errors: 'pass', cpu: 'fail' });
    expect(told.see({ errors: 'pass', cpu: 'fail' }).release.rollback?.cause).toMatchObject({ check: 'cpu' });
  });

  it('goes up without a verdict where the plan names no checks', () => {
    const told = atFirstStep({ plan: aPlan({ checks: {}, steps: [weightStep(10, { checks: [] })] }) });
    expect(
      kind(
        told
          .wait(5 * MINUTE)
          .see(null)
          .shifted()
          .wait(30 * SECOND)
          .see(null),
      ),
    ).toBe('promoted');
  });

  it('passes a step whose checks are all only watched', () => {
    const told = atFirstStep({ plan: aPlan({ checks: { errors: ratio('errors', true) } }) });
    expect(
      kind(
        told
          .see('fail')
          .wait(5 * MINUTE)
          .see('fail'),
      ),
    ).toBe('shifting');
  });

  it('takes an answer to an older intent for what it is', () => {
    const told = passStep(atFirstStep());
    expect(told.take({ kind: 'shifted', weight: Weight(100), failures: [] }).events).toEqual([]);
    expect(told.release.phase.kind).toBe('watching');
  });

  it('keeps all traffic on stable until a blue-green release is let through', () => {
    const gate = { kind: 'approve', by: 1, withinMs: HOUR, otherwise: 'rollback' } as const;
    const bake = { forMs: HOUR, holdBack: Weight(0) };
    const told = story({ plan: aPlan({ strategy: 'blue-green', steps: [gate], bake }) })
      .prepared()
      .see(null);
    expect(told.release).toMatchObject({ wanted: 0, phase: { kind: 'awaitingApproval' } });
    told.ask('approve').shifted();
    expect(told.release).toMatchObject({ wanted: 10_000, phase: { kind: 'baking' } });
    const refused = story({ plan: aPlan({ strategy: 'blue-green', steps: [gate], bake }) })
      .prepared()
      .ask('reject');
    expect(refused.release).toMatchObject({ approved: 0, phase: { kind: 'rolledBack' } });
  });
});

describe('going back', () => {
  it('names the first check that failed, and whether it was a hard limit', () => {
    const told = atFirstStep();
    told.take({
      kind: 'observed',
      served: { kind: 'asWanted' },
      driftAt: null,
      restart: null,
      verdicts: { errors: verdictOf('fail', { hard: true }) },
    });
    expect(told.release.rollback).toMatchObject({ cause: { kind: 'check', check: 'errors', hard: true } });
  });

  it('goes back on a failing check while it is paused', () => {
    expect(kind(atFirstStep().ask('pause').see('fail'))).toBe('rollingBack');
  });

  it('goes back on a failing check while it waits for an approval', () => {
    const gate = { kind: 'approve', by: 1, withinMs: HOUR, otherwise: 'continue' } as const;
    const told = atFirstStep({ plan: aPlan({ steps: [weightStep(10), gate] }) })
      .wait(5 * MINUTE)
      .see('pass');
    expect(kind(told)).toBe('awaitingApproval');
    expect(kind(told.see('fail'))).toBe('rollingBack');
  });

  it('goes back when a check fails at full weight, before the roles swap', () => {
    const plan = aPlan({ steps: [weightStep(50, { checks: ['cpu'] })], checks: { cpu: threshold('cpu') } });
    const told = passStep(atFirstStep({ plan }), { cpu: 'pass' });
    expect(kind(told)).toBe('settling');
    expect(told.see({ cpu: 'fail' }).release).toMatchObject({ phase: { kind: 'rollingBack' }, wanted: 0 });
  });

  it('judges nothing any more once it goes back', () => {
    const told = atFirstStep().ask('rollback');
    expect(told.see('fail').latest).toEqual([]);
    expect(told.shifted().see('fail').latest).toEqual([]);
    expect(told.release.rollback?.cause.kind).toBe('person');
  });

  it('lets doubtful evidence condemn, and never acquit', () => {
    const told = atFirstStep().wait(5 * MINUTE);
    const drifted = { driftAt: told.now };
    expect(types(told.see('pass', drifted).latest)).toEqual(['evidence.restarted']);
    const bad = atFirstStep().wait(5 * MINUTE);
    expect(kind(bad.see('fail', { driftAt: bad.now }))).toBe('rollingBack');
  });

  it('calls a way back that could not be read back for a minute unverified, once', () => {
    const told = atFirstStep().ask('rollback').shifted('timed out');
    expect(told.wait(UNVERIFIED_AFTER_MS - 1).shifted('timed out').release.unverified).toBe(false);
    expect(types(told.wait(1).shifted('timed out').latest)).toEqual(['rollback.unverified']);
    expect(told.wait(HOUR).shifted('timed out').latest).toEqual([]);
    expect(told.shifted().release.unverified).toBe(false);
  });

  it('starts the watch for late writes again when one was seen', () => {
    const told = atFirstStep()
      .ask('rollback')
      .shifted()
      .wait(20 * SECOND)
      .see(null, { served: differs(false) });
    expect(told.release.hold?.reason).toBe('drift');
    told.wait(15 * SECOND).see(null);
    expect(kind(told)).toBe('settling');
    expect(kind(told.wait(30 * SECOND).see(null))).toBe('rolledBack');
  });

  it('ends only when the last weight can be read', () => {
    const told = atFirstStep().ask('rollback').shifted().wait(HOUR).see(null, { served: unreachable() });
    expect(kind(told)).toBe('settling');
    expect(kind(told.see(null))).toBe('rolledBack');
  });

  it('goes back only once', () => {
    const told = atFirstStep().ask('rollback');
    told.take({ kind: 'superseded', by: ReleaseId('R2'), actor: bob });
    expect(told.latest).toEqual([]);
    expect(
      told
        .shifted()
        .wait(30 * SECOND)
        .see(null).release.phase.kind,
    ).toBe('rolledBack');
  });
});

describe('waiting', () => {
  it('does not leave a pause early, however often it is looked at', () => {
    const told = atFirstStep({
      plan: aPlan({ steps: [weightStep(10), { kind: 'pause', forMs: 10 * MINUTE, otherwise: 'continue' }, weightStep(50)] }),
    });
    told.wait(5 * MINUTE).see('pass');
    for (let second = 0; second < 600; second++) expect(kind(told.see('pass').wait(SECOND))).toBe('paused');
    expect(kind(told.see('pass'))).toBe('shifting');
  });

  it('says nothing new while it is paused', () => {
    const told = atFirstStep().see('pass').ask('pause');
    const seq = told.release.seq;
    for (let minute = 0; minute < 60; minute++) told.wait(MINUTE).see('pass');
    expect(told.release.seq).toBe(seq);
  });

  it('lets the pause of a person last until a person ends it, or the deadline of the release', () => {
    const told = atFirstStep()
      .ask('pause')
      .wait(12 * HOUR - 1)
      .see('pass');
    expect(kind(told)).toBe('paused');
    expect(told.wait(1).see('pass').release.rollback?.cause.kind).toBe('deadline');
  });

  it('asks once for a replacement that is overdue, and keeps both ways open', () => {
    const told = passStep(passStep(passStep(atFirstStep({ promotion: replaceOr('hold') }))));
    expect(kind(told)).toBe('promoting');
    expect(types(told.wait(30 * MINUTE).see('pass').latest)).toEqual(['replace.overdue', 'hold.began']);
    expect(told.wait(MINUTE).see('pass').latest).toEqual([]);
    expect(told.refusal('confirmReplaced')).toBeNull();
    expect(told.refusal('rollback')).toBeNull();
  });

  it('does not turn back once the new version runs in the stable slot', () => {
    const told = passStep(passStep(passStep(atFirstStep({ promotion: replaceOr('rollback') }))))
      .ask('confirmReplaced')
      .shifted('timed out');
    told.wait(24 * HOUR).see(null);
    told.take({ kind: 'superseded', by: ReleaseId('R2'), actor: bob });
    expect(told.release).toMatchObject({ rollback: null, phase: { kind: 'shifting', goal: { kind: 'home' } } });
    expect(
      kind(
        told
          .shifted()
          .wait(30 * SECOND)
          .see(null),
      ),
    ).toBe('promoted');
  });

  it('waits at full weight for what was lowered by hand until the deadline of the release, and then goes back', () => {
    const told = passStep(atFirstStep({ plan: aPlan({ steps: [weightStep(50)] }) }));
    told.wait(HOUR).see('pass', { served: differs(true) });
    expect(told.release).toMatchObject({ phase: { kind: 'settling' }, hold: { reason: 'lowered_by_hand' } });
    told.wait(12 * HOUR).see('pass', { served: differs(true) });
    expect(told.release.rollback?.cause.kind).toBe('deadline');
  });

  it('gives a queued release no deadline until it starts', () => {
    const told = story({ behind: ReleaseId('R0') }).wait(48 * HOUR);
    expect(told.release.deadlineAt).toBeNull();
    told.take({ kind: 'unblocked', stableVersion: '1.0.5' });
    expect(told.release).toMatchObject({ phase: { kind: 'starting' }, stableVersion: '1.0.5', deadlineAt: told.now + 12 * HOUR });
  });

  it('starts once, whatever else is said about being ready', () => {
    const told = story().prepared();
    expect(told.prepared().latest).toEqual([]);
    expect(told.prepared('gone').latest).toEqual([]);
    told.take({ kind: 'unblocked', stableVersion: null });
    expect(told.latest).toEqual([]);
  });
});

describe('holding', () => {
  it('names what cannot be reached, and has news only when that changes', () => {
    const told = atFirstStep().see('pass', { served: unreachable('connection refused') });
    expect(told.release.hold?.detail).toBe(`cannot read what is served: ${EDGE} (connection refused)`);
    expect(told.see('pass', { served: unreachable('connection refused') }).latest).toEqual([]);
    expect(types(told.see('pass', { served: unreachable('timed out') }).latest)).toEqual(['hold.began']);
  });

  it('has no news in a hold whose words are counts', () => {
    const told = atFirstStep().wait(HOUR).see('no_data');
    told.take({
      kind: 'observed',
      served: { kind: 'asWanted' },
      driftAt: null,
      restart: null,
      verdicts: { errors: verdictOf('no_data', { sentence: 'other words' }) },
    });
    expect(told.latest).toEqual([]);
  });

  it('collects evidence again after another weight was served, and not after a router was only silent', () => {
    const silent = atFirstStep().see('pass').see('pass', { served: unreachable() });
    expect(types(silent.see('pass').latest)).toEqual(['hold.ended']);
    const other = atFirstStep()
      .see('pass')
      .see('pass', { served: differs(false) });
    expect(types(other.see('pass').latest)).toEqual(['hold.ended', 'evidence.restarted']);
    expect(other.release).toMatchObject({ verdict: 'inconclusive', evidenceSince: other.now });
  });

  it('takes drift that ended between two looks for what it is', () => {
    const told = atFirstStep().see('pass').wait(MINUTE);
    expect(types(told.see('pass', { driftAt: Instant(told.now - 1) }).latest)).toEqual(['evidence.restarted']);
    expect(types(told.wait(SECOND).see('pass', { driftAt: Instant(told.now - SECOND - 1) }).latest)).toEqual(['verdict.changed']);
  });
});

describe('a crash', () => {
  it('is remembered by its first words, and stops all judging', () => {
    const told = atFirstStep();
    told.take({ kind: 'crashed', error: 'boom' });
    expect(told.take({ kind: 'crashed', error: 'bang' }).events).toEqual([]);
    expect(told.release.quarantined).toBe('boom');
    expect(told.see('fail').latest).toEqual([]);
  });

  it('lets nobody go on from a quarantine, and everybody back', () => {
    const told = atFirstStep().see('pass');
    told.take({ kind: 'crashed', error: 'boom' });
    for (const force of [true, false]) expect(told.refusal('promote', { force, reason: 'x' })).toMatch(/quarantined/);
    expect(told.ask('pause').refusal('resume')).toMatch(/quarantined/);
    expect(kind(told.ask('rollback', { by: ann }))).toBe('rollingBack');
  });

  it('keeps a release that was getting ready from starting', () => {
    const told = story();
    told.take({ kind: 'crashed', error: 'boom' });
    expect(told.prepared().release).toMatchObject({ phase: { kind: 'starting' }, wanted: 0 });
  });
});

it('hands back the very same release when nothing happened', () => {
  const told = atFirstStep();
  const before = told.release;
  expect(told.take(observed(null)).next).toBe(before);
  expect(told.take(commanded('resume')).next).toBe(before);
});
