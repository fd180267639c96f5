/**
 * The real process, killed while it tells others: between commit and delivery, between hearing and answer, and at random.
 * Each test has a world of its own and mostly waits, so two go at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { get, post, put } from './e2e/harness.ts';
import { begun, killed, toldWorld, webhookRounds } from './e2e/webhook-rounds.ts';

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 600; look++) {
    if (await reached()) return;
    await sleep(25);
  }
  throw new Error('never reached');
}
const release = { plan: { name: 'p', service: 'shop', hold: '1h', steps: ['5%'] }, version: 'v1' };

test.concurrent('what was committed and not delivered at a kill is delivered after it, in order', async () => {
  const world = await toldWorld(['down']);
  const { down } = world.receivers;
  try {
    await down.down();
    const first = await begun(world);
    await put(`${world.api}/v1/services/shop/stable`, { version: 'v0' });
    const { body } = await post(`${world.api}/v1/releases`, release);
    await until(async () => (await get(`${world.api}/v1/webhooks/deliveries?state=pending`)).body.items.length >= 5);
    await killed(first);
    expect(down.heard).toEqual([]);
    await down.up();
    const second = await begun(world);
    await post(`${world.api}/v1/webhooks/endpoints/down/enable`, {});
    await until(() => down.heard.length >= 5);
    await killed(second);
    expect(down.heard.slice(0, 5).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5].map((seq) => `${body.id}/${seq}`));
    expect(down.wrong).toEqual([]);
  } finally {
    await world.close();
  }
});

test.concurrent('what a receiver had read when the kill came is told again, with the same id and the same words', async () => {
  const world = await toldWorld(['slow']);
  const { slow } = world.receivers;
  try {
    slow.behave(() => ({ status: 204, afterMs: slow.heard.length === 0 ? 60_000 : 0 }));
    const first = await begun(world);
    await put(`${world.api}/v1/services/shop/stable`, { version: 'v0' });
    await post(`${world.api}/v1/releases`, release);
    await until(() => slow.heard.length === 1);
    await killed(first);
    const second = await begun(world);
    await until(() => slow.heard.length >= 4);
    await killed(second);
    const [read, again, next] = slow.heard;
    expect(again).toEqual(read);
    expect(next?.seq).toBe((read?.seq ?? 0) + 1);
    expect(slow.wrong).toEqual([]);
  } finally {
    await world.close();
  }
});

test.concurrent(
  'six receivers in trouble and four kills: every event is heard, in order, or parked and heard when replayed',
  { timeout: 180_000 },
  async () => {
    const report = await webhookRounds({ rounds: 4, seed: 4 });
    expect(report.broken).toEqual([]);
    expect(report.events).toBeGreaterThan(10);
    expect(report.again).toBeGreaterThan(0);
    expect(report.waitingAtKills).toBeGreaterThan(0);
  },
);
