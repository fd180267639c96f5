/** Answers of requests with an Idempotency-Key, in memory. */
import type { Instant } from '../domain/ids.ts';
import { ANSWERS_KEPT_MS } from '../ports/store.ts';
import type { Once, Store, StoredAnswer } from '../ports/store.ts';

export type MemoryAnswers = {
  /** Whether the key was used already: then nothing may be done. */
  has<T>(once: Once<T> | null | undefined): boolean;
  keep<T>(once: Once<T> | null | undefined, done: T): void;
  forget(): number;
  readonly methods: Pick<Store, 'answered'>;
};

export function memoryAnswers(now: () => Instant): MemoryAnswers {
  const kept = new Map<string, StoredAnswer & { readonly at: Instant }>();
  const find = (principal: string, key: string): StoredAnswer | null => {
    const found = kept.get(`${principal} ${key}`);
    return found && now() - ANSWERS_KEPT_MS <= found.at ? { digest: found.digest, answer: found.answer } : null;
  };
  return {
    has: (once) => !!once && find(once.principal, once.key) !== null,
    keep(once, done) {
      if (!once) return;
      // As it would come back from a database.
      const answer: unknown = structuredClone(once.answer(done));
      kept.set(`${once.principal} ${once.key}`, { digest: once.digest, answer, at: now() });
    },
    forget() {
      const old = [...kept].filter(([, { at }]) => at < now() - ANSWERS_KEPT_MS);
      for (const [key] of old) kept.delete(key);
      return old.length;
    },
    methods: { answered: async (principal, key) => find(principal, key) },
  };
}
