/**
 * Who may do what, exhaustively: every route of the running service, for everybody there can be. The routes are taken from
 * the service itself, so a new one is in here without anybody putting it here. What is expected is written down once more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Instant } from '../../src/domain/ids.ts';
import type { DeclaredRoute } from '../../src/http/app.ts';
import { digestOf, tokenText } from '../../src/contract/token-text.ts';
import { guarded, planOf } from './guarded.ts';
import type { Guarded } from './guarded.ts';

/** As `docs/rights-and-audit.md` has it. */
const ROLES: Record<string, readonly string[]> = {
  viewer: ['read'],
  responder: ['read', 'lower'],
  operator: ['read', 'lower', 'raise', 'plan', 'measure', 'evaluate', 'audit'],
  approver: ['read', 'lower', 'approve', 'audit'],
  admin: ['read', 'lower', 'raise', 'approve', 'plan', 'measure', 'evaluate', 'audit', 'admin'],
};
const VERBS: Record<string, string> = {
  pause: 'lower',
  rollback: 'lower',
  abort: 'lower',
  resume: 'raise',
  promote: 'raise',
  approve: 'approve',
  reject: 'approve',
};

type Caller = {
  readonly name: string;
  readonly token: string | null;
  readonly scopes: readonly string[] | null;
  readonly bound: boolean;
};

let world: Guarded;
const ids: Record<string, string> = {};
const callers: Caller[] = [];

beforeAll(async () => {
  world = await guarded();
  for (const service of ['mine', 'other']) {
    await world.call(`/v1/services/${service}/stable`, { method: 'PUT', body: { version: '1' } });
    const started = await world.call('/v1/releases', {
      method: 'POST',
      body: { plan: planOf(service), version: '2', paused: true },
    });
    expect(started.status, started.text).toBe(201);
    ids[service] = started.body['id'];
  }
  callers.push({ name: 'nobody', token: null, scopes: null, bound: false });
  callers.push({ name: 'a guess', token: tokenText('hg', new Uint8Array(40).fill(7)).text, scopes: null, bound: false });
  callers.push({ name: 'rubbish', token: 'hg_x_y', scopes: null, bound: false });
  for (const [role, scopes] of Object.entries(ROLES)) {
    callers.push({ name: role, token: await world.token({ name: role, role }), scopes, bound: false });
    const bound = await world.token({ name: `${role} of mine`, role, services: ['mine'] });
    callers.push({ name: `${role} of mine`, token: bound, scopes, bound: true });
  }
  for (const scope of ROLES['admin'] ?? [])
    callers.push({
      name: `only ${scope}`,
      token: await world.token({ name: scope, scopes: [scope] }),
      scopes: [scope],
      bound: false,
    });
  const revoked = await world.token({ name: 'revoked', role: 'admin' });
  const [newest] = (await world.call('/v1/tokens')).body['items'];
  expect((await world.call(`/v1/tokens/${newest.id}`, { method: 'DELETE' })).status).toBe(200);
  callers.push({ name: 'revoked', token: revoked, scopes: null, bound: false });
  const { id, text } = tokenText('hg', new Uint8Array(40).fill(9));
  const rights = { role: 'admin', scopes: [], services: null, parent: null, kind: 'person', createdBy: 'test' } as const;
  await world.app.context.store.addToken(
    { ...rights, id, digest: digestOf(text), name: 'expired', expiresAt: Instant(1) },
    { actor: 'test', action: 'test', subject: id, reason: null, data: {} },
  );
  callers.push({ name: 'expired', token: text, scopes: null, bound: false });
});
afterAll(() => world.close());

/** The paths of a route: for each verb, and on what is mine and what is not. */
function pathsOf({ path }: DeclaredRoute): readonly { path: string; verb: string | null; service: string }[] {
  const verbs = path.includes(':verb') ? Object.keys(VERBS) : [null];
  return ['mine', 'other'].flatMap((service) =>
    verbs.map((verb) => ({
      service,
      verb,
      path: path
        .replace(/:verb(\{[^}]*\})?/, verb ?? '')
        .replace(/:name(\{[^}]*\})?/, service)
        .replace(/:id(\{[^}]*\})?/, (path.startsWith('/v1/releases/') ? ids[service] : undefined) ?? 'nothing')
        .replaceAll(/\/:\w+(\{[^}]*\})?/g, '/nothing')
        .replace(/\/\*$/, '/nothing'),
    })),
  );
}

