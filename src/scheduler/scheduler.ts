/**
 * What is due, when it is due, so much at a time. Three queues, each with a loop of its own: releases, targets, outbox.
 * A release never overlaps with itself, and one release's failure is its own: three crashes in a row and it is quarantined.
 */
import type { Context } from '../controller/context.ts';
import { deliver } from '../controller/deliver.ts';
import { quarantine } from '../controller/quarantine.ts';
import { reconcile } from '../controller/reconcile.ts';
import { tick } from '../controller/tick.ts';
import { after } from '../domain/ids.ts';
import type { ReleaseId } from '../domain/ids.ts';
import { isLowering } from '../domain/release.ts';
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { Claimed, NextDue, OutboxRow } from '../ports/store.ts';
import type { Span } from '../ports/tracer.ts';
import { loop } from './loop.ts';
import type { Loop } from './loop.ts';

export type Scheduler = {
  /** Works on a release at once, whatever runs: a lowering fires the signal of the tick in progress. */
  work(claimed: Claimed): void;
  /** Something new is due. */
  nudge(): void;
  /** Milliseconds since the slowest loop came round; for health. */
  silentMs(): number;
  /** Claims nothing more and waits for what runs, `graceMs` at most; then fires every signal. */
  stop(graceMs: number): Promise<void>;
};

type Track = (work: Promise<void>, ...queues: readonly (keyof NextDue)[]) => void;

type Run = { readonly abort: AbortController; done: Promise<void> };

const MIN_SLEEP_MS = 10;
const OUTBOX_BATCH = 32;
const TARGET_BATCH = 64;
const CRASH_PAUSE_MS = 5_000;

export function scheduler(ctx: Context): Scheduler {
  const stopping = new AbortController();
  const runs = new Map<ReleaseId, Run>();
  const background = new Set<Promise<void>>();
  /** What ends may have made something due in these queues: its own, and events to deliver. */
  const track = (work: Promise<void>, ...queues: readonly (keyof NextDue)[]): void => {
    background.add(work);
    void work.finally(() => {
      background.delete(work);
      queues.forEach((queue) => loops[queue].nudge());
    });
  };

  const start = (claimed: Claimed): void => {
    const { id } = claimed.release;
    const before = runs.get(id);
    if (before && isLowering(claimed.release)) before.abort.abort(new Error('a lowering takes over'));
    const abort = new AbortController();
    const run: Run = { abort, done: Promise.resolve() };
    runs.set(id, run);
    run.done = (async () => {
      // A lowering does not wait for a tick that hangs; anything else does, so that a release never overlaps itself.
      if (before && !isLowering(claimed.release)) await before.done;
      await lookAt(ctx, claimed, abort.signal);
    })().finally(() => {
      if (runs.get(id) === run) runs.delete(id);
    });
    track(run.done, 'release', 'outbox');
  };

  const releaseRound = async (): Promise<number> => {
    const free = ctx.settings.concurrency - runs.size;
    if (free <= 0) return ctx.settings.pollMs;
    const claimed = await ctx.store.claimDue({
      worker: ctx.worker,
      leaseMs: ctx.settings.leaseMs,
      limit: free,
    });
    const now = await ctx.store.now();
    for (const due of claimed) {
      ctx.recorder.lag('release', Math.max(0, now - due.dueAt) / 1000);
      start(due);
    }
    return untilDue(ctx, 'release');
  };

  const spec = { clock: ctx.clock, log: ctx.log };
  const loops: Readonly<Record<keyof NextDue, Loop>> = {
    release: loop({ ...spec, name: 'release', round: releaseRound }, stopping.signal),
    target: loop({ ...spec, name: 'target', round: (signal) => targetRound(ctx, track, signal) }, stopping.signal),
    outbox: loop({ ...spec, name: 'outbox', round: (signal) => outboxRound(ctx, track, signal) }, stopping.signal),
  };
  const all = Object.values(loops);

  return {
    work: start,
    nudge: () => all.forEach((each) => each.nudge()),
    silentMs: () => Math.max(...all.map((each) => ctx.clock.monotonicMs() - each.lastRoundMs)),
    async stop(graceMs) {
      stopping.abort(new Error('shutting down'));
      // A timer that is left behind would keep the process from ending.
      const over = new AbortController();
      const idle = Promise.allSettled([...background, ...all.map((each) => each.done)]).then(() => over.abort('idle'));
      await Promise.race([idle, ctx.clock.sleep(graceMs, over.signal)]);
      for (const run of runs.values()) run.abort.abort(new Error('shutting down'));
      await Promise.race([idle, ctx.clock.sleep(graceMs, over.signal)]);
    },
  };
}

