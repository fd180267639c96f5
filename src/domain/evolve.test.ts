import { expect, it } from 'vitest';
import { atFirstStep, passStep, story } from '../../test/story.ts';
import { evolve, replay } from './evolve.ts';

it('replays a log to the release that made it, and nothing to nothing', () => {
  const told = passStep(passStep(atFirstStep())).ask('pause').ask('resume').ask('rollback').shifted();
  expect(replay(told.events)).toEqual(told.release);
  expect(replay([])).toBeNull();
});

it('refuses a log with a gap, a repetition, or without its beginning', () => {
  const { events } = atFirstStep();
  expect(() => replay(events.filter(({ seq }) => seq !== 3))).toThrow('event 4 follows 2');
  expect(() => replay([...events, ...events.slice(-1)])).toThrow(/follows/);
  expect(() => replay(events.slice(1))).toThrow('release.created comes first');
});

it('changes no release that it was given', () => {
  const told = atFirstStep();
  const before = structuredClone(told.release);
  const kept = told.release;
  told.see('pass').ask('rollback');
  expect(kept).toEqual(before);
});

it('remembers the highest weight that was ever asked for, also on the way back', () => {
  const told = passStep(atFirstStep()).ask('rollback');
  expect(told.release).toMatchObject({ wanted: 0, approved: 1000 });
});

it('keeps the verdict through a pause, and forgets it with a new weight', () => {
  const told = atFirstStep().see('pass').ask('pause');
  expect(told.release.verdict).toBe('pass');
  told.ask('promote').shifted();
  expect(told.release).toMatchObject({ verdict: 'inconclusive', checks: {} });
});

it('does not take an approval where none is awaited for a fact', () => {
  const { release, now } = story();
  const event = {
    id: 'R1/3',
    release: release.id,
    service: release.service,
    seq: 3,
    at: now,
    by: release.createdBy,
    sentence: '',
    type: 'approval.given',
    subject: 'ann',
    reason: null,
  } as const;
  expect(() => evolve(release, event)).toThrow('an approval is given where one is awaited');
});
