import { expect, it } from 'vitest';
import { ratio } from '../../test/story.ts';
import { quickPlan, world } from '../../test/world.ts';
import { after } from '../domain/ids.ts';
import { recordingOf } from './ahead.ts';

it('does not keep releases from being judged when a past that nobody needs cannot be had', async () => {
  const w = await world();
  const id = await w.start();
  await w.tick(id);
  w.provider.history = async () => Promise.reject(new Error('too much is asked'));
  const plan = quickPlan({ checks: { errors: { ...ratio('errors'), provider: 'prom' } } });
  const now = w.clock.now();
  for (let replay = 0; replay < 8; replay++) {
    const recorded = await recordingOf(
      w.ctx,
      plan,
      { version: '1.1.0', stableVersion: null, from: after(now, -60_000), to: now },
      new AbortController().signal,
    );
    expect(recorded.unanswered[0]?.check).toBe('errors');
  }
  expect(w.ctx.calls.open()).toEqual(['history of prom']);
  const asked = w.provider.questions.length;
  await w.tick(id);
  expect(w.provider.questions.length).toBeGreaterThan(asked);
});
