/** CI jobs and their identity providers: what is let in, and an identity provider that misbehaves in every way we could think of. */
import { createHmac, sign as signRaw } from 'node:crypto';
import fc from 'fast-check';
import { exportSPKI } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { oidc } from '../../src/adapters/identity/oidc.ts';
import { oidcOptions } from '../../src/adapters/identity/options.ts';
import { sender } from '../../src/adapters/outgoing/access.ts';
import { parseConfig } from '../../src/config.ts';
import { Instant } from '../../src/domain/ids.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { Result } from '../../src/lib/result.ts';
import type { JobIdentity } from '../../src/ports/job-identity.ts';
import { guarded, planOf } from './guarded.ts';
import { makeKeys, noStore, sign, startIdp } from './idp.ts';
import type { Idp, Keys } from './idp.ts';

const NOW_S = 1_800_000_000;
const AUDIENCE = 'https://headgate.example';
let keys: Keys;
let others: Keys;
let idp: Idp;
let nowS: number;
let passedMs: number;
let jobs: JobIdentity;

const RULES = [
  {
    role: 'operator',
    services: ['mine'],
    repositoryId: 74,
    repositoryOwnerId: 65,
    ref: 'refs/heads/main',
    environment: 'production',
  },
  { role: 'viewer', repositoryId: '74' },
  { role: 'responder', projectId: 22, refProtected: true },
];
/** As GitHub's are. */
const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: idp.url,
  aud: AUDIENCE,
  iat: NOW_S - 10,
  nbf: NOW_S - 10,
  exp: NOW_S + 300,
  jti: 'a-token',
  sub: 'repo:acme/shop:environment:production',
  repository: 'acme/shop',
  repository_id: '74',
  repository_owner_id: '65',
  ref: 'refs/heads/main',
  environment: 'production',
  event_name: 'push',
  run_id: '1234',
  sha: 'c0ffee',
  actor: 'ann',
  job_workflow_ref: 'acme/shop/.github/workflows/release.yml@refs/heads/main',
  ...more,
});
const without = (...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => !names.includes(name)));

function jobsWith(options: Record<string, unknown> = {}): JobIdentity {
  const parsed = oidcOptions.parse({ issuer: idp.url, audience: AUDIENCE, rules: RULES, ...options });
  const send = sender({ headers: {}, tls: {}, timeoutMs: 2_000, mostBytes: 65_536 });
  return oidc([parsed], {
    clock: { now: () => Instant(nowS * 1_000), monotonicMs: () => passedMs },
    ...noStore(),
    get: (url) =>
      send({ method: 'GET', url }, new AbortController().signal).then(
        ({ status, body }) => (status === 200 ? ok(body) : err(`it answered ${status}`)),
        (error: unknown) => err(String(error)),
      ),
  });
}

beforeAll(async () => {
  [keys, others] = await Promise.all([makeKeys('k1'), makeKeys('k2')]);
  idp = await startIdp([keys.jwk]);
});
afterAll(() => idp.close());
beforeEach(() => {
  idp.answers = {};
  idp.set = { keys: [keys.jwk] };
  idp.asked = 0;
  nowS = NOW_S;
  passedMs = 0;
  jobs = jobsWith();
});

