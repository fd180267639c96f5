/**
 * A deadline that holds whatever the callee does: its signal fires, and the caller goes on even when the callee ignores
 * it. Time is injected; no timer outlives the call.
 */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

export type Sleeper = { sleep(ms: number, signal?: AbortSignal): Promise<void> };

export type Deadline = { readonly ms: number; readonly signal: AbortSignal };

/** The callee's own outcome, or a rejection with `DeadlineExceeded`, or with the parent signal's reason. */
export async function withDeadline<T>(
  clock: Sleeper,
  { ms, signal }: Deadline,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const inner = new AbortController();
  const finished = new AbortController();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const giveUp = (reason: unknown): void => {
    inner.abort(reason);
    reject(reason);
  };
  const onParent = (): void => giveUp(signal.reason);
  signal.addEventListener('abort', onParent, { once: true });
  void clock.sleep(ms, finished.signal).then(() => {
    if (!finished.signal.aborted) giveUp(new DeadlineExceeded(`no answer within ${ms} ms`));
  });
  try {
    return await Promise.race([run(inner.signal), cut]);
  } finally {
    finished.abort('finished');
    signal.removeEventListener('abort', onParent);
  }
}
