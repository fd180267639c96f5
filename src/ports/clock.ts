/** Time, chance and identity, injected everywhere, so that the simulator can own them. */
import type { Instant } from '../domain/ids.ts';

export type Clock = {
  /** Wall time for people and for the store, kept steady: a step of the machine's clock does not step it. */
  now(): Instant;
  /** Milliseconds that only ever grow; for timeouts and measuring. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once (never rejecting) when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export type Random = {
  /** Uniform in [0, 1). */
  next(): number;
  /** A new id, sortable by time. */
  id(): string;
};