describe('a job', () => {
  it('has the rights of the first rule that it fits, and is called by its repository and run', async () => {
    expect(await jobs.identify(await sign(claims(), keys))).toEqual(
      ok({
        kind: 'ci',
        name: 'acme/shop run 1234',
        scopes: ['read', 'lower', 'raise', 'plan', 'measure', 'evaluate', 'audit'],
        services: ['mine'],
        token: null,
        behalf: 'ann',
        provenance: {
          issuer: idp.url,
          repository: 'acme/shop',
          repositoryId: '74',
          run: '1234',
          sha: 'c0ffee',
          ref: 'refs/heads/main',
          environment: 'production',
          workflow: 'acme/shop/.github/workflows/release.yml@refs/heads/main',
          event: 'push',
          actor: 'ann',
          token: 'a-token',
        },
      }),
    );
  });

  it.each([
    ['another branch', { ref: 'refs/heads/feature' }],
    ['another environment', { environment: 'staging' }],
    ['another owner of the same number', { repository_owner_id: '66' }],
  ])('of %s has only what the next rule gives', async (_what, more) => {
    expect(await jobs.identify(await sign(claims(more), keys))).toMatchObject({ ok: true, value: { scopes: ['read'] } });
  });

  it('of a renamed repository is the same one, and of a new one under the old name is not', async () => {
    const renamed = claims({ repository: 'acme/store', sub: 'repo:acme/store:environment:production' });
    expect(await jobs.identify(await sign(renamed, keys))).toMatchObject({ ok: true, value: { name: 'acme/store run 1234' } });
    expect(await jobs.identify(await sign(claims({ repository_id: '99' }), keys))).toMatchObject({ ok: false });
  });

  it('of GitLab fits by project, and its protected branch may be written as text', async () => {
    const gitlab = {
      ...without('repository', 'repository_id', 'event_name', 'actor', 'run_id'),
      project_id: '22',
      project_path: 'acme/shop',
      ref_protected: 'true',
      pipeline_id: '7',
      pipeline_source: 'push',
      user_login: 'bob',
    };
    expect(await jobs.identify(await sign(gitlab, keys))).toMatchObject({
      ok: true,
      value: { name: 'acme/shop run 7', behalf: 'bob', scopes: ['read', 'lower'] },
    });
    for (const more of [{ ref_protected: 'false' }, { project_id: '23' }, { pipeline_source: 'merge_request_event' }])
      expect(await jobs.identify(await sign({ ...gitlab, ...more }, keys))).toMatchObject({ ok: false });
  });

  it('of GitLab that runs for a tag is not one of the branch of that name', async () => {
    const branch = jobsWith({ rules: [{ role: 'operator', projectId: 22, ref: 'main' }] });
    const tag = jobsWith({ rules: [{ role: 'operator', projectId: 22, ref: 'refs/tags/v1' }] });
    const job = (ref: string, ref_type: string) =>
      sign(
        { ...without('repository', 'repository_id', 'event_name'), project_id: '22', pipeline_source: 'push', ref, ref_type },
        keys,
      );
    expect((await branch.identify(await job('main', 'branch'))).ok).toBe(true);
    expect((await branch.identify(await job('main', 'tag'))).ok).toBe(false);
    expect((await tag.identify(await job('v1', 'tag'))).ok).toBe(true);
    expect((await tag.identify(await job('refs/tags/v1', 'branch'))).ok).toBe(false);
  });

  it('for a pull request is let in where a rule says so', async () => {
    const token = await sign(claims({ event_name: 'pull_request' }), keys);
    expect(await jobs.identify(token)).toMatchObject({ ok: false });
    const open = jobsWith({ rules: [{ role: 'viewer', repositoryId: 74, pullRequests: true }] });
    expect(await open.identify(token)).toMatchObject({ ok: true });
  });

  it('may be a minute off with its clock', async () => {
    nowS = NOW_S + 359;
    expect((await jobs.identify(await sign(claims(), keys))).ok).toBe(true);
    nowS = NOW_S - 69;
    expect((await jobs.identify(await sign(claims(), keys))).ok).toBe(true);
  });
});

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const raw = (header: string, payload: string): string => {
  const text = `${b64(header)}.${b64(payload)}`;
  const jwk = signRaw('sha256', Buffer.from(text), privatePem).toString('base64url');
  return `${text}.${jwk}`;
};
let privatePem = '';
beforeAll(async () => {
  const { exportPKCS8 } = await import('jose');
  privatePem = await exportPKCS8(keys.privateKey);
});
const header = (more: object = {}): string => JSON.stringify({ alg: 'RS256', kid: 'k1', ...more });

