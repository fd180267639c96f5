/** Any store, with its failures counted. */
import { StoreUnavailable } from '../ports/store.ts';
import type { Store } from '../ports/store.ts';

export function countedStore(store: Store, failed: () => void): Store {
  const counted =
    (original: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      try {
        const answer = await original(...args);
        if (isBusy(answer)) failed();
        return answer;
      } catch (error) {
        if (error instanceof StoreUnavailable) failed();
        throw error;
      }
    };
  // A port is a plain object of asynchronous functions; each keeps the type that it had before.
  const wrapped = Object.entries(store).map(([method, original]) => [
    method,
    counted(original as (...args: unknown[]) => Promise<unknown>),
  ]);
  return { ...store, ...(Object.fromEntries(wrapped) as Partial<Store>) };
}

/** The refusals of `commit` and its like that are the store's own trouble; `stale` is not. */
function isBusy(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || !('ok' in answer) || answer.ok !== false || !('error' in answer))
    return false;
  const { error } = answer;
  return typeof error === 'object' && error !== null && 'kind' in error && error.kind === 'busy';
}
