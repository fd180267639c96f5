/** Keys of identity providers, in memory. */
import type { Instant } from '../domain/ids.ts';
import type { KeyOwner, KeyStore } from '../ports/key-store.ts';

export function memoryKeys(now: () => Instant): KeyStore {
  const kept = new Map<string, { readonly keys: string; readonly at: Instant }>();
  const nameOf = ({ issuer, jwks }: KeyOwner): string => JSON.stringify([issuer, jwks]);
  return {
    keepKeys: async ({ keys, ...owner }) => void kept.set(nameOf(owner), { keys, at: now() }),
    keptKeys: async (owner) => kept.get(nameOf(owner)) ?? null,
  };
}