/** Each gives a token that must not be accepted. */
const FORGED: readonly (readonly [string, () => Promise<string> | string])[] = [
  ['alg none', () => `${b64({ alg: 'none', kid: 'k1' })}.${b64(claims())}.`],
  [
    'alg None with a signature',
    async () => `${b64({ alg: 'None', kid: 'k1' })}.${(await sign(claims(), keys)).split('.').slice(1).join('.')}`,
  ],
  [
    'HS256 with the public key as the secret',
    async () => {
      const text = `${b64({ alg: 'HS256', kid: 'k1' })}.${b64(claims())}`;
      return `${text}.${createHmac('sha256', await exportSPKI(keys.publicKey))
        .update(text)
        .digest('base64url')}`;
    },
  ],
  ['no signature', async () => `${(await sign(claims(), keys)).split('.').slice(0, 2).join('.')}.`],
  [
    'another one’s signature',
    async () => {
      const [head, body] = (await sign(claims(), keys)).split('.');
      return `${head}.${body}.${(await sign(claims({ jti: 'b' }), keys)).split('.')[2]}`;
    },
  ],
  ['a key that is not its own under its name', () => sign(claims(), { ...others, jwk: keys.jwk })],
  ['an unknown kid', () => sign(claims(), others)],
  ['no kid', () => raw(JSON.stringify({ alg: 'RS256' }), JSON.stringify(claims()))],
  ['a kid that is no text', () => raw(header({ kid: ['k1'] }), JSON.stringify(claims()))],
  ['a key that it brings along', () => sign(claims(), { ...others, jwk: { ...others.jwk, kid: 'own' } }, { jwk: others.jwk })],
  ['an address of keys that it brings along', () => sign(claims(), others, { jku: 'https://evil.example/keys' })],
  ['a critical extension', () => raw(header({ crit: ['b64'], b64: false }), JSON.stringify(claims()))],
  [
    'an algorithm that is not allowed',
    () => sign(claims(), keys, {}).then((token) => `${b64(header({ alg: 'RS512' }))}.${token.split('.').slice(1).join('.')}`),
  ],
  ['two algorithms', () => raw('{"alg":"none","alg":"RS256","kid":"k1"}', JSON.stringify(claims()))],
  ['expired', () => sign(claims({ exp: NOW_S - 61, iat: NOW_S - 400 }), keys)],
  ['not valid yet', () => sign(claims({ nbf: NOW_S + 61 }), keys)],
  ['issued in the future', () => sign(claims({ iat: NOW_S + 61, exp: NOW_S + 600 }), keys)],
  ['good for a year', () => sign(claims({ exp: NOW_S + 31_536_000 }), keys)],
  ['times as text', () => sign(claims({ exp: String(NOW_S + 300) }), keys)],
  ['no end', () => sign(without('exp'), keys)],
  ['no beginning', () => sign(without('iat'), keys)],
  ['for somebody else', () => sign(claims({ aud: 'https://other.example' }), keys)],
  ['for somebody else too', () => sign(claims({ aud: [AUDIENCE, 'https://other.example'] }), keys)],
  ['for nobody', () => sign(without('aud'), keys)],
  ['an audience that begins like ours', () => sign(claims({ aud: `${AUDIENCE}.evil.example` }), keys)],
  ['of another issuer', () => sign(claims({ iss: 'https://evil.example' }), keys)],
  ['of an issuer that is spelled otherwise', () => sign(claims({ iss: `${idp.url}/` }), keys)],
  ['of no issuer', () => sign(without('iss'), keys)],
  ['a name where the number of the repository is wanted', () => sign(claims({ repository_id: 'acme/shop' }), keys)],
  ['a number with a zero before it', () => sign(claims({ repository_id: '074' }), keys)],
  ['a number with something after it', () => sign(claims({ repository_id: '74 ' }), keys)],
  ['a number in a list', () => sign(claims({ repository_id: ['74'] }), keys)],
  ['a fraction', () => sign(claims({ repository_id: 74.5 }), keys)],
  ['no repository', () => sign(without('repository_id'), keys)],
  [
    'a repository that only its subject names',
    () => sign({ ...without('repository_id'), sub: 'repo:acme/shop:environment:production' }, keys),
  ],
  ['a run that does not say what for', () => sign(without('event_name'), keys)],
  ['a pull request', () => sign(claims({ event_name: 'pull_request' }), keys)],
  ['a pull request with the rights of its target', () => sign(claims({ event_name: 'pull_request_target' }), keys)],
  ['a fork’s head', () => sign(claims({ ref: 'refs/pull/7/merge' }), keys)],
  [
    'two repositories',
    () => raw(header(), JSON.stringify(claims()).replace('"repository_id"', '"repository_id":"99","repository_id"')),
  ],
  [
    'two repositories, one of them in other letters',
    () => raw(header(), JSON.stringify(claims()).replace('"repository_id"', '"repository\\u005fid":"99","repository_id"')),
  ],
  ['claims that are no object', () => raw(header(), '["74"]')],
  ['claims that are no JSON', () => raw(header(), 'repository_id: 74')],
  ['claims under __proto__', () => raw(header(), `{"__proto__":${JSON.stringify(claims())}}`)],
  ['encrypted', () => `${b64({ alg: 'dir', enc: 'A256GCM', kid: 'k1' })}..AAAA.AAAA.AAAA`],
  ['endless', () => sign(claims({ more: 'x'.repeat(20_000) }), keys)],
];

