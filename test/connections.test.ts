/** Routers and providers over the API: how they stand, and a test that leaves nothing behind and keeps to the rights of who asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld } from '../src/demo/world.ts';
import type { World } from '../src/demo/world.ts';

let world: World;
const folder = mkdtempSync(join(tmpdir(), 'headgate-connections-'));
beforeAll(async () => {
  world = await openWorld({
    folder,
    perSecond: 5,
    dev: false,
    more: { providers: ['prom: { type: prometheus, url: "http://127.0.0.1:1" }'] },
  });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, token = world.adminToken, body?: unknown) {
  const answer = await fetch(`${world.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, any> };
}

test('a router says what it is good for, how its breaker stands, and what its targets were read back to serve', async () => {
  const { body } = await ask('GET', '/v1/routers');
  expect(body['items']).toMatchObject([
    { name: 'front', type: 'edge', breaker: { state: 'closed', failures: 0, until: null }, targets: [{}, {}, {}] },
  ]);
  expect(body['items'][0].abilities).toContain('Serves only as long as Headgate runs.');
  expect(body['items'][0].targets[0]).toMatchObject({
    router: 'front',
    differs: null,
    differsSince: null,
    unreachableSince: null,
  });
});

test('a test asks the nodes, the slots and the provider, and is in no audit row and on no target', async () => {
  const targets = (await ask('GET', '/v1/services/shop/targets')).body['items'];
  const head = (await ask('GET', '/v1/audit:head')).body;
  const tried = await ask('POST', '/v1/routers/front/test');
  expect(tried).toMatchObject({ status: 200, body: { well: true, targets: [{ well: true }, { well: true }, { well: true }] } });
  expect(tried.body['targets'][0].nodes[0]).toMatchObject({ reachable: true, servedSecondSlotBp: 0 });
  expect((await ask('POST', '/v1/providers/edge/test')).body).toMatchObject({
    well: true,
    asked: expect.stringMatching(/^errors of /),
  });
  expect((await ask('POST', '/v1/providers/prom/test')).body).toMatchObject({ well: false, asked: 'vector(1)' });
  expect((await ask('GET', '/v1/services/shop/targets')).body['items'][0].seq).toBe(targets[0].seq);
  expect((await ask('GET', '/v1/audit:head')).body).toEqual(head);
  expect((await ask('POST', '/v1/routers/nobody/test')).status).toBe(404);
  expect((await ask('POST', '/v1/providers/nobody/test')).status).toBe(404);
});

test('who has rights for one service sees the targets of that one, in the list and in a test', async () => {
  const grant = { name: 'ann', role: 'viewer', services: ['shop'] };
  const token: string = (await ask('POST', '/v1/tokens', world.adminToken, grant)).body['secret'];
  const { body } = await ask('GET', '/v1/routers', token);
  expect(body['items'][0].targets.map(({ service }: { service: string }) => service)).toEqual(['shop']);
  const tried = await ask('POST', '/v1/routers/front/test', token);
  expect(tried.body['targets'].map(({ target }: { target: string }) => target)).toEqual(['shop/front/shop']);
  for (const id of ['%25', '%00', '%ff', '%25zz']) expect((await ask('GET', `/v1/releases/${id}`, token)).status).toBe(422);
  expect((await ask('GET', '/v1/providers', token)).body['items'][0].services).toEqual(['shop']);
});

test('a plan that is valid comes back with what it would do', async () => {
  const document = 'service: shop\nsteps: [5%, 50%]\nhold: 10m\nchecks: [errors]\n';
  const { body } = await ask('POST', '/v1/plans:validate', world.adminToken, { document });
  expect(body['plan']).toMatchObject({ name: 'shop', service: 'shop', sentence: expect.stringContaining('for 10m each') });
  const wrong = await ask('POST', '/v1/plans:validate', world.adminToken, { document: 'service: shop\n' });
  expect(wrong.body).toMatchObject({ valid: false, plan: null });
});
