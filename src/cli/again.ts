/** Asks again while the service is away or busy with the same request. The key of the request sees to it that it is done once. */
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../lib/backoff.ts';
import type { Answer, ClientError } from './client.ts';
import { errorText } from './output.ts';

export type Patience = { readonly ms: number; note(text: string): void };

const RETRY = { firstMs: 250, maxMs: 5_000 };

/** Never sooner than the service asked for. */
export const pauseOf = (error: ClientError, failures: number): number =>
  Math.max(backoffMs(RETRY, failures, 0.5), error.kind === 'refused' ? (error.retryAfterMs ?? 0) : 0);

export async function again<T>(ask: () => Answer<T>, { ms, note }: Patience): Answer<T> {
  const endMs = performance.now() + ms;
  for (let failures = 1; ; failures++) {
    const answer = await ask();
    if (answer.ok) return answer;
    const pauseMs = pauseOf(answer.error, failures);
    if (!mayPass(answer.error) || endMs <= performance.now() + pauseMs) return answer;
    if (failures === 1) note(`${errorText(answer.error)}; trying again`);
    await delay(pauseMs);
  }
}

const TOO_MANY = 429;
const IN_FLIGHT = 'urn:headgate:problem:in-flight';

/** Nothing was decided: the same may well be taken in a moment. */
export const mayPass = (error: ClientError): boolean =>
  error.kind === 'unreachable' ||
  error.status >= 500 ||
  error.status === TOO_MANY ||
  (error.kind === 'refused' && error.problem.type === IN_FLIGHT);
