/** Somebody who hears of events. Tried once; the outbox owns retries, order and at-least-once. */
import type { CheckSummary } from '../domain/release.ts';
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
  readonly data: Readonly<Record<string, unknown>>;
  /** What it is about, where that is a release: as it stands now, not as it stood at the event. */
  readonly release: ReleaseBrief | null;
};

export type ReleaseBrief = {
  readonly id: string;
  readonly service: string;
  readonly environment: string | null;
  readonly version: string;
  readonly stableVersion: string | null;
  readonly plan: string;
  readonly checks: Readonly<Record<string, CheckSummary>>;
};

/** Sent when somebody asks for it, to see whether a receiver hears. */
export const TEST_EVENT = 'headgate.test';

export type NotifyError = {
  /**
   * `unreachable`: nobody there, or not well. `refused`: somebody is there and says no, which a person may mend. Both are
   * tried again. `unfit`: no other try of this notice could help. `gone`: no notice is wanted here any more.
   */
  readonly kind: 'unreachable' | 'refused' | 'unfit' | 'gone';
  readonly detail: string;
  /** When the receiver asks to be tried again, where it does. */
  readonly retryAfterMs?: number | undefined;
};

export type Notifier = {
  readonly name: string;
  readonly type: string;
  deliver(notice: Notice, signal: AbortSignal): Promise<Result<void, NotifyError>>;
  close(): Promise<void>;
};
