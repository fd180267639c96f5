/**
 * Work that belongs to a time of day: dropping what is old, and the day's digest. node-cron is an alarm here, not a ledger:
 * a missed run is made up for by the next one, and nothing that moves traffic depends on it.
 */
import { schedule, setLogger } from 'node-cron';
import type { Context } from '../controller/context.ts';
import { anchorAudit, digest, retain } from '../controller/upkeep.ts';

export type Calendar = { stop(): Promise<void> };

const RETENTION_AT = '17 3 * * *';
const DIGEST_AT = '0 8 * * *';
const ANCHOR_AT = '23 * * * *';

export function calendar(ctx: Context, { retainMs }: { readonly retainMs: number }): Calendar {
  setLogger({
    debug: (message) => ctx.log.debug({ calendar: true }, String(message)),
    info: (message) => ctx.log.debug({ calendar: true }, message),
    warn: (message) => ctx.log.warn({ calendar: true }, message),
    error: (message) => ctx.log.error({ calendar: true }, String(message)),
  });
  const guarded = (what: string, run: () => Promise<void>) => async (): Promise<void> => {
    try {
      await run();
    } catch (error) {
      ctx.log.error({ error: String(error) }, `${what} failed; the next run makes up for it`);
    }
  };
  const tasks = [
    schedule(
      RETENTION_AT,
      guarded('retention', () => retain(ctx, retainMs)),
      { name: 'retention', noOverlap: true },
    ),
    schedule(
      DIGEST_AT,
      guarded('the digest', () => digest(ctx)),
      { name: 'digest', noOverlap: true },
    ),
    schedule(
      ANCHOR_AT,
      guarded('the anchor of the audit log', () => anchorAudit(ctx)),
      { name: 'anchor', noOverlap: true },
    ),
  ];
  return {
    async stop() {
      for (const task of tasks) await task.destroy();
    },
  };
}
