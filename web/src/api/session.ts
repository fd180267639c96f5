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

/**
 * The first word counts: what was under way may be answered after it, and a token that was mistyped is no news. A browser
 * drops the cookie of a session that has expired, so that nothing is shown to the service any longer, and it cannot say why.
 */
export function signedOut(before: Identity | null, why: string | null): Identity {
  if (before?.kind === 'signed-out') return before;
  const over = before?.kind === 'known' ? 'the session has expired, or was ended in another tab' : null;
  return { kind: 'signed-out', why: why ?? over };
}

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
