/** One decision about one release, committed at once whoever works on it: read again as often as somebody else is faster. */
import type { decide } from '../domain/decide.ts';
import type { Instant, ReleaseId } from '../domain/ids.ts';
import type { Release } from '../domain/release.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { AuditEntry, AuditOrigin, Claimed, Once, StoredRelease } from '../ports/store.ts';
import type { Context } from './context.ts';
import { record } from './record.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/** How a request is carried out. */
export type How = {
  /** Kept with the effect, for when the same request comes again. */
  readonly once?: Once<StoredRelease> | null;
  /** Everything is checked and nothing is written; the answer is what would be. */
  readonly isTrial?: boolean;
  /** Where it came from, for the audit, when somebody asked. */
  readonly origin?: AuditOrigin;
};

export const CHANGED = 'the release has changed meanwhile: look at it again';

/** It may be the way down: it is not the one to give up among many. */
const RACES = 100;

type Committing = {
  readonly decideOn: (release: Release, now: Instant) => ReturnType<typeof decide>;
  readonly work: (claimed: Claimed) => void | Promise<void>;
  readonly audit: AuditEntry | null;
  readonly how: How;
};

export async function commitDecision(
  ctx: Context,
  id: ReleaseId,
  { decideOn, work, audit, how }: Committing,
): Promise<Result<StoredRelease, Refusal>> {
  for (let race = 0; race < RACES; race++) {
    const claimed = await ctx.store.load(id);
    if (!claimed) return err(refusal('not_found', `no release ${id}`));
    const decision = decideOn(claimed.release, await ctx.store.now());
    if (decision.refusal !== null)
      return err(refusal(decision.refusal === CHANGED ? 'precondition' : 'not_accepted', decision.refusal));
    if (decision.events.length === 0) return ok(claimed);
    if (how.isTrial) return ok({ ...claimed, release: decision.next });
    const recorded = await record(ctx, claimed, {
      decision,
      keepLease: true,
      once: how.once ?? null,
      ...(audit ? { audit } : {}),
    });
    if (recorded.ok) {
      await work(recorded.value);
      return ok(recorded.value);
    }
    if (recorded.error.kind === 'busy')
      return err(refusal('unavailable', `the command could not be stored: ${recorded.error.detail}; try again`));
  }
  return err(refusal('unavailable', `release ${id} kept changing; try again`));
}