/** 401, 403, or anything else. */
function expected(
  route: DeclaredRoute,
  caller: Caller,
  { verb, service }: { verb: string | null; service: string },
): number | 'in' {
  const asks = route.asks;
  if (!asks) throw new Error(`${route.path} asks for nothing`);
  if (asks.permission === 'anyone') return 'in';
  if (caller.scopes === null) return 401;
  if (asks.permission === 'known') return 'in';
  const scope = typeof asks.permission === 'string' ? asks.permission : VERBS[verb ?? ''];
  if (scope === undefined || !caller.scopes.includes(scope)) return 403;
  if (!caller.bound || scope === 'lower') return 'in';
  if (asks.bound === 'none' || asks.bound === 'handler') return 'in';
  return asks.bound !== undefined && service === 'mine' ? 'in' : 403;
}

async function statusOf(
  method: string,
  path: string,
  token: string | null,
): Promise<{ status: number; type: string; challenge: string | null }> {
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(), 60_000);
  const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), 'content-type': 'application/json' };
  const body = method === 'GET' ? {} : { body: '{}' };
  const answer = await fetch(`${world.url}${path}${path.endsWith('/wait') ? '?timeout=1ms' : ''}`, {
    method,
    headers,
    ...body,
    signal: gone.signal,
  });
  const text = answer.headers.get('content-type')?.includes('problem') ? await answer.text() : '';
  clearTimeout(timer);
  gone.abort();
  const type: string = text === '' ? '' : (JSON.parse(text) as { type: string }).type;
  return { status: answer.status, type, challenge: answer.headers.get('www-authenticate') };
}

describe('the rights matrix', () => {
  it('has a right for every route, and refuses whoever has it not', { timeout: 240_000 }, async () => {
    const wrong: string[] = [];
    let asked = 0;
    for (const route of world.app.routes)
      for (const place of pathsOf(route))
        await Promise.all(
          callers.map(async (caller) => {
            const { status, type, challenge } = await statusOf(route.method, place.path, caller.token);
            const want = expected(route, caller, place);
            asked += 1;
            // Whoever is refused too often is told so instead; that is no way in.
            const got = status === 429 ? 401 : status === 401 || status === 403 ? status : 'in';
            const isTold =
              got === 'in' || status === 429
                ? status < 500
                : got === 401
                  ? type.endsWith(':unknown-caller') && challenge === 'Bearer'
                  : type.endsWith(':forbidden');
            if (got !== want || !isTold)
              wrong.push(`${caller.name}: ${route.method} ${place.path} gave ${status} ${type}, not ${want}`);
          }),
        );
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(1_500);
  });

  it('lets nobody in where the API does not say so', async () => {
    const document = (await world.call('/openapi.json', { token: null })).body;
    const described = Object.entries(document['paths'] as Record<string, Record<string, Record<string, unknown>>>).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(
          ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation['x-permission']] as const,
        ),
    );
    expect(described.filter(([, permission]) => permission === undefined)).toEqual([]);
    expect(Object.fromEntries(described)['POST /v1/releases/{id}/commands/{verb}']).toMatchObject({ byVerb: VERBS });
    const forAnyone = world.app.routes
      .filter(({ asks }) => asks?.permission === 'anyone')
      .map(({ method, path }) => `${method} ${path}`);
    // The console's own files say nothing; of what is asked over the API these do without knowing who asks.
    const api = forAnyone.filter((route) => / \/(v1|ofrep|metrics|openapi)/.test(route));
    expect(api.toSorted()).toEqual([
      // Its address is the ticket: browsers send no token with a stream, and it says nothing but that there is news.
      'GET /ofrep/v1/stream/:id',
      'GET /openapi.json',
      'POST /v1/session',
      'POST /v1/webhooks/in/:source',
    ]);
  });

  it('says which right is missing, and who has it', async () => {
    const viewer = await world.token({ name: 'vera', role: 'viewer' });
    const asked = await world.call(`/v1/releases/${ids['mine']}/commands/promote`, { method: 'POST', token: viewer, body: {} });
    expect(asked.body['detail']).toBe('vera has no right to raise: the roles operator and admin have it');
    expect(world.logged.join('\n')).toContain('not allowed: vera has no right to raise');
  });
});

