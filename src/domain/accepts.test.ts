import { expect, it } from 'vitest';
import { atFirstStep, story } from '../../test/story.ts';
import { acceptance, accepts } from './accepts.ts';
import type { PhaseKind } from './release.ts';

it('gives the way back in every phase in which traffic may be on the canary', () => {
  const carrying: readonly PhaseKind[] = [
    'starting',
    'shifting',
    'watching',
    'paused',
    'awaitingApproval',
    'baking',
    'promoting',
    'settling',
  ];
  for (const phase of carrying) expect(accepts[phase], phase).toContain('rollback');
});

it('takes nothing once a release has ended or goes back', () => {
  for (const phase of ['rollingBack', 'promoted', 'rolledBack', 'superseded'] as const) expect(accepts[phase]).toEqual([]);
});

it('says of every command whether it is taken now, and if not why', () => {
  const list = acceptance(atFirstStep().release);
  expect(list.filter(({ accepted }) => accepted).map(({ verb }) => verb)).toEqual(['pause', 'promote', 'rollback']);
  for (const { accepted, reason } of list) expect(reason === null).toBe(accepted);
  expect(list.find(({ verb }) => verb === 'approve')?.reason).toBe('a release that is watching cannot be approved');
});

it('takes a rollback while the new version settles, and not while the old one does', () => {
  const down = atFirstStep().ask('rollback').shifted();
  expect(acceptance(down.release).find(({ verb }) => verb === 'rollback')?.reason).toBe('the release is already going back');
  const up = story({ first: true, stableVersion: null }).prepared().shifted();
  expect(up.release.phase.kind).toBe('settling');
  expect(acceptance(up.release).find(({ verb }) => verb === 'rollback')?.accepted).toBe(true);
});
