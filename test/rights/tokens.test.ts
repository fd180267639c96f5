/** Tokens and sessions as people meet them: the first one of all, the command line, the console's cookie, and what ends them. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { runCli } from '../../src/cli/run.ts';
import { parseConfig } from '../../src/config.ts';
import { isTokenText, tokenText } from '../../src/contract/token-text.ts';
import { access } from '../../src/controller/access.ts';
import { Instant } from '../../src/domain/ids.ts';
import { failures } from '../../src/lib/failures.ts';
import { ok } from '../../src/lib/result.ts';
import { StoreUnavailable } from '../../src/ports/store.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { guarded, guardedConfig } from './guarded.ts';
import type { Guarded } from './guarded.ts';

let world: Guarded;
beforeAll(async () => void (world = await guarded()));
afterAll(() => world.close());

async function cli(
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const into = (name: 'out' | 'err'): PassThrough =>
    new PassThrough().on('data', (part: Buffer) => void (said[name] += part.toString()));
  const code = await runCli(['--server', world.url, ...argv], {
    out: into('out'),
    err: into('err'),
    env,
    fetch,
    serve: async () => 0,
    version: '1.2.3',
    worldOf: () => ok({ services: new Map(), providers: new Map(), notifiers: new Set() }),
  });
  return { code, ...said };
}

describe('the first token', () => {
  it('is in a file for its owner alone, and its secret in no line of the log', async () => {
    const file = `${world.database}.admin-token`;
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(world.logged.join('\n')).toContain(file);
    expect(world.logged.join('\n')).not.toContain(world.admin.slice(14));
    expect((await world.call('/v1/session')).body).toMatchObject({ name: 'admin', kind: 'person', services: null, dev: false });
  });

  it('is made once, and again only when nobody could make one any more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-first-'));
    const quiet = (): void => {};
    const silent = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const open = async () => {
      const parsed = parseConfig({ text: guardedConfig(folder), secrets: { env: () => '', file: () => '' }, dev: false });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      const app = await createApp(parsed.value, silent);
      return { app, token: readFileSync(join(folder, 'guarded.db.admin-token'), 'utf8').trim() };
    };
    const first = await open();
    await first.app.close(100);
    const second = await open();
    expect(second.token).toBe(first.token);
    const { rows } = await second.app.context.store.tokens({ limit: 5, cursor: null });
    expect(rows).toHaveLength(1);
    await second.app.context.store.revokeToken(rows[0]!.id, () => ({
      actor: 'a',
      action: 'b',
      subject: 'c',
      reason: null,
      data: {},
    }));
    await second.app.close(100);
    const third = await open();
    expect(third.token).not.toBe(first.token);
    await third.app.close(100);
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('the command line', () => {
  it('makes, lists and revokes tokens, and is let in by flag, variable and file', async () => {
    const made = await cli(
      ['token', 'create', '--name', 'ci:deploy', '--role', 'operator', '--service', 'mine', '--expires', '30d'],
      {
        HEADGATE_TOKEN: world.admin,
      },
    );
    expect(made.code, made.err).toBe(0);
    const secret = made.out.trim();
    expect(isTokenText(secret)).toBe(true);
    expect(made.err).toContain('ci:deploy  operator on mine');
    const file = join(world.folder, 'token');
    writeFileSync(file, `${secret}\n`);
    for (const [argv, env] of [
      [['--token', secret], {}],
      [[], { HEADGATE_TOKEN: secret }],
      [[], { HEADGATE_TOKEN_FILE: file }],
    ] as const)
      expect(await cli([...argv, 'release', 'list'], env)).toMatchObject({ code: 0 });
    const listed = await cli(['token', 'list'], { HEADGATE_TOKEN: world.admin });
    const [, id = ''] = /^(\w{10})  ci:deploy/m.exec(listed.out) ?? [];
    expect(listed.out).toMatch(/ {2}until \d{4}-\d\d-\d\dT\d\d:\d\dZ {2}/);
    expect(listed.out).not.toContain(secret.slice(14));
    expect((await cli(['token', 'list'], { HEADGATE_TOKEN: secret })).code).toBe(77);
    expect((await cli(['token', 'revoke', id], { HEADGATE_TOKEN: world.admin })).code).toBe(0);
    const after = await cli(['release', 'list'], { HEADGATE_TOKEN: secret });
    expect(after).toMatchObject({ code: 77, err: 'the token deploy was revoked\n' });
    expect((await cli(['release', 'list'])).code).toBe(77);
  });

  it.each([
    [['--name', 'x'], 'either a role or scopes'],
    [['--name', 'x', '--role', 'god'], 'a role is one of viewer, responder'],
    [['--name', 'x', '--role', 'viewer', '--service', 'nowhere'], 'no service named nowhere'],
    [['--name', 'x', '--role', 'viewer', '--expires', '1000d'], 'between 1m and 366d'],
    [['--name', 'x\u001b[31m', '--role', 'viewer'], 'a name of letters'],
  ])('says what is wrong with %j', async (argv, words) => {
    const { code, err } = await cli(['token', 'create', ...argv], { HEADGATE_TOKEN: world.admin });
    expect(err).toContain(words);
    expect(code).toBe(2);
  });
});

describe('a token', () => {
  it('is kept as its digest, noted when used, and good for 90 days when nothing is said', async () => {
    const secret = await world.token({ name: 'ann', role: 'viewer' });
    await world.call('/v1/releases', { token: secret });
    const [ann] = (await world.call('/v1/tokens?limit=1')).body['items'];
    expect(ann).toMatchObject({ name: 'ann', createdBy: 'admin', role: 'viewer', revokedAt: null });
    expect(ann.lastUsedAt).toBeGreaterThan(0);
    expect(Math.round((ann.expiresAt - ann.createdAt) / 86_400_000)).toBe(90);
    await world.call('/v1/releases', { token: secret });
    expect((await world.call('/v1/tokens?limit=1')).body['items'][0].lastUsedAt).toBe(ann.lastUsedAt);
    const rows = (await world.call('/v1/audit?limit=1')).body['items'];
    expect(rows[0]).toMatchObject({ actor: 'admin', action: 'token.create', subject: ann.id, data: { name: 'ann' } });
    expect(rows[0].origin).toMatchObject({ kind: 'person', address: '127.0.0.1', request: expect.any(String), provenance: null });
  });

  it('has a text whose slips of the finger are told from unknown tokens', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 40, maxLength: 40 }),
        fc.nat(62),
        fc.constantFrom('hg', 'hgs'),
        (chance, at, kind) => {
          const { text, id } = tokenText(kind, chance);
          expect(text).toMatch(/^hgs?_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/);
          expect(text).toContain(id);
          expect(isTokenText(text)).toBe(true);
          const place = text.length - 1 - at;
          const other = text[place] === 'x' ? 'y' : 'x';
          if (text[place] !== '_') expect(isTokenText(`${text.slice(0, place)}${other}${text.slice(place + 1)}`)).toBe(false);
        },
      ),
      { seed: 5, numRuns: 500 },
    );
  });

  it('is not any less good because others are tried from the same address', async () => {
    const flooded = await guarded();
    const statuses: number[] = [];
    for (let n = 0; n < 40; n++) statuses.push((await flooded.call('/v1/releases', { token: `hg_wrong_${n}` })).status);
    expect(statuses.at(-1)).toBe(429);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect((await flooded.call('/v1/releases')).status).toBe(200);
    expect((await flooded.call('/v1/releases/none/commands/rollback', { method: 'POST', body: {} })).status).toBe(404);
    await flooded.close();
  });

  it('counts failures in bounded room', () => {
    let nowMs = 0;
    const tries = failures(() => nowMs, { most: 2, windowMs: 60_000, keys: 3 });
    expect([tries.add('a'), tries.add('a'), tries.add('a')]).toEqual([false, false, true]);
    for (const key of ['b', 'c', 'd']) tries.add(key);
    expect(tries.add('a')).toBe(false); // forgotten by now
    nowMs = 60_000;
    expect([tries.add('d'), tries.add('d'), tries.add('d')]).toEqual([false, false, true]);
  });
});

it('looks on while the store is away, if it was known before, and as long as the store answers not past its end', async () => {
  let isAway = false;
  const inner = memoryStore({ now: () => Instant(1_000) });
  const store = {
    ...inner,
    tokenByDigest: async (digest: string) => {
      if (isAway) throw new StoreUnavailable('away');
      return inner.tokenByDigest(digest);
    },
  };
  const quiet = (): void => {};
  let made = 0;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const who = access({ store, log, chance: () => new Uint8Array(40).fill((made += 1)), jobs: null, dev: false });
  const texts: string[] = [];
  await who.firstToken((text) => texts.push(text));
  const [first = ''] = texts;
  const admin = await who.identify(first);
  if (!admin.ok) throw new Error(admin.error);
  const by = { principal: admin.value, origin: null };
  const given = await who.createToken(
    { role: 'viewer', scopes: [], services: null, kind: 'person', name: 'vera', forMs: 60_000 },
    by,
  );
  if (!given.ok) throw new Error(given.error.detail);
  expect((await who.identify(given.value.text)).ok).toBe(true);
  await who.revokeToken(given.value.token.id, by);
  expect((await who.identify(given.value.text)).ok).toBe(false);
  isAway = true;
  expect(await who.identify(first)).toMatchObject({ ok: true, value: { name: 'admin' } });
  await expect(who.identify(given.value.text)).rejects.toThrow('away');
});

describe('the console', () => {
  const signIn = (token: string, headers: Record<string, string> = {}) =>
    world.call('/v1/session', { method: 'POST', token: null, body: { token }, headers });
  const cookieOf = (headers: Headers): string => headers.getSetCookie()[0]?.split(';')[0] ?? '';

  it('signs in with a token, has a cookie that no script reads, and signs out', async () => {
    const secret = await world.token({ name: 'ann', role: 'responder', services: ['mine'] });
    const opened = await signIn(secret);
    expect(opened.body).toEqual({ name: 'ann', kind: 'person', scopes: ['read', 'lower'], services: ['mine'], dev: false });
    expect(opened.headers.getSetCookie()[0]).toMatch(
      /^headgate=hgs_\w+; Max-Age=43(200|199); Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const cookie = cookieOf(opened.headers);
    expect((await world.call('/v1/session', { token: null, headers: { cookie } })).body).toMatchObject({ name: 'ann' });
    const out = await world.call('/v1/session', { method: 'DELETE', token: null, headers: { cookie } });
    expect(out.status).toBe(200);
    expect(await world.call('/v1/session', { token: null, headers: { cookie } })).toMatchObject({
      status: 401,
      body: { detail: 'the session was revoked' },
    });
    expect((await world.call('/v1/session', { token: secret })).status).toBe(200);
  });

  it('is out at once when its token is revoked, and no session makes another', async () => {
    const secret = await world.token({ name: 'bob', role: 'viewer' });
    const cookie = cookieOf((await signIn(secret)).headers);
    expect((await signIn(cookie.split('=')[1] ?? '')).status).toBe(401);
    const [{ id }] = (await world.call('/v1/tokens?limit=1')).body['items'];
    await world.call(`/v1/tokens/${id}`, { method: 'DELETE' });
    expect((await world.call('/v1/releases', { token: null, headers: { cookie } })).status).toBe(401);
  });

  it('does not outlive its token, nor twelve hours', async () => {
    const secret = await world.token({ name: 'carl', role: 'viewer', expires: '10m' });
    expect((await signIn(secret)).headers.getSetCookie()[0]).toMatch(/Max-Age=(599|600);/);
  });

  it('does nothing for a page of another site, whatever cookie the browser sends', async () => {
    const cookie = cookieOf((await signIn(world.admin)).headers);
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ])
      for (const [method, path] of [
        ['POST', '/v1/releases'],
        ['POST', '/v1/session'],
        ['DELETE', '/v1/session'],
        ['POST', '/v1/tokens'],
        ['PUT', '/v1/services/mine/stable'],
      ] as const) {
        const asked = await world.call(path, { method, token: null, body: {}, headers: { cookie, ...headers } });
        expect(asked, `${method} ${path}`).toMatchObject({ status: 403, body: { type: 'urn:headgate:problem:foreign' } });
      }
  });

  it('has a cookie for https alone where people come by https', async () => {
    const secured = await guarded('', '{ listen: 127.0.0.1:0, url: https://headgate.example }');
    const opened = await secured.call('/v1/session', { method: 'POST', token: null, body: { token: secured.admin } });
    expect(opened.headers.getSetCookie()[0]).toMatch(
      /^__Host-headgate=hgs_\w+; Max-Age=43(200|199); Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    await secured.close();
  });
});

describe('without --dev', () => {
  it('nobody is who he says he is', async () => {
    const asked = await world.call('/v1/releases', { token: null, headers: { 'x-headgate-actor': 'admin' } });
    expect(asked).toMatchObject({ status: 401, body: { title: 'Say who you are' } });
    expect(asked.headers.get('www-authenticate')).toBe('Bearer');
    const wrong = await world.call('/v1/releases', { token: 'hg_no_such' });
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    const vera = await world.token({ name: 'vera', role: 'viewer' });
    expect((await world.call('/v1/session', { token: vera, headers: { 'x-headgate-actor': 'admin' } })).body['name']).toBe(
      'vera',
    );
  });

  it.each(['Basic abc', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(15_000)}`, 'hg_a_b'])(
    'nor by the header %j',
    async (authorization) => {
      const { status } = await world.call('/v1/releases', { token: null, headers: { authorization } });
      expect([401, 429]).toContain(status);
    },
  );
});

describe('with --dev', () => {
  it.each(['0.0.0.0:8080', 'headgate.example:8080', '192.168.1.4:80'])('it does not start on %s', (listen) => {
    const parsed = parseConfig({
      text: `server: { listen: "${listen}" }`,
      secrets: { env: () => '', file: () => '' },
      dev: true,
    });
    expect(parsed).toMatchObject({ ok: false, error: [{ message: expect.stringContaining('loopback only'), line: 1 }] });
  });

  it('a name that leads here makes nobody a page of ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-dev-'));
    const parsed = parseConfig({ text: guardedConfig(folder), secrets: { env: () => '', file: () => '' }, dev: true });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const quiet = (): void => {};
    const app = await createApp(parsed.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
    const ask = async (host: string) =>
      (await app.fetch(new Request('http://x/v1/session', { headers: { host, 'x-headgate-actor': 'bob' } }))).status;
    expect([await ask('evil.example:8080'), await ask('localhost:8080'), await ask('127.0.0.1')]).toEqual([403, 200, 200]);
    expect((await app.context.store.tokens({ limit: 1, cursor: null })).rows).toEqual([]);
    await app.close(100);
    rmSync(folder, { recursive: true, force: true });
  });
});

it('forgets sessions that are long over, and no token', async () => {
  const { store } = world.app.context;
  await world.call('/v1/session', { method: 'POST', token: null, body: { token: world.admin } });
  const before = (await store.tokens({ limit: 200, cursor: null })).rows.length;
  expect(await store.retain(Instant(Date.now() + 86_400_000))).toBeGreaterThan(0);
  expect((await store.tokens({ limit: 200, cursor: null })).rows).toHaveLength(before);
});
