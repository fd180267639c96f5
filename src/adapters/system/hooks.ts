/** The operator's own automation, called over HTTP: a POST of JSON with an idempotency key. */
import { err, ok } from '../../lib/result.ts';
import type { HookName, Hooks } from '../../ports/hook.ts';

export type HookUrls = ReadonlyMap<string, Readonly<Partial<Record<HookName, string>>>>;

export const httpHooks = (urls: HookUrls, fetch: typeof globalThis.fetch): Hooks => ({
  has: (service, hook) => urls.get(service)?.[hook] !== undefined,
  async call({ service, hook, key, payload }, signal) {
    const url = urls.get(service)?.[hook];
    if (url === undefined) return ok('done');
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ hook, ...(typeof payload === 'object' ? payload : { payload }) }),
        redirect: 'error',
        signal,
      });
      await answer.body?.cancel();
      if (answer.status === 202) return ok('accepted');
      return answer.ok ? ok('done') : err(`the receiver answered ${answer.status}`);
    } catch (error) {
      return err(reason(error));
    }
  },
});

/** What went wrong on the wire, without the URL, which may hold a secret. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  return code ?? cause.message;
}
