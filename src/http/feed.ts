/**
 * What is committed, read once for all who follow it. A follower is a position; what it gets next comes from the newest
 * entries, which all share, or from the store when it is further behind. So none is skipped, none comes twice, a slow
 * follower holds nothing, and nobody looks at the store while nobody waits.
 */
import type { Clock } from '../ports/clock.ts';
import type { LoggedEvent, Store } from '../ports/store.ts';
import { viewEvent } from './views.ts';

const LOOK_MS = 100;
const BATCH = 250;
/** So many of the newest are kept for all: seconds of a busy service. */
const KEPT = 2_000;

export type Entry = LoggedEvent & {
  /** As it is sent to a stream of events; made once, however many read it. */
  block(): Uint8Array;
};

export type Feed = {
  /** What was committed after the position, in order; waits for it, and answers with nothing when the signal comes first. */
  after(position: number, signal: AbortSignal): Promise<readonly Entry[]>;
};

type Deps = {
  readonly store: Pick<Store, 'events' | 'lastPosition'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly closing: AbortSignal;
};

export function feed(deps: Deps): Feed {
  const waiting = bell();
  /** All from `start` (not in it) to `tail`. */
  let kept: Entry[] = [];
  let start = 0;
  let tail = 0;
  let looking = false;
  let trouble: unknown = null;

  const read = async (position: number): Promise<Entry[]> =>
    (await deps.store.events({ afterPosition: position, limit: BATCH })).map(entryOf);

  async function look(): Promise<void> {
    looking = true;
    try {
      while (waiting.size() > 0 && !deps.closing.aborted) {
        const from = tail;
        const found = await read(from);
        // Somebody further ahead may have moved the end meanwhile.
        if (found.length > 0 && from === tail) {
          kept = [...kept, ...found].slice(-KEPT);
          tail = found.at(-1)?.position ?? tail;
          start = kept.length < KEPT ? start : (kept[0]?.position ?? tail) - 1;
          waiting.ring();
        }
        if (waiting.size() > 0) await deps.clock.sleep(LOOK_MS, deps.closing);
      }
    } catch (error) {
      trouble = error;
    } finally {
      looking = false;
      waiting.ring();
    }
  }

  async function next(signal: AbortSignal): Promise<void> {
    const rung = waiting.rung(signal);
    if (!looking) {
      trouble = null;
      void look();
    }
    await rung;
    if (trouble !== null) throw trouble;
  }

  return {
    async after(asked, signal) {
      let position = asked;
      while (!signal.aborted && !deps.closing.aborted) {
        if (position < start) {
          const from = start;
          const found = await read(position);
          if (found.length > 0) return found;
          // What was between is older than what is kept.
          position = from;
          continue;
        }
        if (tail < position) {
          // Nobody is ahead of what is committed, whatever a client says: all would wait for that with it.
          position = Math.min(position, await deps.store.lastPosition());
          if (position <= tail) continue;
          kept = [];
          start = tail = position;
          // Whoever waits further behind reads for itself what this one has read already.
          waiting.ring();
        }
        if (position < tail) return kept.slice(firstAfter(kept, position));
        await next(signal);
      }
      return [];
    },
  };
}

/** Wakes everybody who waits for it. */
function bell() {
  const waiting = new Set<() => void>();
  return {
    size: () => waiting.size,
    ring(): void {
      const woken = [...waiting];
      waiting.clear();
      for (const go of woken) go();
    },
    /** Comes back when it rings, or when the signal comes first. */
    async rung(signal: AbortSignal): Promise<void> {
      if (signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const go = (): void => resolve();
      waiting.add(go);
      signal.addEventListener('abort', go, { once: true });
      await promise;
      waiting.delete(go);
      signal.removeEventListener('abort', go);
    },
  };
}

const encoder = new TextEncoder();

function entryOf(logged: LoggedEvent): Entry {
  let made: Uint8Array | null = null;
  const make = (): Uint8Array => encoder.encode(`data: ${JSON.stringify(viewEvent(logged.event))}\nid: ${logged.position}\n\n`);
  return { ...logged, block: () => (made ??= make()) };
}

/** Index of the first one behind the position; they are in order. */
function firstAfter(entries: readonly Entry[], position: number): number {
  let low = 0;
  for (let high = entries.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.position ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