describe('a token that is not right is not accepted', () => {
  it.each(FORGED)('%s', async (_what, forged) => {
    const found = await jobs.identify(await forged());
    expect(found.ok).toBe(false);
    expect((await jobs.identify(await sign(claims(), keys))).ok).toBe(true); // and nobody is locked out by it
  });

  it('nor any other, however it came to be', async () => {
    const good = await sign(claims(), keys);
    expect((await jobs.identify(good)).ok).toBe(true);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=';
    const change = fc.record({
      at: fc.nat(good.length - 1),
      letter: fc.constantFrom(...letters.split('')),
      kind: fc.constantFrom('put', 'set', 'cut'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let text = good;
        for (const { at, letter, kind } of changes)
          text = `${text.slice(0, at)}${kind === 'cut' ? '' : letter}${text.slice(kind === 'put' ? at : at + 1)}`;
        const same = (one: string, two: string): boolean =>
          one
            .split('.')
            .every((part, index) => Buffer.from(part, 'base64url').equals(Buffer.from(two.split('.')[index] ?? '', 'base64url')));
        // Some bits of the last letter mean nothing: such a text is the same token.
        if (text.split('.').length === 3 && same(text, good)) return;
        expect((await jobs.identify(text)).ok).toBe(false);
      }),
      { seed: 7, numRuns: 10_000 },
    );
  });
});

const WRONG: readonly (readonly [string, () => void])[] = [
  ['is not there', () => (idp.answers.keys = (request) => request.socket.destroy())],
  ['answers an error', () => (idp.answers.keys = (_request, response) => response.writeHead(500).end('{"keys":[]}'))],
  ['answers nothing', () => (idp.answers.keys = () => {})],
  ['trickles', () => (idp.answers.keys = (_request, response) => void response.write('{"keys":['))],
  ['is huge', () => (idp.answers.keys = (_request, response) => void response.end(`{"keys":[${' '.repeat(200_000)}]}`))],
  [
    'sends elsewhere',
    () => (idp.answers.keys = (_request, response) => response.writeHead(302, { location: `${idp.url}/else` }).end()),
  ],
  ['answers a page', () => (idp.answers.keys = (_request, response) => void response.end('<html>sign in</html>'))],
  ['has no keys', () => (idp.set = { keys: [] })],
  ['has somebody else’s key under the same name', () => (idp.set = { keys: [{ ...others.jwk, kid: 'k1' }] })],
  ['has two keys of one name', () => (idp.set = { keys: [keys.jwk, { ...others.jwk, kid: 'k1' }] })],
  ['has a shared secret for a key', () => (idp.set = { keys: [{ kty: 'oct', kid: 'k1', k: 'c2VjcmV0', alg: 'RS256' }] })],
  ['has a key for encryption', () => (idp.set = { keys: [{ ...keys.jwk, use: 'enc' }] })],
  ['has a key for another algorithm', () => (idp.set = { keys: [{ ...keys.jwk, alg: 'PS256' }] })],
  ['has a short key', () => (idp.set = { keys: [{ ...keys.jwk, n: 'AQAB' }] })],
  [
    'has more keys than anybody',
    () => (idp.set = { keys: Array.from({ length: 101 }, (_each, n) => ({ ...keys.jwk, kid: `k${n}` })) }),
  ],
  [
    'is another issuer by its own word',
    () =>
      (idp.answers.discovery = (_request, response) =>
        void response.end(JSON.stringify({ issuer: 'https://evil.example', jwks_uri: `${idp.url}/keys` }))),
  ],
  [
    'has its keys on another host',
    () =>
      (idp.answers.discovery = (_request, response) =>
        void response.end(JSON.stringify({ issuer: idp.url, jwks_uri: 'http://127.0.0.2:1/keys' }))),
  ],
  ['says nothing about keys', () => (idp.answers.discovery = (_request, response) => void response.end('{}'))],
];

