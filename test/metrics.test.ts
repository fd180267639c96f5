/** The numbers on `/metrics`: what each one says while something happens, and that there is no end of releases but of series. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { promRecorder } from '../src/adapters/system/recorder.ts';
import { deliver } from '../src/controller/deliver.ts';
import { reconcile } from '../src/controller/reconcile.ts';
import { takeStock } from '../src/controller/stock.ts';
import { enableEndpoint, replay } from '../src/controller/webhooks.ts';
import { isEnded } from '../src/domain/release.ts';
import { err } from '../src/lib/result.ts';
import { StoreUnavailable } from '../src/ports/store.ts';
import { countedStore } from '../src/store/counted.ts';
import { ann, SECOND, threshold, weightStep } from './story.ts';
import { APP, nodeOf, quickPlan, world } from './world.ts';
import type { World } from './world.ts';

const calm = new AbortController().signal;

async function measured(options: Parameters<typeof world>[0] = {}) {
  const { recorder, metricsText } = promRecorder();
  const w = await world({
    recorder,
    ...options,
    wrap: (store) => countedStore(options.wrap?.(store) ?? store, recorder.storeFailed),
  });
  const series = async (): Promise<readonly string[]> => {
    await takeStock(w.ctx, { loopSilence: 0, clockStep: 0 });
    return (await metricsText()).split('\n').filter((line) => line.startsWith('headgate_'));
  };
  /** The value of the one series that begins so, null for none. */
  const value = async (start: string): Promise<number | null> => {
    const [line, ...others] = (await series()).filter((each) => each.startsWith(start));
    expect(others).toEqual([]);
    return line === undefined ? null : Number(line.split(' ').at(-1));
  };
  return { ...w, series, value };
}

const rollBack = (w: World, id: Parameters<World['release']>[0]) =>
  w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });

it('has as many series after many releases as after a few, whatever their versions are called', async () => {
  const w = await measured();
  const versions = fc.sample(fc.string({ minLength: 1, maxLength: 30 }), { numRuns: 60, seed: 7 });
  const run = async (version: string, index: number): Promise<string> => {
    const id = await w.start(quickPlan(), { version: `${index}-${version}` });
    if (index % 3 === 0) {
      await w.until(id, ({ phase }) => phase.kind === 'watching');
      w.provider.value = 2;
    }
    await w.until(id, isEnded);
    w.provider.value = 0.1;
    return id;
  };
  const ids: string[] = [];
  let few = 0;
  for (const [index, version] of versions.entries()) {
    ids.push(await run(version, index));
    if (index === 9) few = (await w.series()).length;
  }
  const series = await w.series();
  expect(series.length).toBe(few);
  expect(series.length).toBeLessThan(300);
  const text = series.join('\n');
  for (const id of ids) expect(text).not.toMatch(new RegExp(`"[^"]*\\b${id}\\b[^"]*"`));
  expect(text).not.toContain('version');
});

