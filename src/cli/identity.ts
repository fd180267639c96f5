/**
 * Who a pipeline is, by tokens that live for minutes: GitHub hands out a new one whenever it is asked, and a file may be
 * renewed, so a wait of hours outlives its first. Nothing is written down.
 */
export type Identity = {
  /** Null where there is nothing to say. */
  token(): Promise<string | null>;
  /** What was said is not believed any more; whether there is something else to say now. */
  renew(): Promise<boolean>;
};

type Env = Readonly<Record<string, string | undefined>>;

export const fixedIdentity = (token: string | null): Identity => ({ token: async () => token, renew: async () => false });

/** By a file that somebody renews, such as a secret that is mounted: it is read again when its token is not believed any more. */
export function fileIdentity(read: () => string): Identity {
  let known = read();
  return {
    token: async () => known,
    async renew() {
      const before = known;
      try {
        known = read() || before;
      } catch {
        // It is just being replaced: the next refusal looks again.
      }
      return known !== before;
    },
  };
}

/** By GitHub's own service for ID tokens; null outside of a job that may ask for them (`permissions: id-token: write`). */
export function githubIdentity(env: Env, audience: string, fetch: typeof globalThis.fetch): Identity | null {
  const url = env['ACTIONS_ID_TOKEN_REQUEST_URL'];
  const bearer = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (!url || !bearer) return null;
  let known: string | null = null;
  const ask = async (): Promise<string | null> => {
    const answer = await fetch(`${url}${url.includes('?') ? '&' : '?'}audience=${encodeURIComponent(audience)}`, {
      headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    const body: unknown = answer.ok ? await answer.json() : null;
    return typeof body === 'object' && body !== null && 'value' in body && typeof body.value === 'string' ? body.value : null;
  };
  return {
    token: async () => (known ??= await ask()),
    async renew() {
      const before = known;
      known = await ask().catch(() => null);
      return known !== null && known !== before;
    },
  };
}
