/** What this session may do, as the service said it: what it may not is shown with the reason, and not left out. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Identity } from './session.ts';

export const Rights = createContext<Identity | null>(null);

/** Why not, in words; null when it may, or when nobody said otherwise: then the service's refusal is shown. */
export function useWhyNot(scope: string): string | null {
  return whyNot(useContext(Rights), scope);
}

export function whyNot(identity: Identity | null, scope: string): string | null {
  if (identity?.kind !== 'known') return null;
  const { name, scopes } = identity.session;
  return scopes.includes(scope) ? null : `${name} is signed in without the right to ${scope}.`;
}
