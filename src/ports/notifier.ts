/** Somebody who hears of events. Tried once; the outbox owns retries, order and at-least-once. */
import type { Result } from '../lib/result.ts';

export type Notice = {
  /** The event's id: the idempotency key for the receiver. */
  readonly id: string;
  /** Event type, such as `release.promoted`. */
  readonly type: string;
  readonly at: number;
  readonly subject: string;
  readonly sentence: string;
  /** The event as it is served by the API. */
  readonly data: unknown;
};

export type NotifyError = {
  /** `gone`: never try again. `refused`: an answer that a retry will not change. `unreachable`: try again. */
  readonly kind: 'unreachable' | 'refused' | 'gone';
  readonly detail: string;
};

export type Notifier = {
  readonly name: string;
  readonly type: string;
  deliver(notice: Notice, signal: AbortSignal): Promise<Result<void, NotifyError>>;
  close(): Promise<void>;
};
