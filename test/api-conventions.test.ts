/** What every client may rely on, whatever it asks: keys, preconditions, trials, pages, shapes, and who wins a race. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../src/ports/store.ts';
import { planOf, service } from './service.ts';
import type { Service, Told } from './service.ts';

const ANY = { 'if-match': '*' };
const names = ['one', 'two', 'three', 'four', 'five'];
let s: Service;
beforeAll(async () => {
  s = await service(names);
  for (const name of names) await s.ask('PUT', `/v1/services/${name}/stable`, { body: { version: '1' }, headers: ANY });
});
afterAll(() => s.closing());

const start = (name: string, version: string, headers: Record<string, string> = {}): Promise<Told> =>
  s.ask('POST', '/v1/releases', { body: { plan: planOf(name), version }, headers });
const count = async (name: string): Promise<number> =>
  (await s.ask('GET', `/v1/releases?service=${name}&limit=200`)).body.items.length;
async function until(id: string, phase: string): Promise<Told> {
  for (let look = 0; look < 400; look++) {
    const found = await s.ask('GET', `/v1/releases/${id}`);
    if (found.body.phase.kind === phase) return found;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`${id} never came to ${phase}`);
}

describe('Idempotency-Key', () => {
  test('the same request again gets the first answer, and starts nothing', async () => {
    const first = await start('one', '2', { 'idempotency-key': 'k-1' });
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    const again = await start('one', '2', { 'idempotency-key': '"k-1"' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    for (const header of ['location', 'etag'])
      expect(again.headers.get(header), header).toBe(first.headers.get(header) ?? 'none');
    expect(await count('one')).toBe(1);
  });

  test('another request under the same key is refused, another principal has keys of its own, and refusals are not kept', async () => {
    const other = await start('one', '3', { 'idempotency-key': 'k-1' });
    expect([other.status, other.body.detail]).toEqual([422, expect.stringContaining('used for another request')]);
    expect((await start('one', '2', { 'idempotency-key': 'k-1', 'x-headgate-actor': 'bob' })).status).toBe(409);
    const refused = await start('two', '1', { 'idempotency-key': 'k-2' });
    expect(refused.status).toBe(422);
    expect((await start('two', '2', { 'idempotency-key': 'k-2' })).status).toBe(201);
  });

  test('a token is made once, and its secret said once', async () => {
    const make = () =>
      s.ask('POST', '/v1/tokens', {
        body: { name: 'deploy', kind: 'ci', role: 'operator', expires: '30d' },
        headers: { 'idempotency-key': 'token-1' },
      });
    const first = await make();
    expect([first.status, first.body.secret]).toEqual([201, expect.stringMatching(/^hg_/)]);
    const again = await make();
    expect(again).toMatchObject({ status: 409, body: { detail: expect.stringContaining(first.body.token.id) } });
    expect(JSON.stringify(again.body)).not.toContain(first.body.secret);
    expect((await s.ask('GET', '/v1/tokens')).body.items).toHaveLength(1);
  });

  test('two at once do it once: the later one is told to come again', async () => {
    const both = await Promise.all([1, 2].map(() => start('three', '2', { 'idempotency-key': 'k-3' })));
    const late = both.find(({ status }) => status === 409);
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    expect([late?.body.type, late?.headers.get('retry-after')]).toEqual(['urn:headgate:problem:in-flight', '1']);
    expect(await count('three')).toBe(1);
  });

  test.each([['no spaces in here'], ['x'.repeat(256)], ['']])('a key that is none is refused: %s', async (key) => {
    expect((await start('four', '2', { 'idempotency-key': key })).status).toBe(422);
    expect(await count('four')).toBe(0);
  });

  test('a command under a key is obeyed once', async () => {
    const { body } = await start('four', '2');
    await until(body.id, 'watching');
    const pause = () =>
      s.ask('POST', `/v1/releases/${body.id}/commands/pause`, { body: {}, headers: { 'idempotency-key': 'p' } });
    const first = await pause();
    await s.ask('POST', `/v1/releases/${body.id}/commands/resume`, { body: {}, headers: ANY });
    const again = await pause();
    expect([first.body.phase.kind, again.body.phase.kind, again.headers.get('idempotency-replayed')]).toEqual([
      'paused',
      'paused',
      'true',
    ]);
    expect((await s.ask('GET', `/v1/releases/${body.id}`)).body.phase.kind).toBe('watching');
  });

  test('whatever is wrong with the key of a command that lowers, it is obeyed', async () => {
    const [found] = (await s.ask('GET', '/v1/releases?service=two')).body.items;
    await until(found.id, 'watching');
    const send = (verb: string, headers: Record<string, string>) =>
      s.ask('POST', `/v1/releases/${found.id}/commands/${verb}`, { body: {}, headers });
    const paused = await send('pause', { 'idempotency-key': 'k-1', 'if-match': 'x'.repeat(500) });
    expect([paused.status, paused.body.phase.kind]).toEqual([200, 'paused']);
    expect((await send('resume', { 'idempotency-key': 'k-1', ...ANY })).status).toBe(422);
    expect((await send('rollback', { 'idempotency-key': 'no spaces in here' })).status).toBe(200);
    expect((await until(found.id, 'rolledBack')).body.verdict).toBeDefined();
  });

  test('a service that dies between doing it and saying so gives the same release to who asks again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-once-'));
    const file = join(folder, 'once.db');
    const asked = { body: { plan: planOf('one'), version: '2' }, headers: { 'idempotency-key': 'lost' } };
    const dying = await service(['one'], file);
    await dying.ask('PUT', '/v1/services/one/stable', { body: { version: '1' }, headers: ANY });
    const { create } = dying.app.context.store;
    let made = '';
    const committedAndGone: typeof create = async (release) => {
      await create(release);
      made = release.release.id;
      throw new StoreUnavailable('the process is gone');
    };
    Object.assign(dying.app.context.store, { create: committedAndGone });
    expect((await dying.ask('POST', '/v1/releases', asked)).status).toBe(503);
    await dying.closing();
    const next = await service(['one'], file);
    const again = await next.ask('POST', '/v1/releases', asked);
    expect([again.status, again.body.id, again.headers.get('idempotency-replayed')]).toEqual([201, made, 'true']);
    expect((await next.ask('GET', '/v1/releases')).body.items).toHaveLength(1);
    await next.closing();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('If-Match', () => {
  test('who raises says what was seen; who lowers need not, and nothing that is said stops it', async () => {
    const [found] = (await s.ask('GET', '/v1/releases?service=four')).body.items;
    const send = (verb: string, headers: Record<string, string> = {}) =>
      s.ask('POST', `/v1/releases/${found.id}/commands/${verb}`, { body: { reason: 'r' }, headers });
    for (const verb of ['resume', 'promote', 'approve', 'reject']) expect((await send(verb)).status, verb).toBe(428);
    expect((await send('promote')).body.detail).toContain(`If-Match with the ETag of GET /v1/releases/${found.id}`);
    expect((await send('promote', { 'if-match': '"1"' })).status).toBe(412);
    expect((await send('promote', { 'if-match': 'rubbish' })).status).toBe(400);
    expect((await s.ask('POST', `/v1/releases/${found.id}/stable-replaced`)).status).toBe(428);
    expect((await send('pause', { 'if-match': 'rubbish' })).status).toBe(200);
    const seen = await s.ask('GET', `/v1/releases/${found.id}`);
    expect(seen.headers.get('etag')).toMatch(new RegExp(`^"${seen.body.stateVersion}-[0-9a-f]{16}"$`));
    expect((await send('resume', { 'if-match': seen.headers.get('etag') ?? '' })).status).toBe(200);
    expect((await send('abort')).status).toBe(200);
  });

  test('what is stable, and a plan, are changed only as they were seen', async () => {
    const at = (await s.ask('GET', '/v1/services/five')).headers.get('etag') ?? '';
    const set = (version: string, headers: Record<string, string>) =>
      s.ask('PUT', '/v1/services/five/stable', { body: { version }, headers });
    expect((await set('2', {})).status).toBe(428);
    expect((await set('2', { 'if-match': at })).body.stableVersion).toBe('2');
    expect((await set('3', { 'if-match': at })).status).toBe(412);
    const apply = (hold: string, headers: Record<string, string>) =>
      s.ask('POST', '/v1/plans', { body: { document: planOf('five', { name: 'kept', hold }) }, headers });
    expect((await apply('1h', {})).body.version).toBe(1);
    expect((await apply('2h', { 'if-match': '"1"' })).body.version).toBe(2);
    expect((await apply('3h', { 'if-match': '"1"' })).status).toBe(412);
    expect((await s.ask('GET', '/v1/plans/kept')).headers.get('etag')).toBe('"2"');
  });
});

test('what is known already is answered by 304, and anything else that is shown by all of it', async () => {
  const { body } = await start('five', '8');
  await s.ask('POST', `/v1/releases/${body.id}/commands/rollback`, { body: {} });
  await until(body.id, 'rolledBack');
  const known = async (path: string): Promise<void> => {
    const tag = (await s.ask('GET', path)).headers.get('etag') ?? '';
    const ask = (tags: string) => s.app.fetch(new Request(`http://headgate${path}`, { headers: { 'if-none-match': tags } }));
    for (const tags of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const same = await ask(tags);
      expect([same.status, await same.text(), same.headers.get('etag')], path).toEqual([304, '', tag]);
    }
    expect((await ask('"1-0000000000000000"')).status, path).toBe(200);
  };
  for (const path of [`/v1/releases/${body.id}`, '/v1/services/five', '/v1/plans/kept?version=1']) await known(path);
  const before = (await s.ask('GET', '/v1/services/five')).headers.get('etag') ?? '';
  const next = await start('five', '9');
  const after = await s.ask('GET', '/v1/services/five', { headers: { 'if-none-match': before } });
  expect([after.status, after.body.activeRelease ?? after.body.active]).toEqual([200, next.body.id]);
  await s.ask('POST', `/v1/releases/${next.body.id}/commands/rollback`, { body: {} });
  await until(next.body.id, 'rolledBack');
});

test('a trial says what would be, and writes nothing', async () => {
  const { store } = s.app.context;
  const state = async () => [await store.lastPosition(), (await store.audit({ limit: 1, before: null })).rows[0]?.seq];
  const before = await state();
  const trial = (path: string, body: object) => s.ask('POST', `${path}?validate_only=true`, { body, headers: ANY });
  const started = await trial('/v1/releases', { plan: planOf('five'), version: '9' });
  expect([started.status, started.body.validated, started.body.phase.kind]).toEqual([200, true, 'starting']);
  expect((await trial('/v1/releases', { plan: planOf('five'), version: '2' })).body.detail).toContain('is the stable version');
  expect((await trial('/v1/plans', { document: planOf('five', { name: 'new' }) })).body).toMatchObject({
    version: 1,
    validated: true,
  });
  expect((await s.ask('GET', '/v1/plans/new')).status).toBe(404);
  const [running] = (await s.ask('GET', '/v1/releases?service=one')).body.items;
  const rolled = await trial(`/v1/releases/${running.id}/commands/rollback`, {});
  expect([rolled.body.validated, rolled.body.rollback.cause.kind]).toEqual([true, 'person']);
  expect((await s.ask('GET', `/v1/releases/${running.id}`)).body.rollback).toBeNull();
  expect((await s.ask('POST', '/v1/releases?validate_only=maybe', { body: {} })).status).toBe(422);
  expect(await state()).toEqual(before);
});

test('lists come a page at a time, in one way, and a cursor that is none is refused', async () => {
  const [{ id }] = (await s.ask('GET', '/v1/releases?service=four')).body.items;
  for (const path of [
    '/v1/releases',
    '/v1/audit',
    '/v1/webhooks/deliveries',
    '/v1/plans',
    '/v1/tokens',
    `/v1/releases/${id}/events`,
  ]) {
    const all = (await s.ask('GET', `${path}?limit=200`)).body.items;
    const seen = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Told = await s.ask('GET', `${path}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.body.items.length, path).toBeLessThanOrEqual(2);
      seen.push(...page.body.items);
      cursor = page.body.nextCursor;
    }
    expect(seen.length, path).toBe(all.length);
    for (const rubbish of ['rubbish', '%00', 'bjE', '-1', 'x'.repeat(600)].filter(
      (each) => path !== '/v1/plans' || each !== 'bjE',
    )) {
      const { status } = await s.ask('GET', `${path}?cursor=${rubbish}`);
      expect([200, 422], `${path} ${rubbish}`).toContain(status);
      if (rubbish === 'rubbish') expect(status, path).toBe(422);
    }
  }
  const find = async (query: string) => (await s.ask('GET', `/v1/releases?${query}`)).body.items.map((each: any) => each.service);
  expect(await find('q=FOUR')).toEqual(['four']);
  expect(await find('version=2&service=one')).toEqual(['one']);
  expect(await find('since=2999-01-01T00:00:00Z')).toEqual([]);
  expect((await s.ask('GET', '/v1/releases?phase=watching,nonsense')).status).toBe(422);
});

test.each([
  ['twice the same key', '{"plan":"a","version":"1","version":"2"}', 'the key "version" is there twice in one object'],
  ['too deep', `{"plan":${'['.repeat(30)}${']'.repeat(30)}}`, 'values are nested 20 deep at most'],
  ['too many', `{"plan":[${'1,'.repeat(60_000)}1]}`, 'a body has 50000 values at most'],
  ['a prototype', '{"plan":{"__proto__":{"x":1}},"version":"1"}', '__proto__ is no key of any document'],
  ['no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'the body is not UTF-8'],
])('a body is refused for its shape: %s', async (_what, body, detail) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await s.app.fetch(new Request('http://headgate/v1/releases', { method: 'POST', headers, body }));
  expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([400, detail]);
});

test('two hundred that promote, pause and roll back at once: at most one promotion of each version, and rolling back wins', async () => {
  await s.ask('PUT', '/v1/services/five/stable', { body: { version: '1' }, headers: ANY });
  const { body } = await s.ask('POST', '/v1/releases', { body: { plan: planOf('five'), version: 'race' } });
  const seen = (await until(body.id, 'watching')).body.stateVersion as number;
  const turn = async (index: number): Promise<{ verb: string; match: number; told: Told }> => {
    const verb = index === 150 ? 'rollback' : index % 3 === 0 ? 'pause' : 'promote';
    const match = seen + (index % 4);
    const headers = { 'if-match': `"${match}"`, 'x-headgate-actor': `client-${index}` };
    const told = await s.ask('POST', `/v1/releases/${body.id}/commands/${verb}`, {
      body: { reason: 'race', force: verb === 'promote' },
      headers,
    });
    return { verb, match, told };
  };
  const all = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      await new Promise((done) => setTimeout(done, (index * 7) % 40));
      return turn(index);
    }),
  );
  expect(all.filter(({ told }) => told.status >= 500)).toEqual([]);
  expect(all.find(({ verb }) => verb === 'rollback')?.told.status).toBe(200);
  const events = (await s.ask('GET', `/v1/releases/${body.id}/events?limit=200`)).body.items as {
    seq: number;
    type: string;
    goal?: unknown;
  }[];
  const decided = events.findIndex(({ type }) => type === 'rollback.decided');
  expect(decided).toBeGreaterThan(0);
  const raises = events.filter(({ type, goal }, index) => type === 'weight.intended' && goal !== null && index > decided);
  expect(raises).toEqual([]);
  const taken = all.filter(({ verb, told }) => verb === 'promote' && told.status === 200);
  const froms = taken.map(({ match }) => match);
  expect(new Set(froms).size).toBe(froms.length);
  expect((await until(body.id, 'rolledBack')).body.wantedBp).toBe(0);
  const after = await s.ask('GET', '/v1/services/five');
  expect(after.body.stableVersion).toBe('1');
});
