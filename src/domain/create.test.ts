import { expect, it } from 'vitest';
import { aCreation, ann, ci, HOUR, NOON, types } from '../../test/story.ts';
import { create } from './create.ts';
import { replay } from './evolve.ts';
import { ReleaseId } from './ids.ts';

it('starts at once when nothing is before it, with its deadline running', () => {
  const { next, events } = create(aCreation(), NOON);
  expect(types(events)).toEqual(['release.created', 'release.started']);
  expect(next).toMatchObject({
    phase: { kind: 'starting' },
    startedAt: NOON,
    deadlineAt: NOON + 12 * HOUR,
    step: -1,
    wanted: 0,
    approved: 0,
  });
});

it('waits behind another release', () => {
  const { next, events } = create(aCreation({ behind: ReleaseId('R0') }), NOON);
  expect(types(events)).toEqual(['release.created', 'release.queued']);
  expect(next).toMatchObject({ phase: { kind: 'queued', behind: 'R0' }, startedAt: null, deadlineAt: null });
});

it('carries its own copy of the plan in its first event, with who asked for it', () => {
  const creation = aCreation({ by: ann });
  const { next, events } = create(creation, NOON);
  expect(events[0]).toMatchObject({ type: 'release.created', seq: 1, id: 'R1/1', by: ann, plan: creation.plan });
  expect(next.createdBy).toBe(ann);
  expect(replay(JSON.parse(JSON.stringify(events)))).toEqual(next);
});

it('pauses before the first step in the name of the one who created it so', () => {
  const { next } = create(aCreation({ startPaused: true, by: ci }), NOON);
  expect(next).toMatchObject({ startPaused: true, createdBy: ci, phase: { kind: 'starting' } });
});
