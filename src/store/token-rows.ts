/** What both stores ask of a token. */
import { scopesOf } from '../domain/rights.ts';
import type { StoredToken } from '../ports/token-store.ts';

/** For all services: one that is bound to some cannot let anybody else in everywhere. */
export const isAdmin = (token: Pick<StoredToken, 'role' | 'scopes' | 'services'>): boolean =>
  token.services === null && scopesOf(token).includes('admin');
