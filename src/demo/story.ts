/** Tells a release as it happens: every event as its sentence, and in between one line on traffic and on what users see. */
import { percent } from '../domain/ids.ts';
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { ReleaseId } from '../domain/ids.ts';
import type { Release } from '../domain/release.ts';
import { isEnded } from '../domain/release.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Seen, Shoppers } from './shoppers.ts';

export type Stage = {
  readonly store: Store;
  readonly clock: Clock;
  readonly shoppers: Shoppers;
  readonly out: NodeJS.WriteStream;
  readonly signal: AbortSignal;
};

const LOOK_MS = 200;
const LINE_MS = 2_000;

/** Follows one release to its end. */
export async function tell(stage: Stage, id: string): Promise<Release | null> {
  const { store, clock, out, signal } = stage;
  const releaseId = ReleaseId(id);
  const startedMs = clock.monotonicMs();
  let afterSeq = 0;
  let lineMs = startedMs;
  let seenBefore = stage.shoppers.seen();
  while (!signal.aborted) {
    const events = await store.releaseEvents(releaseId, { afterSeq, limit: 100 });
    for (const event of events.rows) {
      clearLine(out);
      if (isTold(event)) out.write(`${stamp(clock.monotonicMs() - startedMs)} ${mark(out, event)} ${event.sentence}\n`);
      afterSeq = event.seq;
    }
    const found = await store.release(releaseId);
    if (!found) return null;
    if (isEnded(found.release)) return found.release;
    const nowMs = clock.monotonicMs();
    if (out.isTTY || LINE_MS <= nowMs - lineMs) {
      const seen = stage.shoppers.seen();
      writeLine(out, `${stamp(nowMs - startedMs)}   ${trafficLine(found.release, { before: seenBefore, now: seen })}`);
      if (LINE_MS <= nowMs - lineMs) {
        seenBefore = seen;
        lineMs = nowMs;
      }
    }
    await clock.sleep(LOOK_MS, signal);
  }
  return null;
}

/** What happened while nobody follows a release (drift, say) is in the log all the same; these are the turns of the story. */
const isTold = (event: ReleaseEvent): boolean =>
  TOLD.has(event.type) && !(event.type === 'verdict.changed' && event.verdict === 'inconclusive');

const TOLD: ReadonlySet<ReleaseEvent['type'] | TargetEvent['type']> = new Set([
  'release.created',
  'weight.intended',
  'step.entered',
  'bake.began',
  'verdict.changed',
  'hold.began',
  'rollback.decided',
  'settle.began',
  'release.promoted',
  'release.rolledBack',
]);

type Span = { readonly before: ReadonlyMap<string, Seen>; readonly now: ReadonlyMap<string, Seen> };

/** `▕██░░░░░░░░▏ 25 % wanted   shop 1.1.0: 48 requests, 1.2 % errors, 31 ms   shop 1.0.0: …` */
function trafficLine(release: Release, span: Span): string {
  const filled = Math.round(release.wanted / 1000);
  const bar = `▕${'█'.repeat(filled)}${'░'.repeat(10 - filled)}▏`;
  const versions = [release.version, release.stableVersion ?? ''].filter(Boolean).map((version) => versionText(version, span));
  return `${bar} ${percent(release.wanted).padStart(5)} wanted   ${versions.join('   ')}`;
}

function versionText(version: string, { before, now }: Span): string {
  const was = before.get(version) ?? { requests: 0, errors: 0, totalMs: 0 };
  const is = now.get(version) ?? was;
  const requests = is.requests - was.requests;
  if (requests === 0) return `${version}: no traffic`;
  const errors = (((is.errors - was.errors) / requests) * 100).toFixed(1);
  return `${version}: ${requests} requests, ${errors} % errors, ${Math.round((is.totalMs - was.totalMs) / requests)} ms`;
}

const stamp = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(6)} s`;

function mark(out: NodeJS.WriteStream, event: ReleaseEvent): string {
  const [sign, colour] = SIGNS[event.type] ?? ['·', 0];
  return out.isTTY && !process.env['NO_COLOR'] ? `\u001b[${colour}m${sign}\u001b[0m` : sign;
}

const SIGNS: Partial<Record<ReleaseEvent['type'], readonly [string, number]>> = {
  'weight.intended': ['→', 36],
  'rollback.decided': ['✗', 31],
  'release.rolledBack': ['✗', 31],
  'release.promoted': ['✓', 32],
  'hold.began': ['‖', 33],
};

const clearLine = (out: NodeJS.WriteStream): void => {
  if (out.isTTY) out.write('\r\u001b[2K');
};

function writeLine(out: NodeJS.WriteStream, line: string): void {
  if (!out.isTTY) return void out.write(`${line}\n`);
  out.write(`\r\u001b[2K${line.slice(0, Math.max(20, out.columns - 1))}`);
  return undefined;
}
