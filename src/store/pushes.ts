/** What every store does with a push: how much is kept of a service, and for how long. */
import { accumulated } from '../domain/push.ts';
import type { Push, Pushed, PushOutcome } from '../domain/push.ts';
import type { Instant } from '../domain/ids.ts';
import { err } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';

/** Instances that push for one service at a time. */
const MOST_INSTANCES = 500;
/** An instance that is silent for so long is gone. */
export const SILENT_MS = 2 * 3_600_000;

export function accepted(known: Pushed | null, others: number, push: Push, now: Instant): Result<PushOutcome, string> {
  return known === null && MOST_INSTANCES <= others
    ? err(`${MOST_INSTANCES} instances of ${push.service} push already: name an instance the same for as long as it runs`)
    : accumulated(known, push, now);
}
