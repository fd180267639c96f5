/** The two queues of flags: what webhooks said, and our own looks for what they did not. */
import { flagId } from '../domain/flag.ts';
import { after } from '../domain/ids.ts';
import type { Instant } from '../domain/ids.ts';
import { keyedMutex } from '../lib/keyed-mutex.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { InboxOutcome, InboxRow, StoredFlag } from '../ports/inbox.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { Hint } from '../ports/webhook-source.ts';
import type { Context } from './context.ts';
import { takeHeard, tryAgain } from './flag-changes.ts';
import type { FlagDeps } from './flag-changes.ts';
import { namedBy, readFlag, watchedFlags } from './flag-read.ts';
import type { FlagName } from './flag-read.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export type FlagWork = {
  /** Works one row of the inbox off and settles it. */
  take(row: InboxRow, signal: AbortSignal): Promise<void>;
  /** Looks at every flag that is due; what is another than before goes into the inbox, like what a webhook says. */
  poll(signal: AbortSignal): Promise<void>;
  /** Looks at one at once. */
  look(name: FlagName, signal: AbortSignal): Promise<Result<StoredFlag, Refusal>>;
  isOwn(name: FlagName): boolean;
};

const MOST_WAITING = 1_000;
const AT_ONCE = 8;
const POLLED = { what: 'changed', changedBy: null };

export function flagWork(ctx: Context, deps: FlagDeps, onKept: () => void): FlagWork {
  const locks = keyedMutex();
  const isOwn = ({ source, flag }: FlagName): boolean => deps.ownTargets(source, flag).length > 0;
  const looked = async (name: FlagName, signal: AbortSignal): Promise<StoredFlag | null> => {
    const seen = await locks.run(flagId(name), () => lookAt(ctx, name, signal));
    if (seen?.isAnother) onKept();
    return seen?.stored ?? null;
  };
  return {
    isOwn,
    async take(row, signal) {
      const { key, attempts } = row;
      const take = (heard: HeardFlag): Promise<InboxOutcome> =>
        locks.run(flagId(heard), () => takeHeard(ctx, deps, { ...heard, key, attempts }, signal));
      const outcome = await outcomeOf(ctx, row, take).catch((error: unknown) => {
        // A store that is away and a shutdown say nothing about the row: it is taken again when its lease is over.
        if (error instanceof StoreUnavailable || signal.aborted) throw error;
        ctx.log.error(
          { inbox: row.seq, error: error instanceof Error ? error.stack : String(error) },
          'working on a webhook crashed',
        );
        return tryAgain(ctx, attempts, `working on it crashed: ${String(error)}`);
      });
      ctx.recorder.webhook(row.source, outcome.kind);
      if (outcome.kind === 'parked') ctx.log.error({ source: row.source, inbox: row.seq }, `parked a webhook: ${outcome.detail}`);
      else ctx.log.info({ source: row.source, inbox: row.seq, outcome: outcome.kind }, outcome.detail);
      await ctx.store.settleInbox({ seq: row.seq, outcome });
    },
    async poll(signal) {
      const due = await dueFlags(ctx, isOwn);
      for (let from = 0; from < due.length && !signal.aborted; from += AT_ONCE)
        await Promise.all(due.slice(from, from + AT_ONCE).map((name) => looked(name, signal)));
    },
    async look(name, signal) {
      if (namedBy(ctx, name).length === 0)
        return err(refusal('not_found', `no service names a flag ${name.flag} of ${name.source}`));
      const stored = await looked(name, signal);
      if (!stored) return err(refusal('not_accepted', `${name.source} has no api in headgate.yaml: its flags cannot be read`));
      return stored.failure === null ? ok(stored) : err(refusal('unavailable', stored.failure));
    },
  };
}

type HeardFlag = FlagName & { readonly hint: Pick<Hint, 'what' | 'changedBy'>; readonly byPoll: boolean };

