/** Reading a flag from its platform, and what a running release is known to have been served by it. */
import { flagId } from '../domain/flag.ts';
import type { FlagState } from '../domain/flag.ts';
import type { Release } from '../domain/release.ts';
import { err } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { StoredFlag } from '../ports/inbox.ts';
import type { Context, ServiceFlag, ServiceSettings } from './context.ts';

export type FlagName = { readonly source: string; readonly flag: string };

/** The error is a sentence; null where the platform cannot be asked at all. */
export async function readFlag(
  ctx: Context,
  { source, flag }: FlagName,
  { signal, isRetry }: { readonly signal: AbortSignal; readonly isRetry: boolean },
): Promise<Result<FlagState, string> | null> {
  const flags = ctx.webhooks.get(source)?.flags;
  if (!flags) return null;
  const answer = await ctx.calls.call(
    { dependency: `flags ${source}`, ms: ctx.settings.deliverTimeoutMs, signal, lowering: false, isRetry },
    (inner) => flags.read(flag, inner),
    (read) => read.ok || read.error.kind !== 'unreachable',
  );
  const read = answer.ok && answer.value.ok;
  ctx.recorder.flagRead(source, read ? 'ok' : answer.ok && !answer.value.ok ? answer.value.error.kind : 'unreachable');
  if (!answer.ok) return err(answer.error);
  return answer.value.ok ? answer.value : err(`${source}: ${answer.value.error.detail}`);
}

/** Services that name the flag, each with what it says of it. */
export const namedBy = (
  ctx: Pick<Context, 'services'>,
  { source, flag }: FlagName,
): readonly { readonly service: ServiceSettings; readonly named: ServiceFlag }[] =>
  [...ctx.services.values()].flatMap((service) =>
    service.flags.filter((each) => each.source === source && each.flag === flag).map((named) => ({ service, named })),
  );

/** Every flag that some service names, once. */
export function watchedFlags(ctx: Pick<Context, 'services'>): readonly FlagName[] {
  const all = [...ctx.services.values()].flatMap(({ flags }) => flags.map(({ source, flag }) => ({ source, flag })));
  return [...new Map(all.map((each) => [flagId(each), each])).values()];
}

/** Fingerprints of what was believed and not read begin with how: signed, or only claimed. */
export const believed = (confirmed: 'signed' | 'claimed', key: string): string => `${confirmed}:${key}`;

/**
 * What the release is known to be served by the flag; null when that is not known. A flag that was read before the release
 * began says nothing about what changed since it did; what was only claimed says nothing at all.
 */
export function servedBy(release: Release, before: StoredFlag | null): string | null {
  const told = before === null ? undefined : release.flags?.[flagId(before)];
  if (told !== undefined && !/^(signed|claimed):/.test(told)) return told;
  if (before?.state == null || before.readAt === null) return null;
  if (told?.startsWith('signed:') && before.change?.fingerprint === told && before.readAt <= before.change.at) return null;
  return release.startedAt !== null && release.startedAt <= before.readAt ? before.state.fingerprint : null;
}
