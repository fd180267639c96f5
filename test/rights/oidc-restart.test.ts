/** A restart while the identity provider is away: who is let in by the keys that it had, for how long, and by which never. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JWK } from 'jose';
import { oidc } from '../../src/adapters/identity/oidc.ts';
import { oidcOptions } from '../../src/adapters/identity/options.ts';
import { parseConfig } from '../../src/config.ts';
import { Instant } from '../../src/domain/ids.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { Result } from '../../src/lib/result.ts';
import type { JobIdentity } from '../../src/ports/job-identity.ts';
import type { Store } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { HOUR, NOON } from '../story.ts';
import { makeKeys, noLog, sign } from './idp.ts';
import type { Keys } from './idp.ts';

const ISSUER = 'https://idp.example';
const AUDIENCE = 'https://headgate.example';
const RULES = [{ role: 'viewer', projectId: 22 }];
const MINUTE = HOUR / 60;

let keys: Keys;
let others: Keys;
beforeAll(async () => {
  [keys, others] = await Promise.all([makeKeys('k1'), makeKeys('k2')]);
});

let folder: string;
let store: Store;
let nowMs: number;
let bootMs: number;
let answer: Result<string, string>;
let asked: number;

const AWAY = err('no answer in time');
const set = (...jwks: readonly JWK[]): Result<string, string> => ok(JSON.stringify({ keys: jwks }));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-keys-'));
  [nowMs, bootMs, asked, answer] = [NOON, NOON, 0, set(keys.jwk)];
  store = await openSqlite({ file: join(folder, 'a.db'), now: () => Instant(nowMs) });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function jobs(more: Record<string, unknown> = {}): JobIdentity {
  const options = oidcOptions.parse({ issuer: ISSUER, jwks: `${ISSUER}/keys`, audience: AUDIENCE, rules: RULES, ...more });
  const clock = { now: () => Instant(nowMs), monotonicMs: () => nowMs - bootMs };
  return oidc([options], {
    clock,
    store,
    log: noLog,
    get: async () => {
      asked += 1;
      return answer;
    },
  });
}

/** The process is another one; the file is the same. */
async function restarted(more: Record<string, unknown> = {}): Promise<JobIdentity> {
  await store.close();
  store = await openSqlite({ file: join(folder, 'a.db'), now: () => Instant(nowMs) });
  bootMs = nowMs;
  return jobs(more);
}

const tokenBy = (by: Keys): Promise<string> => {
  const atS = Math.floor(nowMs / 1_000);
  const claims = { iss: ISSUER, aud: AUDIENCE, iat: atS, exp: atS + 300, project_id: '22', pipeline_source: 'push' };
  return sign(claims, by);
};
const isLetIn = async (by: JobIdentity, which: Keys): Promise<boolean> => (await by.identify(await tokenBy(which))).ok;

