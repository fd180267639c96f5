/** A release that a flag change starts: by a stored plan, of a version that is named after the flag, once for each change. */
import { parsePlan } from '../contract/plan.ts';
import type { PlanWorld } from '../contract/plan-world.ts';
import { problemLine } from '../contract/problem.ts';
import type { FlagChange, FlagState } from '../domain/flag.ts';
import type { Actor } from '../domain/release.ts';
import type { Commands } from './commands.ts';
import type { Context, ServiceFlag } from './context.ts';

export type StartDeps = { readonly start: Commands['start']; readonly planWorld: PlanWorld };

export type FlagStart = {
  readonly service: string;
  readonly start: NonNullable<ServiceFlag['start']>;
  readonly change: FlagChange;
  /** Null where the flag could not be read. */
  readonly state: FlagState | null;
  readonly key: string;
};

/** `later`: another try may help. `never`: somebody has to look. */
export type FlagStarted = { readonly kind: 'done' | 'later' | 'never'; readonly detail: string };

/** Releases of the service that are looked at for one that this change has started already. */
const RECENT = 100;

export async function startByFlag(ctx: Context, deps: StartDeps, asked: FlagStart): Promise<FlagStarted> {
  const { service, start, change, state, key } = asked;
  const { flag, source } = change;
  if (state && (!state.exists || !state.enabled)) return done(`${flag} is off: it starts nothing`);
  const version = versionOf(start.version, flag, state);
  if (version === null) return never(`${start.version} cannot be filled in: ${flag} tells no such thing`);
  const actor: Actor = { kind: 'ci', name: `flag ${flag} of ${source} (${state?.revision ?? key})` };
  const recent = await ctx.store.releases({ service, phases: null, limit: RECENT, cursor: null });
  const made = recent.rows.find(({ release }) => release.createdBy.name === actor.name)?.release;
  if (made) return done(`release ${made.id} of ${service} was started by it before`);
  const stored = await ctx.store.plan(start.plan, null);
  if (!stored) return never(`no plan named ${start.plan}: apply it first`);
  const parsed = parsePlan(stored.document, deps.planWorld);
  if (!parsed.ok) return never(`the plan has problems: ${parsed.error.map((each) => problemLine(start.plan, each)).join('; ')}`);
  const { plan } = parsed.value;
  if (plan.service !== service) return never(`the plan ${start.plan} is for ${plan.service}, not for ${service}`);
  const reason = `the flag ${flag} of ${source} was changed: ${change.what}`;
  const started = await deps.start({ plan, version, first: false, paused: false, onBusy: null, reason }, actor);
  if (started.ok) return done(`started release ${started.value.release.id} of ${service} ${version}`);
  const { kind, detail } = started.error;
  return kind === 'busy' || kind === 'unavailable' ? { kind: 'later', detail } : never(detail);
}

const done = (detail: string): FlagStarted => ({ kind: 'done', detail });
const never = (detail: string): FlagStarted => ({ kind: 'never', detail });

/** Null where the flag does not tell what a place stands for. */
function versionOf(template: string, flag: string, state: FlagState | null): string | null {
  const shares = Object.entries(state?.variations ?? {}).toSorted(([, a], [, b]) => b - a);
  const told: Readonly<Record<string, string | null>> = {
    flag,
    revision: state?.revision ?? null,
    variation: shares[0]?.[0] ?? null,
    percent: state?.percent == null ? null : String(state.percent),
  };
  let isWhole = true;
  const version = template.replaceAll(/\{\{(\w+)\}\}/g, (_, place: string) => {
    const value = told[place] ?? null;
    if (value === null) isWhole = false;
    return value ?? '';
  });
  return isWhole ? version : null;
}
