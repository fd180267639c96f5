/** When a release wants to be looked at again. Measuring times are spread by a hash, so that a thousand do not fire at once. */
import type { ReleaseEvent } from '../domain/event.ts';
import { after, Instant } from '../domain/ids.ts';
import type { Release } from '../domain/release.ts';
import { isLowering } from '../domain/release.ts';
import { unreachable } from '../lib/assert.ts';
import { backoffMs } from '../lib/backoff.ts';
import { hash32 } from '../lib/prng.ts';

const RAISE_RETRY = { firstMs: 1_000, maxMs: 30_000 };
const LOWER_RETRY = { firstMs: 500, maxMs: 1_000 };
const PREFLIGHT_RETRY_MS = 5_000;
/** The end of the release before wakes it; this is for when that was lost. */
const QUEUE_LOOK_MS = 60_000;
const SETTLE_LOOK_MS = 5_000;

export type DueContext = { readonly now: Instant; readonly failedTries: number; readonly random: number };

export function nextDue(release: Release, events: readonly ReleaseEvent[], { now, failedTries, random }: DueContext): Instant {
  // A weight that was just read back is judged at once: the first sample is the baseline of the first interval.
  if (events.some((event) => AT_ONCE.has(event.type))) return now;
  const { phase, plan, deadlineAt } = release;
  switch (phase.kind) {
    case 'queued':
      return after(now, QUEUE_LOOK_MS);
    case 'starting':
      return earliest(now, after(now, PREFLIGHT_RETRY_MS), deadlineAt);
    case 'shifting':
    case 'rollingBack': {
      const backoff = isLowering(release) ? LOWER_RETRY : RAISE_RETRY;
      const retry = after(now, failedTries === 0 ? 0 : backoffMs(backoff, failedTries, random));
      return isLowering(release) ? retry : earliest(now, retry, deadlineAt);
    }
    case 'watching':
    case 'baking':
    case 'paused':
    case 'awaitingApproval':
    case 'promoting':
      return earliest(now, phaseAligned(release.id, plan.intervalMs, now), phase.until, deadlineAt);
    case 'settling':
      return earliest(now, after(now, Math.min(SETTLE_LOOK_MS, plan.intervalMs)), phase.until);
    case 'promoted':
    case 'rolledBack':
    case 'superseded':
      return now;
    default:
      return unreachable(phase);
  }
}

const AT_ONCE: ReadonlySet<ReleaseEvent['type']> = new Set(['weight.verified', 'release.started', 'weight.intended']);

/** The next instant of this release's own rhythm: `interval` apart, at a phase that its id decides. */
export function phaseAligned(id: string, intervalMs: number, now: Instant): Instant {
  const phase = hash32(id) % intervalMs;
  return Instant(Math.floor((now - phase) / intervalMs) * intervalMs + phase + intervalMs);
}

/** The earliest instant after now; those that have passed already were looked at in this tick. */
function earliest(now: Instant, first: Instant, ...others: readonly (Instant | null)[]): Instant {
  return others.reduce<Instant>((soonest, at) => (at !== null && now < at && at < soonest ? at : soonest), first);
}
