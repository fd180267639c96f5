/** What every store promises of tokens and sessions. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Instant } from '../../src/domain/ids.ts';
import type { Role } from '../../src/domain/rights.ts';
import type { NewToken } from '../../src/ports/token-store.ts';
import type { Store } from '../../src/ports/store.ts';
import { HOUR, NOON } from '../story.ts';
import type { OpenStore } from './store.suite.ts';

const audit = { actor: 'ann', action: 'test', subject: 'x', reason: null, data: {} };

const token = (id: string, parent: string | null = null, role: Role = 'viewer'): NewToken => ({
  id,
  digest: `digest of ${id}`,
  kind: 'person',
  name: id,
  role,
  scopes: [],
  services: null,
  parent,
  createdBy: 'ann',
  expiresAt: Instant(NOON + HOUR),
});

export function tokensSuite(name: string, open: OpenStore): void {
  describe(`tokens in a store ${name}`, () => {
    let nowMs = NOON as number;
    let store: Store;
    beforeEach(async () => {
      nowMs = NOON;
      store = await open(() => Instant(nowMs));
    });
    afterEach(() => store.close());

    it('keeps the keys of an identity provider, the newest in place of those before, by their owner', async () => {
      const owner = { issuer: 'https://idp.example', jwks: '' };
      expect(await store.keptKeys(owner)).toBeNull();
      await store.keepKeys({ ...owner, keys: 'one' });
      nowMs += 5;
      await store.keepKeys({ ...owner, keys: 'two' });
      await store.keepKeys({ ...owner, jwks: 'https://keys.example', keys: 'three' });
      expect(await store.keptKeys(owner)).toEqual({ keys: 'two', at: NOON + 5 });
      expect(await store.keptKeys({ ...owner, issuer: 'https://other.example' })).toBeNull();
    });

    it('makes one token for one key, and keeps no word of what it was', async () => {
      const once = { principal: 'person:ann', key: 'k', digest: 'd', answer: ({ id }: { id: string }) => ({ made: id }) };
      expect(await store.addToken(token('a'), audit, once)).toMatchObject({ id: 'a' });
      const rows = await store.auditHead();
      expect(await store.addToken(token('b'), audit, once)).toBeNull();
      expect(await store.tokenByDigest('digest of b')).toBeNull();
      expect(await store.auditHead()).toEqual(rows);
      expect(await store.answered('person:ann', 'k')).toEqual({ digest: 'd', answer: { made: 'a' } });
    });

    it('finds a token by its digest and nothing by another, and notes its use', async () => {
      await store.addToken(token('a'), audit);
      await store.touchToken('a', Instant(NOON + 5));
      expect(await store.tokenByDigest('digest of a')).toMatchObject({ id: 'a', lastUsedAt: NOON + 5, revokedAt: null });
      expect(await store.tokenByDigest('a')).toBeNull();
    });

    it('revokes a token with every session made from it, once, and gives no session to one that is revoked', async () => {
      await store.addToken(token('a'), audit);
      await store.addToken(token('s', 'a'), audit);
      nowMs += 1;
      const entry = ({ name: subject }: { readonly name: string }) => ({ ...audit, subject });
      expect(await store.revokeToken('a', entry)).toMatchObject({ revokedAt: NOON + 1 });
      expect((await store.audit({ limit: 1, before: null })).rows).toMatchObject([{ subject: 'a' }]);
      expect(await store.revokeToken('a', entry)).toBeNull();
      expect(await store.tokenByDigest('digest of s')).toMatchObject({ revokedAt: NOON + 1 });
      expect(await store.addToken(token('late', 'a'), audit)).toMatchObject({ revokedAt: NOON + 1 });
      expect(await store.tokenByDigest('digest of late')).toMatchObject({ revokedAt: NOON + 1 });
    });

    it('pages tokens from the newest, without sessions', async () => {
      for (const id of ['a', 'b', 'c']) {
        await store.addToken(token(id), audit);
        await store.addToken(token(`session of ${id}`, id), audit);
      }
      const first = await store.tokens({ limit: 2, cursor: null });
      const rest = await store.tokens({ limit: 2, cursor: first.next });
      expect([first, rest].map(({ rows }) => rows.map(({ id }) => id))).toEqual([['c', 'b'], ['a']]);
      expect(rest.next).toBeNull();
    });

    it('has an admin as long as a token of one is good', async () => {
      await store.addToken(token('viewer'), audit);
      await store.addToken({ ...token('of some', null, 'admin'), services: ['shop'] }, audit);
      expect(await store.hasAdmin()).toBe(false);
      await store.addToken(token('admin', null, 'admin'), audit);
      expect(await store.hasAdmin()).toBe(true);
      nowMs += HOUR;
      expect(await store.hasAdmin()).toBe(false);
    });
  });
}
