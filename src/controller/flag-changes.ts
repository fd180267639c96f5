/**
 * From a hint that a flag changed to what follows. The flag is read again, and what was read decides whether anything
 * changed; only where it cannot be read is the sender believed, as far as its signature goes. Everything here may happen
 * twice: a release takes a change once, one is started once, and what is known of the flag is written after all were told.
 */
import { changeWords } from '../domain/flag.ts';
import type { FlagChange, FlagState } from '../domain/flag.ts';
import { after } from '../domain/ids.ts';
import type { TargetId } from '../domain/ids.ts';
import type { InboxOutcome, StoredFlag } from '../ports/inbox.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Hint } from '../ports/webhook-source.ts';
import type { Commands } from './commands.ts';
import type { Context } from './context.ts';
import { believed, namedBy, readFlag, servedBy } from './flag-read.ts';
import type { FlagName } from './flag-read.ts';
import { startByFlag } from './flag-start.ts';
import type { StartDeps } from './flag-start.ts';
import { reconcile } from './reconcile.ts';

export type FlagDeps = StartDeps & {
  readonly flagChanged: Commands['flagChanged'];
  /** Targets whose traffic this flag splits, so that Headgate moves it itself. */
  readonly ownTargets: (source: string, flag: string) => readonly TargetId[];
};

export type Heard = FlagName & {
  readonly hint: Pick<Hint, 'what' | 'changedBy'>;
  /** Our own look found it: it says what is, and not that it changed just now. */
  readonly byPoll: boolean;
  /** Of the inbox row, the same over all its tries. */
  readonly key: string;
  readonly attempts: number;
};

/** So often a platform is asked in vain until its webhook has to do: half a minute, about. */
const READ_TRIES = 5;
const MOST_TRIES = 20;
const RETRY = { firstMs: 1_000, maxMs: 60_000 };
const MOVING_MS = 2_000;

export async function takeHeard(ctx: Context, deps: FlagDeps, heard: Heard, signal: AbortSignal): Promise<InboxOutcome> {
  const { source, flag, attempts } = heard;
  const own = deps.ownTargets(source, flag);
  if (own.length > 0) {
    for (const id of own) await reconcile(ctx, id, signal);
    return done(`Headgate moves ${flag} itself: its target was looked at`);
  }
  const before = await ctx.store.flag(source, flag);
  const read = await readFlag(ctx, heard, { signal, isRetry: attempts > 0 });
  if (read?.ok) return compare(ctx, deps, heard, { before, state: read.value });
  if (read !== null && attempts + 1 < READ_TRIES) return tryAgain(ctx, attempts, `${flag} could not be read: ${read.error}`);
  if (heard.byPoll) return done(`${flag} could not be read again; the next look will tell`);
  return believe(ctx, deps, heard, before);
}

type Found = { readonly before: StoredFlag | null; readonly state: FlagState };

async function compare(ctx: Context, deps: FlagDeps, heard: Heard, { before, state }: Found): Promise<InboxOutcome> {
  const { source, flag, hint, byPoll } = heard;
  const isAnother = before?.state == null ? !byPoll : before.state.fingerprint !== state.fingerprint;
  const change: FlagChange = {
    source,
    flag,
    fingerprint: state.fingerprint,
    what: isAnother ? changeWords(before?.state ?? null, state) : hint.what,
    changedBy: hint.changedBy ?? state.updatedBy,
    confirmed: 'read',
  };
  const isNews = (served: string | null): boolean => (served === null ? !byPoll : served !== state.fingerprint);
  const told = await tell(ctx, deps, { heard, change, before, isNews });
  if (told.waits !== null) return told.waits;
  const now = await ctx.store.now();
  const last = {
    what: change.what,
    changedBy: change.changedBy,
    confirmed: 'read',
    fingerprint: change.fingerprint,
    key: heard.key,
    at: now,
  } as const;
  await ctx.store.saveFlag({
    source,
    flag,
    state,
    readAt: now,
    lookedAt: now,
    failure: null,
    change: isAnother ? last : (before?.change ?? null),
  });
  // The row that told of the change sees to the release that it starts, however often that takes.
  const owes = isAnother || before?.change?.key === heard.key;
  const started = owes ? await startAll(ctx, deps, { heard, change, state }) : NOTHING;
  if (started.waits !== null) return started.waits;
  const found = isAnother ? `${flag}: ${change.what}` : `${flag} is as it was`;
  return done([found, ...told.notes, ...started.notes].join('; '));
}

