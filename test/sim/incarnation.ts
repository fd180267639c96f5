/**
 * One life of one worker process. A crash ends it for good: its sleeps never end and no port answers it any more, so none
 * of its continuations is ever delivered, while what it sent before goes on in the world. A pause holds every delivery
 * back until it is resumed, as a stopped process or a long collection of garbage does.
 */
import type { VirtualClock } from './virtual-clock.ts';

export type Incarnation = {
  readonly name: string;
  isAlive(): boolean;
  isRunning(): boolean;
  crash(): void;
  pause(): void;
  resume(): void;
  /** Dies at one of its next calls: before it takes effect, or after it did and before the answer is delivered. */
  crashAtCall(calls: number, side: 'before' | 'after'): void;
  call<T>(run: () => Promise<T>): Promise<T>;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export type Life = { readonly name: string; readonly clock: VirtualClock; readonly onCrash: (name: string) => void };

export function incarnation({ name, clock, onCrash }: Life): Incarnation {
  let alive = true;
  let held: (() => void)[] | null = null;
  let doom: { calls: number; readonly side: 'before' | 'after' } | null = null;

  const crash = (): void => {
    if (!alive) return;
    alive = false;
    held = null;
    onCrash(name);
  };
  const deliver = (give: () => void): void => {
    if (!alive) return;
    if (held) held.push(give);
    else give();
  };
  const meetsDoom = (side: 'before' | 'after'): boolean => {
    if (doom === null || doom.side !== side || doom.calls-- > 0) return false;
    crash();
    return true;
  };
  return {
    name,
    isAlive: () => alive,
    isRunning: () => alive && held === null,
    crash,
    pause() {
      held ??= [];
    },
    resume() {
      const waiting = held ?? [];
      held = null;
      for (const give of waiting) deliver(give);
    },
    crashAtCall(calls, side) {
      doom = { calls, side };
    },
    call: (run) =>
      new Promise((resolve, reject) => {
        if (!alive || meetsDoom('before')) return;
        const answered = (give: () => void): void => {
          if (alive && !meetsDoom('after')) deliver(give);
        };
        run().then(
          (value) => answered(() => resolve(value)),
          (error: unknown) => answered(() => reject(error)),
        );
      }),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        let over = false;
        const wake = (): void => {
          if (over) return;
          over = true;
          signal?.removeEventListener('abort', wake);
          deliver(resolve);
        };
        signal?.addEventListener('abort', wake, { once: true });
        clock.after(ms, wake);
      }),
  };
}

/** The same port, with these methods delivered through the incarnation. */
export function throughIncarnation<T extends object>(life: Incarnation, port: T, methods: readonly (keyof T)[]): T {
  const wrapped: Partial<Record<keyof T, unknown>> = {};
  for (const method of methods) {
    // Ports are plain objects of asynchronous functions; the type of each is the one it had before.
    const original = port[method] as (...args: unknown[]) => Promise<unknown>;
    wrapped[method] = (...args: unknown[]) => life.call(async () => original(...args));
  }
  return { ...port, ...wrapped };
}
