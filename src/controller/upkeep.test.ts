import { expect, it } from 'vitest';
import { isEnded } from '../domain/release.ts';
import { HOUR } from '../../test/story.ts';
import { quickPlan, world } from '../../test/world.ts';
import { digest, retain } from './upkeep.ts';

it('forgets old measurements of what has ended, and nothing of what is running', async () => {
  const w = await world();
  const ended = await w.start();
  await w.until(ended, isEnded);
  const running = await w.start(quickPlan(), { version: '1.2.0' });
  await w.until(running, ({ phase }) => phase.kind === 'watching');
  const count = async (id: typeof ended): Promise<number> =>
    (await w.store.measurements(id, { check: null, limit: 100, before: null })).rows.length;
  expect(await count(ended)).toBeGreaterThan(0);
  const events = await w.types(running);
  w.clock.advance(48 * HOUR);
  await retain(w.ctx, 24 * HOUR);
  expect(await count(ended)).toBe(0);
  expect(await w.types(running)).toEqual(events);
  expect((await w.release(running)).phase.kind).toBe('watching');
});

it('keeps what is younger than the time to keep it', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isEnded);
  const before = await w.types(id);
  await retain(w.ctx, 24 * HOUR);
  expect(await w.types(id)).toEqual(before);
});

it('sums up the releases of the last day in one line', async () => {
  const w = await world();
  const lines: string[] = [];
  const ctx = { ...w.ctx, log: { ...w.ctx.log, info: (_fields: unknown, message: string) => void lines.push(message) } };
  await digest(ctx);
  await w.until(await w.start(), isEnded);
  w.provider.value = 0.95;
  await w.until(await w.start(quickPlan(), { version: '1.2.0' }), isEnded);
  await digest(ctx);
  w.clock.advance(25 * HOUR);
  await digest(ctx);
  const none = 'releases of the last day: none';
  expect(lines).toEqual([none, 'releases of the last day: 1 rolledBack, 1 promoted', none]);
});
