/** The loops of flags: the inbox of webhooks, and our own looks at the flags that matter now. */
import type { Context } from '../controller/context.ts';
import type { FlagWork } from '../controller/flag-work.ts';
import { loop } from './loop.ts';

export type InboxLoops = {
  /** There is something new in the inbox. */
  nudge(): void;
  silentMs(): number;
  /** Claims nothing more and waits for what runs, `graceMs` at most; then fires its signal. What is not settled is taken again. */
  stop(graceMs: number): Promise<void>;
};

const BATCH = 16;
const MIN_SLEEP_MS = 10;

export function inboxLoops(ctx: Context, work: FlagWork): InboxLoops {
  const stopping = new AbortController();
  const cut = new AbortController();
  const running = new Set<Promise<void>>();
  const round = async (): Promise<number> => {
    const free = BATCH - running.size;
    if (free <= 0) return ctx.settings.pollMs;
    const rows = await ctx.store.claimInbox({ leaseMs: ctx.settings.leaseMs, limit: free });
    for (const row of rows) {
      const one = take(ctx, () => work.take(row, cut.signal)).finally(() => {
        running.delete(one);
        inbox.nudge();
      });
      running.add(one);
    }
    const next = await ctx.store.nextInboxAt();
    const { pollMs } = ctx.settings;
    return next === null ? pollMs : Math.min(pollMs, Math.max(MIN_SLEEP_MS, next - (await ctx.store.now())));
  };
  const look = async (): Promise<number> => {
    await work.poll(cut.signal);
    return Math.min(ctx.settings.pollMs, ctx.settings.flagPollMs);
  };
  const spec = { clock: ctx.clock, log: ctx.log };
  const inbox = loop({ ...spec, name: 'inbox', round }, stopping.signal);
  const flags = loop({ ...spec, name: 'flags', round: look }, stopping.signal);
  return {
    nudge: () => inbox.nudge(),
    silentMs: () => ctx.clock.monotonicMs() - inbox.lastRoundMs,
    async stop(graceMs) {
      stopping.abort(new Error('shutting down'));
      const over = new AbortController();
      const idle = Promise.allSettled([...running, inbox.done, flags.done]).then(() => over.abort('idle'));
      await Promise.race([idle, ctx.clock.sleep(graceMs / 2, over.signal)]);
      cut.abort(new Error('shutting down'));
      await Promise.race([idle, ctx.clock.sleep(graceMs / 2, over.signal)]);
    },
  };
}

/** What fails here is not settled, so that it is taken again when its lease is over. */
async function take(ctx: Context, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    ctx.log.error(
      { error: error instanceof Error ? error.stack : String(error) },
      'working on a webhook failed; it is taken again',
    );
  }
}
