/** API tokens and sessions in memory. */
import type { Instant } from '../domain/ids.ts';
import type { AuditEntry } from '../ports/store.ts';
import type { StoredToken, TokenStore } from '../ports/token-store.ts';
import { cursorOf, parseCursor } from '../lib/cursor.ts';
import type { MemoryAnswers } from './memory-answers.ts';
import { isAdmin } from './token-rows.ts';

export type MemoryTokens = { readonly methods: TokenStore; retain(olderThan: Instant): number };

export function memoryTokens(
  now: () => Instant,
  audited: (entry: AuditEntry) => void,
  answers: Pick<MemoryAnswers, 'has' | 'keep'>,
): MemoryTokens {
  const byId = new Map<string, StoredToken>();
  const idOf = new Map<string, string>();
  const found = (id: string): StoredToken | null => byId.get(id) ?? null;
  return {
    methods: {
      async addToken({ digest, ...token }, entry, once) {
        if (answers.has(once)) return null;
        const revokedAt = found(token.parent ?? '')?.revokedAt ?? null;
        const stored = { ...token, createdAt: now(), lastUsedAt: null, revokedAt };
        byId.set(token.id, stored);
        idOf.set(digest, token.id);
        audited(entry);
        answers.keep(once, stored);
        return stored;
      },
      tokenByDigest: async (digest) => found(idOf.get(digest) ?? ''),
      async tokens({ limit, cursor }) {
        const key = parseCursor(cursor);
        const rows = [...byId.values()]
          .filter(({ parent }) => parent === null)
          .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
          .filter(({ createdAt, id }) => key === null || createdAt < key.ms || (createdAt === key.ms && id < key.id));
        const shown = rows.slice(0, limit);
        const last = shown.at(-1);
        return { rows: shown, next: rows.length > limit && last ? cursorOf({ ms: last.createdAt, id: last.id }) : null };
      },
      async touchToken(id, at) {
        const token = found(id);
        if (token) byId.set(id, { ...token, lastUsedAt: at });
      },
      async revokeToken(id, entryOf) {
        const token = found(id);
        if (!token || token.revokedAt !== null) return null;
        for (const each of byId.values())
          if ((each.id === id || each.parent === id) && each.revokedAt === null) byId.set(each.id, { ...each, revokedAt: now() });
        const revoked = { ...token, revokedAt: now() };
        audited(entryOf(revoked));
        return revoked;
      },
      hasAdmin: async () =>
        [...byId.values()].some(
          (token) => token.parent === null && token.revokedAt === null && now() < token.expiresAt && isAdmin(token),
        ),
    },
    retain(olderThan) {
      const old = [...byId.values()].filter(({ parent, expiresAt }) => parent !== null && expiresAt < olderThan);
      for (const { id } of old) byId.delete(id);
      return old.length;
    },
  };
}
