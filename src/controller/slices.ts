/** Long calculations between everything else that the process does: a few milliseconds at a time, and no more than two at once. */
import type { Work } from '../lib/slices.ts';
import type { Clock } from '../ports/clock.ts';

/** `busy`: others are being worked on. `stopped`: nobody waits for it any more. */
export type Sliced<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy' } | { readonly kind: 'stopped' };

export type Slicer = { run<T>(work: Work<T>, signal: AbortSignal): Promise<Sliced<T>> };

const SLICE_MS = 10;
const AT_ONCE = 2;

export function slicer(clock: Clock): Slicer {
  let running = 0;
  return {
    async run(work, signal) {
      if (AT_ONCE <= running) return { kind: 'busy' };
      running++;
      try {
        for (let sinceMs = clock.monotonicMs(); !signal.aborted;) {
          const next = work.next();
          if (next.done === true) return { kind: 'done', value: next.value };
          if (clock.monotonicMs() - sinceMs < SLICE_MS) continue;
          await clock.sleep(1, signal);
          sinceMs = clock.monotonicMs();
        }
        return { kind: 'stopped' };
      } finally {
        running--;
      }
    },
  };
}
