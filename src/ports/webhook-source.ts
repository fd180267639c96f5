/**
 * Somebody who tells us by webhook that a flag changed. What it says is a hint: it is verified over the bytes as they
 * came, and then the flag is read again where that can be done.
 */
import type { Instant } from '../domain/ids.ts';
import type { Result } from '../lib/result.ts';
import type { FlagSource } from './flag-source.ts';

export type Incoming = {
  header(name: string): string | undefined;
  /** As they came, before anything was parsed. */
  readonly body: Uint8Array;
  readonly now: Instant;
};

/** What a delivery says: `flag` is null where it concerns any of them. */
export type Hint = { readonly flag: string | null; readonly what: string; readonly changedBy: string | null };

export type WebhookSource = {
  readonly name: string;
  readonly type: string;
  /** What stands behind a delivery: a signature over it, or nothing but a token that does not change. */
  readonly proof: 'signature' | 'token';
  /** The key that tells a repetition; the error is for our log and never for the sender. */
  verify(incoming: Incoming): Result<string, string>;
  /** What it says, of a delivery that was verified; none where it is about something else. */
  hints(body: string): Result<readonly Hint[], string>;
  /** Null where the platform cannot be asked. */
  readonly flags: FlagSource | null;
};