describe('whoever is bound to a service', () => {
  const bound = (role: string): string => callers.find(({ name }) => name === `${role} of mine`)?.token ?? '';

  it('sees its releases, services, plans and events, and no other', async () => {
    for (const service of ['mine', 'other'])
      expect(
        (await world.call('/v1/plans', { method: 'POST', body: { document: { ...planOf(service), name: `plan-${service}` } } }))
          .status,
      ).toBe(200);
    const token = bound('viewer');
    const seen = async (path: string, key: string): Promise<unknown[]> =>
      (await world.call(path, { token })).body['items'].map((item: Record<string, unknown>) => item[key]);
    expect(await seen('/v1/releases', 'service')).toEqual(['mine']);
    expect(await seen('/v1/releases?service=other', 'service')).toEqual([]);
    expect(await seen('/v1/services', 'name')).toEqual(['mine']);
    expect(await seen('/v1/plans', 'name')).toEqual(['plan-mine']);
    expect((await world.call('/v1/plans/plan-other', { token })).status).toBe(403);
    const gone = new AbortController();
    const stream = await fetch(`${world.url}/v1/events?after=0`, {
      headers: { authorization: `Bearer ${token}` },
      signal: gone.signal,
    });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (let done = false; !done && !text.includes('"release.created"');) {
      const piece = await reader.read();
      text += piece.value ?? '';
      ({ done } = piece);
    }
    gone.abort();
    expect(text).toContain('"service":"mine"');
    expect(text).not.toContain('"service":"other"');
  });

  it('starts, plans and tries out for its service, and for no other', async () => {
    const operator = bound('operator');
    const post = (path: string, body: unknown) => world.call(path, { method: 'POST', token: operator, body });
    const start = (service: string) => post('/v1/releases', { plan: planOf(service), version: '3' });
    expect((await start('other')).status).toBe(403);
    expect((await start('mine')).status).toBe(201);
    expect((await post('/v1/plans', { document: planOf('other') })).status).toBe(403);
    expect((await post('/v1/plans', { document: planOf('mine') })).status).toBe(200);
    expect((await post('/v1/plans', { document: { ...planOf('mine'), name: 'plan-other' } })).status).toBe(403);
    expect((await world.call('/v1/plans/plan-other')).body['service']).toBe('other');
    const preview = (service: string) =>
      post('/v1/plans:preview', { document: planOf(service), traffic: { requestsPerSecond: 100, errors: '0.1%' } });
    expect((await preview('other')).status).toBe(403);
    expect((await preview('mine')).status).not.toBe(403);
    expect(world.logged.join('\n')).toContain('has rights for mine only');
  });

  it('takes traffic away from any service when it may lower', async () => {
    const responder = bound('responder');
    const back = await world.call(`/v1/releases/${ids['other']}/commands/rollback`, {
      method: 'POST',
      token: responder,
      body: {},
    });
    expect([200, 409]).toContain(back.status);
  });

  it('cannot give more than it has', async () => {
    const half = bound('admin');
    const make = (body: object) => world.call('/v1/tokens', { method: 'POST', token: half, body });
    expect((await make({ name: 'x', role: 'viewer' })).body['detail']).toMatch(
      /has no rights for all services, so cannot give them/,
    );
    expect((await make({ name: 'x', role: 'viewer', services: ['mine', 'other'] })).body['detail']).toMatch(
      /has no rights for other/,
    );
    expect((await make({ name: 'x', role: 'viewer', services: ['mine'] })).status).toBe(201);
    const mixed = await world.token({ name: 'mixed', scopes: ['admin', 'read'] });
    const more = await world.call('/v1/tokens', { method: 'POST', token: mixed, body: { name: 'x', role: 'responder' } });
    expect(more).toMatchObject({ status: 403, body: { detail: 'mixed has no right to lower, so cannot give it' } });
    const names = (await world.call('/v1/tokens', { token: half })).body['items'].map(
      ({ services }: { services: string[] }) => services,
    );
    expect(new Set(names.map(String))).toEqual(new Set(['mine']));
  });
});

describe('what is offered to the one who asks', () => {
  it('is refused with a sentence where the rights refuse it', async () => {
    const accepted = async (token: string) => {
      const { body } = await world.call(`/v1/releases/${ids['mine']}`, { token });
      return Object.fromEntries(
        (body['acceptedCommands'] as { verb: string; accepted: boolean; reason: string | null }[]).map((each) => [
          each.verb,
          each,
        ]),
      );
    };
    const started = await world.call('/v1/releases', {
      method: 'POST',
      body: { plan: planOf('mine'), version: '9', paused: true, onBusy: 'supersede' },
    });
    ids['mine'] = started.body['id'];
    const viewer = await accepted(callers.find(({ name }) => name === 'viewer')?.token ?? '');
    expect(viewer['rollback']).toMatchObject({
      accepted: false,
      reason: 'viewer has no right to lower: the roles responder, operator, approver and admin have it',
    });
    const responder = await accepted(callers.find(({ name }) => name === 'responder')?.token ?? '');
    expect(responder['rollback']).toMatchObject({ accepted: true, reason: null });
  });
});
