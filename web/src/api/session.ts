/** Who we are to the service, where it asks. Without that part, or with `--dev`, everybody is somebody and may act. */
import { call } from './client.ts';
import type { Answer } from './client.ts';

export type Session = {
  readonly name: string;
  readonly kind: string;
  readonly scopes: readonly string[];
  readonly services: readonly string[] | null;
  readonly dev: boolean;
};

export type Identity =
  | { readonly kind: 'known'; readonly session: Session }
  /** The service asks nobody who he is. */
  | { readonly kind: 'open' }
  /** `why`: what became of the session; null when there was none. */
  | { readonly kind: 'signed-out'; readonly why: string | null };

/** Null when that cannot be told; whoever is unknown hears so from `onUnknown`, as after any other question. */
export async function whoAmI(): Promise<Identity | null> {
  const answer = await call<Session>('/v1/session');
  if (answer.ok) return { kind: 'known', session: answer.value };
  const { error } = answer;
  return error.kind === 'unreachable' || error.status >= 500 || [401, 429].includes(error.status) ? null : { kind: 'open' };
}

export const signIn = (token: string): Promise<Answer<Session>> =>
  call<Session>('/v1/session', { method: 'POST', body: { token: token.trim() } });

/** What this tab kept of what was typed goes, too: the next one who signs in is somebody else. */
export async function signOut(): Promise<Answer<unknown>> {
  try {
    sessionStorage.clear();
  } catch {
    // a browser that keeps nothing
  }
  return call('/v1/session', { method: 'DELETE' });
}
