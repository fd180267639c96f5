/**
 * A release that takes the place of all before it. That it does is stored with it when it is started: whoever started it
 * sees to it at once, and its own tick does so again, so that it does not matter who died in between.
 */
import { decide } from '../domain/decide.ts';
import type { Release } from '../domain/release.ts';
import type { Claimed } from '../ports/store.ts';
import { commitDecision } from './commit-decision.ts';
import type { Context } from './context.ts';

/** What is before it goes back; what came after it waits for it. `work` gets each that has to be obeyed now. */
export async function supersede(ctx: Context, by: Release, work: (claimed: Claimed) => void | Promise<void>): Promise<void> {
  if (by.phase.kind !== 'queued' || !by.phase.supersedes) return;
  const [active, waiting] = await Promise.all([ctx.store.active(by.service), ctx.store.queued(by.service)]);
  const place = waiting.findIndex(({ release }) => release.id === by.id);
  const before = [...(active ? [active] : []), ...waiting.slice(0, Math.max(0, place))];
  for (const { release } of before)
    await commitDecision(ctx, release.id, {
      decideOn: (found, now) => decide(found, { kind: 'superseded', by: by.id, actor: by.createdBy }, now),
      work,
      audit: null,
      how: {},
    });
}
