/** What a console reads of releases over HTTP: what runs with its targets, the way of one, its events from the newest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld } from '../src/demo/world.ts';
import type { World } from '../src/demo/world.ts';

type Body = Record<string, any>;

const folder = mkdtempSync(join(tmpdir(), 'headgate-course-'));
let world: World;
let id: string;
beforeAll(async () => {
  world = await openWorld({ folder, perSecond: 1 });
  await world.deploy('shop', '1.1.0');
  const plan =
    'service: shop\nhold: 10m\nsteps: [5%, { approve: { by: 1, within: 1h } }, 50%]\nbake: { for: 10m, holdBack: 10% }\nchecks: [errors]\n';
  const [status, body] = await ask('POST', '/v1/releases', { plan, version: '1.1.0' });
  expect(status, JSON.stringify(body)).toBe(201);
  id = body['id'];
  expect((await get(`/v1/releases/${id}/wait?until=step:1&timeout=60s`))['reached']).toBe(true);
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<[number, Body]> {
  const answer = await fetch(`${world.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID(), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return [answer.status, (await answer.json()) as Body];
}
const get = async (path: string): Promise<Body> => (await ask('GET', path))[1];

test('what runs comes with the weights of its targets, and with what happens next', async () => {
  const { items, nextCursor } = await get('/v1/running?q=SHOP');
  expect(nextCursor).toBeNull();
  expect(items).toHaveLength(1);
  expect(items[0].release).toMatchObject({ id, next: { sentence: expect.stringContaining('may go on to step 2 of 3') } });
  expect(items[0].targets).toEqual([
    expect.objectContaining({ id: 'shop/front/shop', canarySlot: 'green', wantedBp: 500, servedBp: 500, problem: null }),
  ]);
  for (const none of ['q=nothing', 'service=search', 'phase=paused', 'phase=promoted'])
    expect((await get(`/v1/running?${none}`))['items'], none).toEqual([]);
  expect((await ask('GET', '/v1/running?cursor=rubbish'))[0]).toBe(422);
});

test('every command says what it would do, and one that is confirmed does that', async () => {
  const release = await get(`/v1/releases/${id}`);
  const offered = (of: Body, verb: string): Body | undefined => of['acceptedCommands'].find((one: Body) => one['verb'] === verb);
  expect(offered(release, 'rollback')).toMatchObject({
    accepted: true,
    needsReason: false,
    effect: expect.stringContaining('gives all traffic back to 1.0.0'),
  });
  expect(offered(release, 'promote')).toMatchObject({ accepted: true, needsReason: true, option: null });
  const promote = `/v1/releases/${id}/commands/promote`;
  const match = { 'if-match': `"${release['stateVersion']}"` };
  expect((await ask('POST', promote, {}, match))[0]).toBe(409);
  const [status, after] = await ask('POST', promote, { reason: 'seen on the last machine' }, match);
  expect([status, after['phase'].kind]).toEqual([200, 'awaitingApproval']);
});

test('its course has every place with its times, each change of weight, and the plan as it runs', async () => {
  const { stops, weights, plan } = await get(`/v1/releases/${id}/course`);
  expect(stops.map((stop: Body) => [stop['kind'], stop['state'], stop['weightBp']])).toEqual([
    ['weight', 'past', 500],
    ['approve', 'current', null],
    ['weight', 'ahead', 5000],
    ['bake', 'ahead', 9000],
    ['end', 'ahead', null],
  ]);
  expect(stops[0].leftAt).toBe(stops[1].enteredAt);
  expect(stops[1].until).toBeGreaterThan(stops[1].enteredAt);
  expect(weights.map(({ wantedBp, servedBp }: Body) => [wantedBp, servedBp])).toEqual([
    [0, 0],
    [500, 0],
    [500, 500],
  ]);
  expect(plan).toContain('weight: 5 %');
  expect(plan).toContain('deadline: 1d');
});

test('its events come from the newest, a page at a time, each of them once', async () => {
  const all = (await get(`/v1/releases/${id}/events?limit=200`))['items'].map((event: Body) => event['id']);
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Body = await get(`/v1/releases/${id}/timeline?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(page['items'].length).toBeLessThanOrEqual(3);
    seen.push(...page['items'].map((event: Body) => event['id']));
    cursor = page['nextCursor'];
  }
  expect(seen.toReversed()).toEqual(all);
});

test('its targets are asked now, and a release that there is not is not found', async () => {
  const { items } = await get(`/v1/releases/${id}/targets`);
  expect(items).toEqual([expect.objectContaining({ wantedBp: 500, servedBp: 500, problem: null })]);
  for (const part of ['course', 'timeline', 'targets'])
    expect((await ask('GET', `/v1/releases/none/${part}`))[0], part).toBe(404);
});