describe('after a restart while the provider is away', () => {
  it('a job is let in by the key that the provider had, and by no other', async () => {
    expect(await isLetIn(jobs(), keys)).toBe(true);
    answer = AWAY;
    const again = await restarted();
    expect(await isLetIn(again, keys)).toBe(true);
    expect(await isLetIn(again, others)).toBe(false);
    expect(await isLetIn(again, { ...others, jwk: keys.jwk })).toBe(false);
  });

  it('for a day since the provider was last reached, however often it is started, and as long as the operator says', async () => {
    expect(await isLetIn(jobs(), keys)).toBe(true);
    answer = AWAY;
    nowMs += 23 * HOUR;
    expect(await isLetIn(await restarted(), keys)).toBe(true);
    const last = await restarted();
    expect(await isLetIn(last, keys)).toBe(true);
    nowMs += HOUR;
    expect(await last.identify(await tokenBy(keys))).toMatchObject({
      ok: false,
      error: expect.stringContaining('cannot be had'),
    });
    expect(await isLetIn(await restarted(), keys)).toBe(false);
    expect(await isLetIn(await restarted({ keepKeys: '25h' }), keys)).toBe(true);
  });

  it('a key that it has taken back is not taken any more once it was reached, and not after the next restart', async () => {
    expect(await isLetIn(jobs(), keys)).toBe(true);
    answer = AWAY;
    const again = await restarted();
    expect(await isLetIn(again, keys)).toBe(true);
    answer = set(others.jwk);
    nowMs += 5_000;
    expect(await isLetIn(again, others)).toBe(true);
    expect(await isLetIn(again, keys)).toBe(false);
    answer = AWAY;
    const last = await restarted();
    expect([await isLetIn(last, keys), await isLetIn(last, others)]).toEqual([false, true]);
  });

  it('is asked at once when it is back, and what was kept is not used when it answers', async () => {
    expect(await isLetIn(jobs(), keys)).toBe(true);
    answer = set(others.jwk);
    expect(await isLetIn(await restarted(), keys)).toBe(false);
    answer = AWAY;
    const again = await restarted();
    expect(await isLetIn(again, others)).toBe(true);
    asked = 0;
    nowMs += 5_000;
    await isLetIn(again, others);
    expect(asked).toBe(1);
  });

  it.each([
    ['a page', ok('<html>sign in</html>')],
    ['no keys', ok('{"keys":[]}')],
    ['a shared secret', ok('{"keys":[{"kty":"oct","kid":"k1","k":"c2VjcmV0"}]}')],
    ['a key for an algorithm that is none', ok('{"keys":[{"kty":"RSA","kid":"k1","alg":"RSA1_5","n":"AQAB","e":"AQAB"}]}')],
    ['far too many keys', ok(JSON.stringify({ keys: Array.from({ length: 101 }, (_each, n) => ({ kty: 'RSA', kid: `${n}` })) }))],
  ])('%s does not get among what is kept, and lets nobody in', async (_what, rubbish) => {
    expect(await isLetIn(jobs(), keys)).toBe(true);
    const [owner, before] = [{ issuer: ISSUER, jwks: `${ISSUER}/keys` }, await keptText()];
    answer = rubbish;
    expect(await isLetIn(await restarted(), keys)).toBe(false);
    expect((await store.keptKeys(owner))?.keys).toBe(before);
  });

  it('nothing is kept of a key but what is public', async () => {
    answer = set({ ...keys.jwk, d: 'private', p: 'private', x5c: ['a certificate'], ...{ more: 'x'.repeat(1_000) } });
    expect(await isLetIn(jobs(), keys)).toBe(true);
    expect(JSON.parse((await keptText()) ?? '')).toEqual({ keys: [keys.jwk] });
  });

  it('keys of another address, from the future, or that somebody wrote into the file as rubbish are not used', async () => {
    expect(await isLetIn(jobs(), keys)).toBe(true);
    answer = AWAY;
    expect(await isLetIn(await restarted({ jwks: `${ISSUER}/others` }), keys)).toBe(false);
    nowMs -= 2 * MINUTE;
    expect(await isLetIn(await restarted(), keys)).toBe(false);
    nowMs += 2 * MINUTE;
    await store.keepKeys({ issuer: ISSUER, jwks: `${ISSUER}/keys`, keys: '{"keys":"k1"}' });
    expect(await isLetIn(await restarted(), keys)).toBe(false);
  });

  it('nobody is kept out because the keys could not be kept', async () => {
    store = { ...store, keepKeys: () => Promise.reject(new Error('the disk is full')) };
    expect(await isLetIn(jobs(), keys)).toBe(true);
  });
});

const keptText = async (): Promise<string | undefined> =>
  (await store.keptKeys({ issuer: ISSUER, jwks: `${ISSUER}/keys` }))?.keys;

it.each([
  ['1h', ''],
  ['7d', ''],
  ['59m', 'an hour at least, and a week at most'],
  ['8d', 'an hour at least, and a week at most'],
])('keepKeys: %s', (time, words) => {
  const text = `access: { oidc: [{ issuer: https://idp.example, audience: us, keepKeys: ${time}, rules: [{ role: viewer, projectId: 7 }] }] }`;
  const parsed = parseConfig({ text, secrets: { env: () => '', file: () => '' }, dev: false });
  expect(parsed.ok ? '' : parsed.error.map(({ message }) => message).join()).toBe(words);
});
