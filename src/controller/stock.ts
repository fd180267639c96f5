/** Takes stock for `/metrics`: what stands how, from the store, so that a restart forgets none of it. */
import type { Stock } from '../ports/recorder.ts';
import type { Context } from './context.ts';

type Seen = Pick<Stock, 'loopSilence' | 'clockStep'>;

export async function takeStock(ctx: Pick<Context, 'store' | 'recorder' | 'notifiers'>, seen: Seen): Promise<void> {
  const notifiers = [...ctx.notifiers.keys()];
  const stored = await lookedUp(ctx, notifiers);
  for (const { id, desiredSecond } of stored?.targets ?? []) ctx.recorder.weight(id, 'desired', desiredSecond);
  ctx.recorder.stock({ ...seen, stored, notifiers });
}

async function lookedUp({ store }: Pick<Context, 'store'>, notifiers: readonly string[]): Promise<Stock['stored']> {
  try {
    const [tally, targets, endpoints, inbox, now] = await Promise.all([
      store.tally(),
      store.targets(null),
      store.endpoints(notifiers),
      store.inboxTally(),
      store.now(),
    ]);
    return { ...tally, targets, endpoints, inbox, now };
  } catch {
    return null; // that it does not answer is a number, too
  }
}