it('gives names of checks an end, though every plan may bring new ones', async () => {
  const w = await measured();
  for (let index = 0; index < 70; index++) {
    const name = `check-${index}`;
    const plan = quickPlan({
      steps: [weightStep(10, { holdMs: 30 * SECOND, checks: [name] })],
      checks: { [name]: threshold(name, { provider: 'prom', failures: { breaches: 1, of: 1 } }) },
    });
    await w.until(await w.start(plan, { version: `2.${index}` }), isEnded);
  }
  const checks = new Set((await w.series()).flatMap((line) => /_verdicts_total\{.*check="([^"]+)"/.exec(line)?.[1] ?? []));
  expect(checks.has('check-0')).toBe(true);
  expect(checks.has('other')).toBe(true);
  expect(checks.size).toBe(50 + 1);
});

it('counts what checks say, and how long it took from the decision to roll back until nothing was left', async () => {
  const w = await measured();
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  await w.until(id, ({ verdict }) => verdict === 'pass');
  expect(await w.value('headgate_verdicts_total{service="checkout",check="cpu",verdict="pass"}')).toBeGreaterThan(0);
  expect(await w.value('headgate_verdicts_total{service="checkout",check="cpu",verdict="fail"}')).toBeNull();
  expect(await w.value('headgate_releases{phase="watching"}')).toBe(1);
  w.router.mode = 'rejects';
  await rollBack(w, id);
  await w.tick(id);
  expect(await w.value('headgate_releases{phase="rollingBack"}')).toBe(1);
  expect(await w.value('headgate_releases_held{service="checkout",reason="router"}')).toBe(1);
  expect(await w.value('headgate_time_to_safe_seconds_count{service="checkout"}')).toBe(0);
  w.clock.advance(90 * SECOND);
  await w.tick(id);
  expect(await w.value('headgate_releases_unverified{service="checkout"}')).toBe(1);
  w.router.mode = 'works';
  await w.tick(id);
  expect(await w.value('headgate_time_to_safe_seconds_sum{service="checkout"}')).toBe(90);
  expect(await w.value('headgate_time_to_safe_seconds_count{service="checkout"}')).toBe(1);
  await w.until(id, isEnded);
  expect(await w.value('headgate_releases_unverified')).toBeNull();
  expect(await w.value('headgate_releases{phase="settling"}')).toBe(0);
  expect(await w.value('headgate_time_to_safe_seconds_count{service="checkout"}')).toBe(1);
});

it('says for every target what is wanted and served, and for how long it has differed or been out of reach', async () => {
  const w = await measured();
  const share = (kind: string) => w.value(`headgate_target_second_slot_ratio{target="${APP}",kind="${kind}"}`);
  const age = (what: string) => w.value(`headgate_target_${what}_age_seconds{target="${APP}"}`);
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  expect([await share('desired'), await share('served')]).toEqual([0.1, 0.1]);
  expect([await age('drift'), await age('unreachable')]).toEqual([0, 0]);
  nodeOf(w.router).share = 500;
  await reconcile(w.ctx, APP, calm);
  w.clock.advance(30 * SECOND);
  await reconcile(w.ctx, APP, calm);
  expect([await share('desired'), await share('served'), await age('drift')]).toEqual([0.1, 0.05, 30]);
  nodeOf(w.router).up = false;
  await reconcile(w.ctx, APP, calm);
  w.clock.advance(10 * SECOND);
  expect([await share('served'), await age('unreachable')]).toEqual([null, 10]);
  nodeOf(w.router).up = true;
  nodeOf(w.router).share = 1_000;
  await reconcile(w.ctx, APP, calm);
  expect([await share('served'), await age('drift'), await age('unreachable')]).toEqual([0.1, 0, 0]);
});

it('tells how much is not delivered, and since when; a notifier without any stands at zero', async () => {
  const w = await measured();
  expect(await w.value('headgate_outbox_pending{notifier="oncall"}')).toBe(0);
  await w.start();
  w.clock.advance(20 * SECOND);
  expect(await w.value('headgate_outbox_pending{notifier="oncall"}')).toBe(2);
  expect(await w.value('headgate_outbox_oldest_age_seconds{notifier="oncall"}')).toBe(20);
});

it('tells how much was given up, and that a receiver is disabled, until it is enabled and hears it all', async () => {
  const w = await measured();
  const seen = async () => [
    await w.value('headgate_outbox_parked{notifier="oncall"}'),
    await w.value('headgate_endpoint_disabled{notifier="oncall"}'),
    await w.value('headgate_deliveries_total{notifier="oncall",outcome="gone"}'),
  ];
  const round = async () => {
    for (const row of await w.store.claimOutbox({ worker: 'w1', leaseMs: SECOND, limit: 32 })) await deliver(w.ctx, row, calm);
  };
  expect(await seen()).toEqual([0, 0, 0]);
  await w.start();
  w.notifier.error = { kind: 'gone', detail: 'it answered 410' };
  await round();
  expect(await seen()).toEqual([2, 1, 1]);
  w.notifier.error = null;
  await enableEndpoint(w.ctx, 'oncall', { by: ann, reason: null });
  expect(await seen()).toEqual([2, 0, 1]);
  await replay(w.ctx, 'oncall', { from: null, release: null, limit: 10 }, { by: ann, reason: null });
  await round();
  await round();
  expect(await seen()).toEqual([0, 0, 1]);
});

it('goes on answering while the store is away, says so, and forgets no trouble that it knew of', async () => {
  let away = false;
  const w = await measured({
    wrap: (store) => ({
      ...store,
      commit: async (commit) => (away ? err({ kind: 'busy', detail: 'locked' }) : store.commit(commit)),
      tally: async () => {
        if (away) throw new StoreUnavailable('disk full');
        return store.tally();
      },
    }),
  });
  const id = await w.start();
  expect(await w.value('headgate_store_up')).toBe(1);
  expect(await w.value('headgate_store_errors_total')).toBe(0);
  away = true;
  expect((await w.tick(id)).outcome).toBe('busy');
  expect(await w.value('headgate_store_up')).toBe(0);
  expect(await w.value('headgate_store_errors_total')).toBe(1 + 2); // the commit, and taking stock twice since
  expect(await w.value('headgate_releases{phase="starting"}')).toBe(1);
});
