/** The reference notifier: keeps what it was told, and fails as it is told to. */
import { err, ok } from '../../lib/result.ts';
import type { Notice, Notifier, NotifyError } from '../../ports/notifier.ts';

export function memoryNotifier(
  name: string,
): Notifier & { readonly heard: readonly Notice[]; failWith(error: NotifyError | null): void } {
  const heard: Notice[] = [];
  let failure: NotifyError | null = null;
  return {
    name,
    type: 'memory',
    heard,
    failWith(error) {
      failure = error;
    },
    async deliver(notice, signal) {
      if (signal.aborted) return err({ kind: 'unreachable', detail: `${name}: cancelled` });
      if (failure) return err(failure);
      heard.push(notice);
      return ok(undefined);
    },
    close: async () => {},
  };
}
