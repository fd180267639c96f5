/** The operator's own automation, called over HTTP: a signed POST of JSON with an idempotency key. */
import { err, ok } from '../../lib/result.ts';
import type { HookName, Hooks } from '../../ports/hook.ts';
import { exchange } from '../notify/exchange.ts';
import type { Wire } from '../notify/exchange.ts';
import { signedHeaders } from '../notify/signed.ts';

export type HookUrls = ReadonlyMap<string, Readonly<Partial<Record<HookName, string>>>>;
export type HookSecrets = ReadonlyMap<string, readonly string[]>;

export const httpHooks = (urls: HookUrls, secrets: HookSecrets, wire: Wire): Hooks => ({
  has: (service, hook) => urls.get(service)?.[hook] !== undefined,
  async call({ service, hook, key, payload }, signal) {
    const url = urls.get(service)?.[hook];
    if (url === undefined) return ok('done');
    const body = JSON.stringify({ hook, ...(typeof payload === 'object' ? payload : { payload }) });
    const atSeconds = wire.wallSeconds();
    const signed = signedHeaders({ id: key, body, secrets: secrets.get(service) ?? [], atSeconds });
    const headers = { ...signed, 'idempotency-key': key };
    const answer = await exchange(wire, { method: 'POST', url, headers, body }, signal);
    if (!answer.ok) return err(answer.error);
    const { status } = answer.value;
    if (status === 202) return ok('accepted');
    return 200 <= status && status < 300 ? ok('done') : err(`the receiver answered ${status}`);
  },
});
