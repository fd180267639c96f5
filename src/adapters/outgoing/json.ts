/** One exchange of JSON, strictly: every way to fail is a sentence. */
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import { answerTo } from './client.ts';
import type { Ask, Send } from './client.ts';

/** The JSON of an answer, undefined for `204`; the error says what else came. `told` finds a store's own words in its error. */
export async function exchange(
  send: Send,
  ask: Ask,
  told: (json: unknown) => string | null,
  signal: AbortSignal,
): Promise<Result<unknown, string>> {
  const answer = await answerTo(send, ask, signal);
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  if (status === 204) return ok(undefined);
  const json = parsed(body);
  if (status === 200) return json === undefined ? err('the answer is no JSON') : ok(json);
  if (300 <= status && status < 400) return err(`answered ${status}, a redirect, and those are not followed`);
  const words = told(json);
  return err(`answered ${status}${words === null ? '' : `: ${words.slice(0, 300)}`}`);
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
