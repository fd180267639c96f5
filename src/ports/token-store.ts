/** API tokens and sessions of the console as they last: never the secret, only its digest. */
import type { Instant } from '../domain/ids.ts';
import type { Grant } from '../domain/rights.ts';
import type { AuditEntry, Once, Page } from './store.ts';

export type NewToken = Grant & {
  readonly id: string;
  readonly digest: string;
  readonly kind: 'person' | 'ci';
  readonly name: string;
  /** The token that a session was made from: it dies with it. */
  readonly parent: string | null;
  readonly createdBy: string;
  readonly expiresAt: Instant;
};

export type StoredToken = Omit<NewToken, 'digest'> & {
  readonly createdAt: Instant;
  readonly lastUsedAt: Instant | null;
  readonly revokedAt: Instant | null;
};

export type TokenStore = {
  /** Null where the key has its answer already: then nothing was done. */
  addToken(token: NewToken, audit: AuditEntry, once?: Once<StoredToken> | null): Promise<StoredToken | null>;
  /** Whatever has become of it: expired and revoked ones are found as well. */
  tokenByDigest(digest: string): Promise<StoredToken | null>;
  /** Without sessions, newest first. */
  tokens(query: { readonly limit: number; readonly cursor: string | null }): Promise<Page<StoredToken>>;
  touchToken(id: string, at: Instant): Promise<void>;
  /** Of a token with all sessions made from it; null when there is none, or none that is not revoked. */
  revokeToken(id: string, audit: (revoked: StoredToken) => AuditEntry): Promise<StoredToken | null>;
  /** Whether a token, that is no session, has this right now. */
  hasAdmin(): Promise<boolean>;
};
