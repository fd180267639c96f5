/** Sets a release aside whose handler keeps crashing: visible, not judged any more, still rolled back on command. */
import { decide } from '../domain/decide.ts';
import type { ReleaseId } from '../domain/ids.ts';
import type { Context } from './context.ts';
import { record } from './record.ts';

export async function quarantine(ctx: Context, id: ReleaseId, error: string): Promise<void> {
  const claimed = await ctx.store.load(id);
  if (!claimed || claimed.release.quarantined !== null) return;
  const decision = decide(claimed.release, { kind: 'crashed', error }, await ctx.store.now());
  if (decision.events.length > 0) await record(ctx, claimed, { decision });
}
