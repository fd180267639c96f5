/** Keys of identity providers: one row each, as they were when the provider was last reached. */
import { and, eq } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { KeyStore } from '../../ports/key-store.ts';
import type { SqliteContext } from './context.ts';
import { identityKeys } from './tables.ts';

export const keyMethods = (ctx: SqliteContext): KeyStore => ({
  async keepKeys({ issuer, jwks, keys }) {
    ctx.write(() => {
      const fresh = { keys, atMs: ctx.now() };
      ctx.db
        .insert(identityKeys)
        .values({ issuer, jwks, ...fresh })
        .onConflictDoUpdate({ target: [identityKeys.issuer, identityKeys.jwks], set: fresh })
        .run();
    });
  },
  keptKeys: async ({ issuer, jwks }) =>
    ctx.read(() => {
      const row = ctx.db
        .select()
        .from(identityKeys)
        .where(and(eq(identityKeys.issuer, issuer), eq(identityKeys.jwks, jwks)))
        .get();
      return row ? { keys: row.keys, at: Instant(row.atMs) } : null;
    }),
});
