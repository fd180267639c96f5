/** The public keys of identity providers as they last: for a restart while a provider is away. One method is one transaction. */
import type { Instant } from '../domain/ids.ts';

/** Whose they are: the issuer, and where its keys were said to be (empty where it says so itself). */
export type KeyOwner = { readonly issuer: string; readonly jwks: string };

export type KeyStore = {
  /** In place of those that were kept of the same owner. */
  keepKeys(kept: KeyOwner & { readonly keys: string }): Promise<void>;
  /** With the time at which they were kept. */
  keptKeys(owner: KeyOwner): Promise<{ readonly keys: string; readonly at: Instant } | null>;
};
