/**
 * Time of a simulated world: a heap of events, ordered by time and then by when they were asked for. Nothing else moves
 * time, so an hour takes as long as its events do. Between two events everything that can go on goes on until all of it
 * waits for time again: `process.nextTick` runs when the microtask queue is empty, however deep its chains are.
 */
export type VirtualClock = {
  /** Milliseconds since the world began. */
  nowMs(): number;
  /** Runs once, `ms` from now. */
  after(ms: number, run: () => void): void;
  /** Events that have run. */
  readonly eventCount: number;
  /** Runs event after event until the time is reached, nothing is left, or `until` says so. */
  run(endMs: number, until?: () => boolean): Promise<void>;
};

type Entry = { readonly atMs: number; readonly order: number; readonly run: () => void };

export function virtualClock(): VirtualClock {
  const heap = entryHeap();
  let nowMs = 0;
  let order = 0;
  let eventCount = 0;
  return {
    nowMs: () => nowMs,
    after(ms, run) {
      heap.push({ atMs: nowMs + Math.max(0, ms), order: order++, run });
    },
    get eventCount() {
      return eventCount;
    },
    async run(endMs, until = () => false) {
      await quiet();
      while (!until()) {
        const next = heap.peek();
        if (!next || next.atMs > endMs) break;
        heap.pop();
        nowMs = next.atMs;
        eventCount++;
        next.run();
        await quiet();
      }
      if (!until()) nowMs = Math.max(nowMs, endMs);
    },
  };
}

const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

function entryHeap() {
  const entries: Entry[] = [];
  const isBefore = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  const entryAt = (index: number): Entry => entries[index]!;
  return {
    peek: (): Entry | undefined => entries[0],
    push(entry: Entry): void {
      let index = entries.length;
      entries.push(entry);
      for (let parent = (index - 1) >> 1; index > 0 && isBefore(entry, entryAt(parent)); parent = (index - 1) >> 1) {
        entries[index] = entryAt(parent);
        index = parent;
      }
      entries[index] = entry;
    },
    pop(): void {
      const last = entries.pop();
      if (last === undefined || entries.length === 0) return;
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child >= entries.length) break;
        if (child + 1 < entries.length && isBefore(entryAt(child + 1), entryAt(child))) child++;
        if (!isBefore(entryAt(child), last)) break;
        entries[index] = entryAt(child);
        index = child;
      }
      entries[index] = last;
    },
  };
}