describe('an identity provider that is not right lets nobody in', () => {
  it.each(WRONG)('%s', async (_what, spoil) => {
    const token = await sign(claims(), keys);
    spoil();
    expect((await jobs.identify(token)).ok).toBe(false);
  });

  it('but one that is away for a while keeps nobody out, and for a day at most', async () => {
    const token = await sign(claims(), keys);
    expect((await jobs.identify(token)).ok).toBe(true);
    idp.answers.keys = (request) => request.socket.destroy();
    passedMs = 23 * 3_600_000;
    expect((await jobs.identify(token)).ok).toBe(true);
    passedMs = 24 * 3_600_000;
    expect(await jobs.identify(token)).toMatchObject({ ok: false, error: expect.stringContaining('cannot be had') });
  });

  it('and one that hangs makes wait at the first try only', async () => {
    let get: (url: string) => Promise<Result<string, string>> = async () => ok(JSON.stringify({ keys: [keys.jwk] }));
    const options = oidcOptions.parse({ issuer: idp.url, jwks: `${idp.url}/keys`, audience: AUDIENCE, rules: RULES });
    const clock = { now: () => Instant(nowS * 1_000), monotonicMs: () => passedMs };
    const held = oidc([options], { clock, ...noStore(), get: (url) => get(url) });
    const token = await sign(claims(), keys);
    expect((await held.identify(token)).ok).toBe(true);
    get = async () => err('no answer in time');
    passedMs = 3_600_000;
    expect((await held.identify(token)).ok).toBe(true);
    get = () => new Promise(() => {});
    passedMs += 60_000;
    expect((await held.identify(token)).ok).toBe(true);
  });

  it('and is not asked again and again for keys that it does not have', async () => {
    for (let n = 0; n < 200; n++)
      await jobs.identify(await sign(claims(), { ...others, jwk: { ...others.jwk, kid: `made-up-${n}` } }));
    expect(idp.asked).toBe(1);
    passedMs = 60_000;
    idp.set = { keys: [keys.jwk, others.jwk] };
    expect((await jobs.identify(await sign(claims(), others))).ok).toBe(true); // rotated meanwhile
    expect(idp.asked).toBe(2);
  });

  it('a key that it has taken back is good for an hour at most', async () => {
    const token = await sign(claims(), keys);
    expect((await jobs.identify(token)).ok).toBe(true);
    idp.set = { keys: [others.jwk] };
    passedMs = 3_600_000;
    expect((await jobs.identify(token)).ok).toBe(false);
  });
});

