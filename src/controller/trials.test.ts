/** Whoever asks whether a place is well is told so, and nothing else notices that somebody asked. */
import { expect, test } from 'vitest';
import { fakeRouter, world } from '../../test/world.ts';
import { trials } from './trials.ts';

const calm = new AbortController().signal;
const everything = (): boolean => true;

async function tried() {
  const front = fakeRouter('edge', ['n1', 'n2']);
  const w = await world({ routers: [front] });
  const planWorld = {
    services: new Map(),
    providers: w.ctx.providers,
    notifiers: new Set<string>(),
  };
  return { w, front, trial: trials(w.ctx, planWorld) };
}

test('a router is asked about its nodes and slots, and nothing is written', async () => {
  const { front, trial } = await tried();
  const well = await trial.router('edge', everything, calm);
  expect(well).toMatchObject({ ok: true, value: { well: true, targets: [{ target: 'checkout/edge/app', well: true }] } });
  expect(well.ok && well.value.targets[0]?.nodes.map(({ node }) => node)).toEqual(['n1', 'n2']);
  front.healthy = false;
  const ill = await trial.router('edge', everything, calm);
  expect(ill).toMatchObject({ ok: true, value: { well: false } });
  expect(ill.ok && ill.value.targets[0]?.sentence).toContain('is not healthy');
  expect(front.writes).toEqual([]);
  expect(await trial.router('nobody', everything, calm)).toMatchObject({ ok: false, error: { kind: 'not_found' } });
});

test('targets that the asker has no rights for are left out', async () => {
  const { trial } = await tried();
  expect(await trial.router('edge', () => false, calm)).toMatchObject({ ok: true, value: { targets: [] } });
});

test('one test of a place at a time: the second is told so, and may come again', async () => {
  const { front, trial } = await tried();
  let go = (): void => {};
  front.during = () => new Promise((done) => (go = done));
  const first = trial.router('edge', everything, calm);
  await expect.poll(() => trial.router('edge', everything, calm)).toMatchObject({ ok: false, error: { kind: 'busy' } });
  go();
  expect((await first).ok).toBe(true);
  front.during = () => {};
  expect((await trial.router('edge', everything, calm)).ok).toBe(true);
});

test('a provider is asked what it offers; trouble with it is told and opens no breaker of releases', async () => {
  const { w, trial } = await tried();
  const asked: string[] = [];
  const offering = { ...w.provider, offers: { errors: { kind: 'ratio' as const, query: { offered: 'errors' } } } };
  const answering = (kind: 'no_data' | 'failed') => ({
    ...offering,
    async measure(question: Parameters<typeof offering.measure>[0]) {
      asked.push(`${question.check.name} of ${question.service}, stable ${question.stableVersion}`);
      return { kind, at: question.now, detail: 'nobody counts' };
    },
  });
  const providers = w.ctx.providers as Map<string, typeof offering>;
  providers.set('prom', answering('no_data'));
  expect(await trial.provider('prom', calm)).toMatchObject({
    ok: true,
    value: { well: true, asked: 'errors of checkout', sentence: 'it answered, and has no data: nobody counts' },
  });
  expect(asked).toEqual(['errors of checkout, stable 1.0.0']);
  providers.set('prom', answering('failed'));
  for (let n = 0; n < 8; n++) expect(await trial.provider('prom', calm)).toMatchObject({ ok: true, value: { well: false } });
  expect(w.ctx.calls.breaker('provider prom')).toEqual({ state: 'closed', failures: 0, retryMs: null });
});

test('a breaker that is open says for how long', async () => {
  const { w } = await tried();
  const fail = () =>
    w.ctx.calls.call(
      { dependency: 'router edge', ms: 100, signal: calm, lowering: false },
      async () => false,
      (value) => value,
    );
  for (let n = 0; n < 4; n++) await fail();
  expect(w.ctx.calls.breaker('router edge')).toEqual({ state: 'closed', failures: 4, retryMs: null });
  await fail();
  expect(w.ctx.calls.breaker('router edge')).toMatchObject({ state: 'open', retryMs: 5_000 });
  w.clock.advance(2_000);
  expect(w.ctx.calls.breaker('router edge')).toMatchObject({ state: 'open', retryMs: 3_000 });
});