async function targetRound(ctx: Context, track: Track, signal: AbortSignal): Promise<number> {
  const { reconcileEveryMs } = ctx.settings;
  const due = await ctx.store.claimDueTargets({
    worker: ctx.worker,
    everyMs: reconcileEveryMs,
    limit: TARGET_BATCH,
  });
  for (const { target } of due)
    track(
      guarded(ctx, `reconcile of ${target.id}`, () =>
        ctx.scope.run({ target: target.id }, () => reconcile(ctx, target.id, signal)),
      ),
      'target',
      'outbox',
    );
  return untilDue(ctx, 'target');
}

/** Deliveries go on beside the loop: a receiver that takes its time holds up nobody but its own queue. */
async function outboxRound(ctx: Context, track: Track, signal: AbortSignal): Promise<number> {
  const leaseMs = ctx.settings.deliverTimeoutMs * 2;
  const rows = await ctx.store.claimOutbox({ worker: ctx.worker, leaseMs, limit: OUTBOX_BATCH });
  for (const row of rows)
    track(
      guarded(ctx, `delivery ${row.seq}`, () => ctx.scope.run(aboutOf(row), () => delivery(ctx, row, signal))),
      'outbox',
    );
  return untilDue(ctx, 'outbox');
}

/** Part of what the release was started for, as far as its receiver follows traces. */
async function delivery(ctx: Context, row: OutboxRow, signal: AbortSignal): Promise<void> {
  const { event, notifier } = row;
  const release = 'release' in event ? (await ctx.store.release(event.release))?.release : undefined;
  const attributes = { 'headgate.notifier': notifier, 'headgate.event': event.type };
  return ctx.tracer.span({ name: 'deliver', kind: 'client', attributes, cause: release?.trace }, () => deliver(ctx, row, signal));
}

const aboutOf = ({ event }: OutboxRow): Readonly<Record<string, string>> =>
  'release' in event ? { release: event.release } : { target: event.target };

/** How long the loop of a queue may sleep. Another process may add to it, so never for long. */
async function untilDue(ctx: Context, queue: keyof NextDue): Promise<number> {
  const { pollMs } = ctx.settings;
  const next = (await ctx.store.nextDueAt())[queue];
  return next === null ? pollMs : Math.min(pollMs, Math.max(MIN_SLEEP_MS, next - (await ctx.store.now())));
}

type Look = { readonly signal: AbortSignal; readonly span: Span };

/** Whatever is written or called in a tick is known to be of its release. */
function lookAt(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { id, service, phase, trace } = claimed.release;
  const attributes = { 'headgate.release': id, 'headgate.service': service, 'headgate.phase': phase.kind };
  return ctx.scope.run({ release: id }, () =>
    ctx.tracer.span({ name: 'tick', kind: 'internal', attributes, cause: trace }, (span) =>
      runRelease(ctx, claimed, { signal, span }),
    ),
  );
}

/** One tick within its lease, whose end is also its deadline. Nothing escapes: what fails is counted against the release. */
async function runRelease(ctx: Context, claimed: Claimed, { signal, span }: Look): Promise<void> {
  const { id } = claimed.release;
  const startedMs = ctx.clock.monotonicMs();
  const seconds = (): number => (ctx.clock.monotonicMs() - startedMs) / 1000;
  const outcome = (said: string): void => span.set({ 'headgate.outcome': said });
  try {
    const done = await withDeadline(ctx.clock, { ms: ctx.settings.leaseMs * 0.8, signal }, (inner) => tick(ctx, claimed, inner));
    ctx.recorder.tick(seconds(), done.outcome === 'ok' ? 'ok' : 'stale');
    outcome(done.outcome);
    const retryAt = done.outcome === 'busy' ? after(await ctx.store.now(), 1_000) : done.yieldUntil;
    if (retryAt !== null) await ctx.store.yieldLease({ id, worker: ctx.worker, dueAt: retryAt });
  } catch (error) {
    if (signal.aborted) return outcome('cancelled');
    outcome('crashed');
    span.fail(String(error));
    ctx.recorder.tick(seconds(), 'crashed');
    await guarded(ctx, `crash of ${id}`, () => crashed(ctx, claimed, error));
  }
}

async function crashed(ctx: Context, { release }: Claimed, error: unknown): Promise<void> {
  const { id } = release;
  const dueAt = after(await ctx.store.now(), CRASH_PAUSE_MS);
  ctx.log.error({ release: id, error: error instanceof Error ? error.stack : String(error) }, `working on release ${id} crashed`);
  // A store or a deadline that gives up says nothing about the release.
  if (error instanceof StoreUnavailable || error instanceof DeadlineExceeded)
    return ctx.store.yieldLease({ id, worker: ctx.worker, dueAt });
  const crashes = await ctx.store.recordCrash({ id, worker: ctx.worker, error: String(error), dueAt });
  if (ctx.settings.crashLimit <= crashes) await quarantine(ctx, id, String(error));
}

async function guarded(ctx: Context, what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    ctx.log.error({ error: error instanceof Error ? error.stack : String(error) }, `${what} failed`);
  }
}