describe('in headgate.yaml', () => {
  const problems = (rule: string, provider = 'issuer: https://idp.example, audience: us'): string => {
    const text = `services: { shop: {} }\naccess: { oidc: [{ ${provider}, rules: [${rule}] }] }`;
    const parsed = parseConfig({ text, secrets: { env: () => '', file: () => '' }, dev: false });
    return parsed.ok ? '' : parsed.error.map(({ path, message }) => `${path} ${message}`).join('\n');
  };
  it.each([
    ['{ role: operator, repositoryId: 7, ref: refs/heads/main, services: [shop] }', ''],
    ['{ role: viewer, projectId: 7 }', ''],
    ['{ role: operator, repositoryId: 7 }', 'any branch could do this otherwise'],
    ['{ role: operator, ref: refs/heads/main }', 'any job of the provider would fit otherwise'],
    ['{ role: operator, repositoryId: acme/shop, ref: main }', 'the number of it, not its name'],
    ['{ repositoryId: 7, ref: main }', 'either a role or scopes'],
    ['{ role: viewer, repositoryId: 7, services: [shp] }', 'shp'],
    ['{ role: viewer, repositoryId: 7, subject: "repo:*" }', 'unknown key'],
  ])('%s', (rule, words) => {
    if (words === '') expect(problems(rule)).toBe('');
    else expect(problems(rule)).toContain(words);
  });
  it.each(['issuer: http://idp.example, audience: us', 'issuer: https://a:b@idp.example, audience: us'])(
    'not from %s',
    (provider) => {
      expect(problems('{ role: viewer, projectId: 7 }', provider)).not.toBe('');
    },
  );
  it('no algorithm with a shared secret', () => {
    expect(
      problems('{ role: viewer, projectId: 7 }', 'issuer: https://idp.example, audience: us, algorithms: [HS256]'),
    ).toContain('public key');
  });
});

it('a job starts a release by its token alone, its person cannot approve it, and the audit says where it came from', async () => {
  const rule = '{ role: operator, services: [mine], repositoryId: 74, ref: refs/heads/main }';
  const world = await guarded(`access: { oidc: [{ issuer: "${idp.url}", audience: "${AUDIENCE}", rules: [${rule}] }] }`);
  const atS = Math.floor(Date.now() / 1_000);
  const token = await sign(claims({ iat: atS, nbf: atS, exp: atS + 300 }), keys);
  await world.call('/v1/services/mine/stable', { method: 'PUT', token, body: { version: '1' } });
  const started = await world.call('/v1/releases', {
    method: 'POST',
    token,
    body: { plan: planOf('mine', [{ approve: { within: '1h' } }, '5%']), version: '2' },
  });
  expect(started, started.text).toMatchObject({ status: 201, body: { createdBy: 'acme/shop run 1234' } });
  const { id, planHash } = started.body;
  expect(
    (await world.call('/v1/releases', { method: 'POST', token, body: { plan: planOf('other'), version: '2' } })).status,
  ).toBe(403);
  const [row] = (await world.call('/v1/audit?limit=1')).body['items'];
  expect(row).toMatchObject({
    actor: 'acme/shop run 1234',
    action: 'release.start',
    origin: { kind: 'ci', token: null, provenance: { run: '1234', sha: 'c0ffee', actor: 'ann' } },
  });
  await expect.poll(async () => (await world.call(`/v1/releases/${id}`)).body['phase'].kind).toBe('awaitingApproval');
  const approve = async (name: string, body: object = {}) =>
    world.call(`/v1/releases/${id}/commands/approve`, {
      method: 'POST',
      token: await world.token({ name, role: 'approver' }),
      body,
    });
  expect(await approve('Ann')).toMatchObject({
    status: 409,
    body: { detail: "Ann asked for this release, and an approval is somebody else's" },
  });
  expect((await approve('bob', { planHash: '0'.repeat(64) })).status).toBe(412);
  expect((await approve('bob', { planHash })).status).toBe(200);
  const events = (await world.call(`/v1/releases/${id}/events?limit=200`)).body['items'];
  expect(events.find(({ type }: { type: string }) => type === 'approval.given')).toMatchObject({ subject: 'bob', planHash });
  expect(world.logged.join('\n') + JSON.stringify(events)).not.toContain(token);
  await world.close();
});
