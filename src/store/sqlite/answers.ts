/** What requests with an Idempotency-Key were answered, written in the transaction of their effect. */
import { and, eq, lt } from 'drizzle-orm';
import { ANSWERS_KEPT_MS } from '../../ports/store.ts';
import type { Once, Store } from '../../ports/store.ts';
import { Stale } from './context.ts';
import type { SqliteContext } from './context.ts';
import { idempotency } from './tables.ts';

export const answerMethods = ({ db, now, read }: SqliteContext): Pick<Store, 'answered'> => ({
  answered: async (principal, key) =>
    read(() => {
      const row = db.select().from(idempotency).where(keyed(principal, key)).get();
      return row && now() - ANSWERS_KEPT_MS <= row.atMs ? { digest: row.digest, answer: row.answer } : null;
    }),
});

/** Within the transaction of what was done. */
export function keepAnswer<T>({ db, now }: SqliteContext, once: Once<T> | null | undefined, done: T): void {
  if (!once) return;
  const { principal, key, digest } = once;
  const atMs = now();
  db.delete(idempotency)
    .where(and(keyed(principal, key), lt(idempotency.atMs, atMs - ANSWERS_KEPT_MS)))
    .run();
  const { changes } = db
    .insert(idempotency)
    .values({ principal, key, digest, answer: once.answer(done), atMs })
    .onConflictDoNothing()
    .run();
  if (changes === 0) throw new Stale(`the request ${key} was answered meanwhile`);
}

export const forgetAnswers = ({ db, now }: SqliteContext): number =>
  db
    .delete(idempotency)
    .where(lt(idempotency.atMs, now() - ANSWERS_KEPT_MS))
    .run().changes;

const keyed = (principal: string, key: string) => and(eq(idempotency.principal, principal), eq(idempotency.key, key));
