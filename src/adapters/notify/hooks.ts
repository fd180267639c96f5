/** The operator's own automation, called over HTTP: a signed POST of JSON with an idempotency key. */
import { err, ok } from '../../lib/result.ts';
import type { HookName, Hooks } from '../../ports/hook.ts';
import { answerTo } from '../outgoing/client.ts';
import type { Wire } from './answer.ts';
import { signedPost } from './signed.ts';

export type HookUrls = ReadonlyMap<string, Readonly<Partial<Record<HookName, string>>>>;
export type HookSecrets = ReadonlyMap<string, readonly string[]>;

export const httpHooks = (urls: HookUrls, secrets: HookSecrets, { send, wallSeconds }: Wire): Hooks => ({
  has: (service, hook) => urls.get(service)?.[hook] !== undefined,
  async call({ service, hook, key, payload }, signal) {
    const url = urls.get(service)?.[hook];
    if (url === undefined) return ok('done');
    const body = JSON.stringify({ hook, ...(typeof payload === 'object' ? payload : { payload }) });
    const atSeconds = wallSeconds();
    const ask = signedPost({ id: key, url, body, secrets: secrets.get(service) ?? [], atSeconds });
    const answer = await answerTo(send, { ...ask, headers: { ...ask.headers, 'idempotency-key': key } }, signal);
    if (!answer.ok) return err(answer.error);
    const { status } = answer.value;
    if (status === 202) return ok('accepted');
    return 200 <= status && status < 300 ? ok('done') : err(`the receiver answered ${status}`);
  },
});
