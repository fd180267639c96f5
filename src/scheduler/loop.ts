/**
 * A loop that never overlaps itself: claims a batch, starts what fits, sleeps, again. It runs on monotonic time, so a step
 * of the machine's clock neither stops nor speeds it; after a pause it goes on with now and repeats nothing it missed.
 */
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { StoreUnavailable } from '../ports/store.ts';

export type LoopSpec = {
  readonly name: string;
  /** One round: claims and starts work, and says how long to sleep (0: at once, there is more). Its failure ends only the round. */
  readonly round: (signal: AbortSignal) => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
};

export type Loop = {
  /** Ends the present sleep: there is something to do. */
  nudge(): void;
  /** Monotonic time of the last round that came through. */
  readonly lastRoundMs: number;
  /** Resolves when the loop has ended after its signal fired. */
  readonly done: Promise<void>;
};

/** A reason of our own: making the default one costs more than the sleep. */
const WOKEN = 'woken';
const AFTER_FAILURE_MS = 1_000;

export function loop({ name, round, clock, log }: LoopSpec, signal: AbortSignal): Loop {
  let lastRoundMs = clock.monotonicMs();
  let nap = new AbortController();
  let nudged = false;
  signal.addEventListener('abort', () => nap.abort(WOKEN), { once: true });
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const sleepMs = await tryRound();
      if (signal.aborted) return;
      if (nudged) nudged = false;
      else await rest(sleepMs);
      nudged = false;
    }
  };
  const tryRound = async (): Promise<number> => {
    try {
      const sleepMs = await round(signal);
      lastRoundMs = clock.monotonicMs();
      return sleepMs;
    } catch (error) {
      // A loop that finds no store came round all the same; a restart would bring the store back only where it says so.
      if (error instanceof StoreUnavailable && !error.forGood) lastRoundMs = clock.monotonicMs();
      if (!signal.aborted) log.error({ loop: name, error: String(error) }, `the ${name} loop failed a round and goes on`);
      return AFTER_FAILURE_MS;
    }
  };
  const rest = async (ms: number): Promise<void> => {
    nap = new AbortController();
    await clock.sleep(ms, nap.signal);
  };
  return {
    nudge() {
      nudged = true;
      nap.abort(WOKEN);
    },
    get lastRoundMs() {
      return lastRoundMs;
    },
    done: run(),
  };
}