/** All that a row says, as one outcome: it is over when all of it is. */
async function outcomeOf(
  ctx: Context,
  { source, payload }: InboxRow,
  take: (heard: HeardFlag) => Promise<InboxOutcome>,
): Promise<InboxOutcome> {
  const found = ctx.webhooks.get(source);
  if (!found) return { kind: 'parked', detail: `no webhook source named ${source} is configured` };
  const byPoll = payload.kind === 'poll';
  if (payload.kind === 'webhook' && payload.encoding === 'base64')
    return { kind: 'parked', detail: 'the body is no text in UTF-8' };
  const hints = payload.kind === 'poll' ? ok([{ flag: payload.flag, ...POLLED }]) : found.hints(payload.body);
  if (!hints.ok) return { kind: 'parked', detail: hints.error };
  const named = watchedFlags(ctx).filter((name) => name.source === source);
  const heard = hints.value.flatMap(({ flag, ...hint }) =>
    named.filter((name) => flag === null || name.flag === flag).map((name) => ({ ...name, hint, byPoll })),
  );
  const once = [...new Map(heard.toReversed().map((each) => [each.flag, each])).values()];
  if (once.length === 0) return { kind: 'done', detail: aboutNothing(hints.value) };
  const outcomes = await Promise.all(once.map(take));
  const waits = outcomes.find(({ kind }) => kind === 'retry') ?? outcomes.find(({ kind }) => kind === 'parked');
  return waits ?? { kind: 'done', detail: outcomes.map(({ detail }) => detail).join('; ') };
}

const aboutNothing = (hints: readonly Hint[]): string => {
  const flags = hints.flatMap(({ flag }) => (flag === null ? [] : [flag]));
  return flags.length === 0 ? 'it is about no flag' : `no service names ${flags.slice(0, 5).join(', ')}`;
};

/** Flags matter while a release runs that they confound, and always where they start one. */
async function dueFlags(ctx: Context, isOwn: (name: FlagName) => boolean): Promise<readonly FlagName[]> {
  const now = await ctx.store.now();
  const due: FlagName[] = [];
  for (const name of watchedFlags(ctx)) {
    if (!ctx.webhooks.get(name.source)?.flags || isOwn(name)) continue;
    const began: Instant[] = [];
    let isStarter = false;
    for (const { service, named } of namedBy(ctx, name)) {
      isStarter ||= named.start !== null;
      const startedAt = (await ctx.store.active(service.name))?.release.startedAt ?? null;
      if (startedAt !== null) began.push(startedAt);
    }
    if (began.length === 0 && !isStarter) continue;
    const last = (await ctx.store.flag(name.source, name.flag))?.lookedAt ?? null;
    // What a release began with is what its changes are told from: it is looked at once when it has begun.
    if (last === null || after(last, ctx.settings.flagPollMs) <= now || began.some((at) => last < at)) due.push(name);
  }
  return due;
}

/** Null where the platform cannot be asked. What is another than before is not written here: that is the inbox's to take. */
async function lookAt(
  ctx: Context,
  name: FlagName,
  signal: AbortSignal,
): Promise<{ readonly stored: StoredFlag; readonly isAnother: boolean } | null> {
  const read = await readFlag(ctx, name, { signal, isRetry: false });
  if (read === null) return null;
  const now = await ctx.store.now();
  const { source, flag } = name;
  const before = (await ctx.store.flag(source, flag)) ?? { source, flag, state: null, readAt: null, failure: null, change: null };
  const failure = read.ok ? null : read.error;
  const isAnother = read.ok && before.state !== null && before.state.fingerprint !== read.value.fingerprint;
  const fresh = read.ok && !isAnother ? { state: read.value, readAt: now } : {};
  const stored: StoredFlag = { ...before, ...fresh, lookedAt: now, failure };
  if (isAnother) {
    const key = `poll:${now}:${read.value.fingerprint}`;
    await ctx.store.keepWebhook({ source, key, payload: { kind: 'poll', flag }, limit: MOST_WAITING });
  }
  await ctx.store.saveFlag(stored);
  return { stored, isAnother };
}