/** It cannot be read: a signature is the sender's word, a token is anybody's who knows it. */
async function believe(ctx: Context, deps: FlagDeps, heard: Heard, before: StoredFlag | null): Promise<InboxOutcome> {
  const { source, flag, hint, key } = heard;
  const confirmed = ctx.webhooks.get(source)?.proof === 'signature' ? 'signed' : 'claimed';
  const fingerprint = believed(confirmed, key);
  const change: FlagChange = { source, flag, fingerprint, ...hint, confirmed };
  const told = await tell(ctx, deps, { heard, change, before, isNews: () => true });
  if (told.waits !== null) return told.waits;
  const started = confirmed === 'signed' ? await startAll(ctx, deps, { heard, change, state: null }) : NOTHING;
  if (started.waits !== null) return started.waits;
  const now = await ctx.store.now();
  const nothing = { source, flag, state: null, readAt: null, failure: null };
  const last = { what: hint.what, changedBy: hint.changedBy, confirmed, fingerprint, key, at: now } as const;
  await ctx.store.saveFlag({ ...(before ?? nothing), lookedAt: before?.lookedAt ?? now, change: last });
  return done([`${flag}: ${hint.what} (${confirmed}, not read)`, ...told.notes, ...started.notes].join('; '));
}

/** What was done, and what there is to wait for before all of it is. */
type Step = { readonly notes: readonly string[]; readonly waits: InboxOutcome | null };
const NOTHING: Step = { notes: [], waits: null };

type Telling = {
  readonly heard: Heard;
  readonly change: FlagChange;
  readonly before: StoredFlag | null;
  readonly isNews: (served: string | null) => boolean;
};

/** Every release that runs by now for a service that names the flag; one that cannot be told yet keeps nobody else waiting. */
async function tell(ctx: Context, { flagChanged }: FlagDeps, { heard, change, before, isNews }: Telling): Promise<Step> {
  const { source, flag, attempts } = heard;
  const notes: string[] = [];
  let waits: InboxOutcome | null = null;
  const nothing = { source, flag, state: null, readAt: null, failure: null, change: null };
  const known = before ?? { ...nothing, lookedAt: await ctx.store.now() };
  for (const { service } of namedBy(ctx, heard)) {
    const release = (await ctx.store.active(service.name))?.release;
    if (!release || !isNews(servedBy(release, known))) continue;
    const told = await flagChanged(release.id, change);
    if (told.ok) notes.push(`told release ${release.id}`);
    else if (told.error.kind !== 'not_found') {
      const isMoving = told.error.kind === 'not_accepted';
      const at = after(await ctx.store.now(), isMoving ? MOVING_MS : backoffMs(RETRY, attempts + 1, ctx.random.next()));
      waits = { kind: 'retry', at, detail: told.error.detail };
    }
  }
  return { notes, waits };
}

type Starting = { readonly heard: Heard; readonly change: FlagChange; readonly state: FlagState | null };

async function startAll(ctx: Context, deps: FlagDeps, { heard, change, state }: Starting): Promise<Step> {
  const notes: string[] = [];
  let waits: InboxOutcome | null = null;
  for (const { service, named } of namedBy(ctx, heard)) {
    if (named.start === null) continue;
    const started = await startByFlag(ctx, deps, { service: service.name, start: named.start, change, state, key: heard.key });
    if (started.kind === 'later') waits = await tryAgain(ctx, heard.attempts, started.detail);
    else if (started.kind === 'never') waits ??= { kind: 'parked', detail: started.detail };
    else notes.push(started.detail);
  }
  return { notes, waits };
}

const done = (detail: string): InboxOutcome => ({ kind: 'done', detail });

/** After a while that grows, and not for ever. */
export async function tryAgain(ctx: Context, attempts: number, detail: string): Promise<InboxOutcome> {
  if (MOST_TRIES <= attempts + 1) return { kind: 'parked', detail: `tried ${attempts + 1} times: ${detail}` };
  return { kind: 'retry', at: after(await ctx.store.now(), backoffMs(RETRY, attempts + 1, ctx.random.next())), detail };
}
