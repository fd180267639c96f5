/** Daily work: forgetting what is old, and one line on what the last day brought. */
import { headText } from '../contract/audit-chain.ts';
import { Instant } from '../domain/ids.ts';
import type { PhaseKind } from '../domain/release.ts';
import type { Context } from './context.ts';

export async function retain(ctx: Context, retainMs: number): Promise<void> {
  const now = await ctx.store.now();
  const rows = await ctx.store.retain(Instant(Math.max(0, now - retainMs)));
  ctx.log.info({ rows }, `retention dropped ${rows} rows`);
}

const DAY_MS = 86_400_000;
const PAGE = 200;

export async function digest(ctx: Context): Promise<void> {
  const since = (await ctx.store.now()) - DAY_MS;
  const counts = new Map<PhaseKind, number>();
  for (let cursor: string | null = null; ;) {
    const page = await ctx.store.releases({ service: null, phases: null, limit: PAGE, cursor });
    const recent = page.rows.filter(({ release }) => since <= release.createdAt);
    for (const { release } of recent) counts.set(release.phase.kind, (counts.get(release.phase.kind) ?? 0) + 1);
    // Newest first: the first older one ends the day.
    if (recent.length < page.rows.length || page.next === null) break;
    cursor = page.next;
  }
  const text = [...counts].map(([phase, count]) => `${count} ${phase}`).join(', ');
  ctx.log.info({ digest: Object.fromEntries(counts) }, `releases of the last day: ${text || 'none'}`);
}

/** Kept elsewhere, where the log goes: whoever cuts the audit log short later cannot take this back. */
export async function anchorAudit(ctx: Pick<Context, 'store' | 'log'>): Promise<void> {
  const head = await ctx.store.auditHead();
  if (head) ctx.log.info({ auditHead: headText(head) }, `the audit log stands at row ${head.seq}`);
}
