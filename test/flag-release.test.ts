/** One release on a load balancer and a flag at once: the whole service, its edge, and a flag platform as its API behaves. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { fakeUnleash } from './fakes/flag-platforms.ts';
import type { FakeUnleash } from './fakes/flag-platforms.ts';
import { scratch, until } from './real/programs.ts';
import { configOf, openSlot, slotsText } from './edge.ts';
import type { Slot } from './edge.ts';

let app: App;
let slots: readonly [Slot, Slot];
let unleash: FakeUnleash;
const { dir, remove } = scratch('flag-release');
const quiet = (): void => {};

beforeAll(async () => {
  slots = [await openSlot('blue'), await openSlot('green')];
  unleash = await fakeUnleash();
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(dir, 'flags.db')} }
settings: { settleMin: 500ms, applyTimeout: 500ms, reconcileEvery: 200ms }
routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes: { app: { ${slotsText(slots[0].url, slots[1].url)} } }
  flags:
    type: unleash
    url: ${unleash.url}
    token: secret
    environment: production
    timeoutMs: 100
    routes: { checkout: { flag: checkout-v2 } }
services:
  shop: { targets: [{ router: front, route: app }, { router: flags, route: checkout }] }
`;
  app = await createApp(configOf(text), { debug: quiet, info: quiet, warn: quiet, error: quiet });
  await call('PUT', '/v1/services/shop/stable', { version: '1.0.0' });
});
afterAll(async () => {
  await app.close(2_000);
  unleash.close();
  for (const each of slots) each.close();
  remove();
});

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
  const init = { method, headers: { 'content-type': 'application/json', 'if-match': '*' } };
  const answer = await app.fetch(
    new Request(`http://127.0.0.1${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) }),
  );
  return { status: answer.status, body: await answer.json() };
}
async function start(version: string, steps: readonly string[] = ['10%', '50%']): Promise<string> {
  const { status, body } = await call('POST', '/v1/releases', { plan: { service: 'shop', steps, hold: '1h' }, version });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
}
const release = async (id: string): Promise<any> => (await call('GET', `/v1/releases/${id}`)).body;
const send = (id: string, verb: string): Promise<unknown> =>
  call('POST', `/v1/releases/${id}/commands/${verb}`, { reason: 'a test' });
const phase = (id: string, kind: string): Promise<void> => until(kind, async () => (await release(id)).phase.kind === kind);
/** What each target serves on the second slot, as the API tells it. */
const served = async (): Promise<readonly number[]> =>
  (await call('GET', '/v1/services/shop/targets')).body.items.map(
    ({ servedSecondSlotBp }: { servedSecondSlotBp: number }) => servedSecondSlotBp,
  );
const rollout = (): string | undefined => unleash.flag.strategies[0]?.parameters['rollout'];

it('moves both, and takes both back', async () => {
  const id = await start('1.1.0');
  await phase(id, 'watching');
  expect(rollout()).toBe('10');
  // A look that a busy machine has no time for sees nothing, and the next one does.
  await until('both to serve it', async () => (await served()).every((share) => share === 1_000));
  await send(id, 'promote');
  await until('the second step', async () => rollout() === '50' && (await release(id)).phase.kind === 'watching');
  await send(id, 'rollback');
  await phase(id, 'rolledBack');
  expect([unleash.flag.enabled, rollout()]).toEqual([true, '0']);
});

it('holds with a sentence while the platform takes no more calls, and goes on when it does', async () => {
  unleash.interfere = ({ method }) => (method === 'PATCH' ? { status: 429, headers: { 'retry-after': '1' } } : null);
  const id = await start('1.1.1');
  await until('the hold', async () => (await release(id)).hold?.reason === 'router');
  expect((await release(id)).hold.detail).toContain('unleash: takes no more calls for now (429), again in 1 s');
  unleash.interfere = () => null;
  await phase(id, 'watching');
  expect(rollout()).toBe('10');
  await send(id, 'rollback');
  await phase(id, 'rolledBack');
});

it('takes a hand on the flag for meant downwards, puts it right upwards, and lets it be between releases', async () => {
  const id = await start('1.1.2');
  await phase(id, 'watching');
  unleash.flag.strategies[0]!.parameters['rollout'] = '90';
  await until('it to be lowered', () => rollout() === '10');
  unleash.flag.enabled = false;
  await until('the hold', async () => (await release(id)).hold?.reason === 'lowered_by_hand');
  expect(unleash.flag.enabled).toBe(false);
  await send(id, 'rollback');
  await phase(id, 'rolledBack');

  Object.assign(unleash.flag, { enabled: true });
  unleash.flag.strategies[0]!.parameters['rollout'] = '30';
  await until('it to be taken over', async () =>
    JSON.stringify((await call('GET', '/v1/services/shop/targets')).body).includes('3000'),
  );
  expect(rollout()).toBe('30');
  unleash.flag.strategies[0]!.parameters['rollout'] = '0';
});

it('says when the plan is checked where the flag waits', async () => {
  const document = 'service: shop\nsteps: [0.5%, 12.5%]\nhold: 5m\n';
  const { body } = await call('POST', '/v1/plans:validate', { document });
  expect(JSON.stringify(body)).toContain('flags/checkout moves in steps of 1 %: it serves 12 % where 12.5 % is wanted');
});
