/**
 * Starting a release and sending it commands. A command is decided and committed at once, whoever works on the release at
 * that moment: it takes the lease over, and the tick that was running finds its revision stale. Pausing and rolling back
 * need no precondition, and are never refused because somebody else was faster.
 */
import { planHashOf } from '../contract/plan-hash.ts';
import { create } from '../domain/create.ts';
import { decide } from '../domain/decide.ts';
import type { FlagChange } from '../domain/flag.ts';
import { ReleaseId } from '../domain/ids.ts';
import type { Instant } from '../domain/ids.ts';
import type { OnBusy, Plan } from '../domain/plan.ts';
import type { Actor, Command, Release } from '../domain/release.ts';
import { isLowering } from '../domain/release.ts';
import type { Service, Target } from '../domain/target.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { AuditEntry, AuditOrigin, Claimed, NewRelease, StoredRelease } from '../ports/store.ts';
import type { Context, ServiceSettings } from './context.ts';
import { CHANGED, commitDecision } from './commit-decision.ts';
import type { How } from './commit-decision.ts';
import { notifiersOf } from './record.ts';
import { settleMs } from './settle.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { supersede } from './supersede.ts';

export type StartRequest = {
  readonly plan: Plan;
  readonly version: string;
  /** A first release of the service: nothing to compare with, straight to full weight. */
  readonly first: boolean;
  /** Wait for a person before the first step. */
  readonly paused: boolean;
  /** Wins over the plan's. */
  readonly onBusy: OnBusy | null;
  readonly reason: string | null;
};

export type Commands = {
  start(request: StartRequest, actor: Actor, how?: How): Promise<Result<StoredRelease, Refusal>>;
  /** `ifMatch` is the `seq` (stateVersion) the caller saw; null for "whatever it is", and ignored by pause and rollback. */
  send(
    id: ReleaseId,
    command: Command,
    by: How & { readonly actor: Actor; readonly ifMatch: number | null },
  ): Promise<Result<StoredRelease, Refusal>>;
  /** A flag of its service is another than before. The same change told again does nothing; `not_accepted`: not just now. */
  flagChanged(id: ReleaseId, change: FlagChange): Promise<Result<StoredRelease, Refusal>>;
};

/** `work` gets the release right after a command was committed, to obey it at once; it does not wait for it. */
export function commands(ctx: Context, work: (claimed: Claimed) => void): Commands {
  return {
    start: (request, actor, how = {}) => start(ctx, request, { ...how, actor, work }),
    send: (id, command, by) => send(ctx, id, { ...by, command, work }),
    flagChanged: (id, change) =>
      commitDecision(ctx, id, {
        decideOn: (release, now) => decide(release, { kind: 'flagChanged', change }, now),
        work,
        audit: null,
        how: {},
      }),
  };
}

/** Somebody else commits between our read and our write: read again, so often at most. */
const RACES = 8;

type Working = { readonly actor: Actor; readonly work: (claimed: Claimed) => void };
type Starting = Working & How;

async function start(ctx: Context, request: StartRequest, how: Starting): Promise<Result<StoredRelease, Refusal>> {
  const { actor, work } = how;
  for (let race = 0; race < RACES; race++) {
    const facts = await startFacts(ctx, request);
    if (!facts.ok) return facts;
    const made = newRelease(ctx, request, { ...facts.value, actor, origin: how.origin, now: await ctx.store.now() });
    if (how.isTrial) return ok(asStored(made));
    const created = await ctx.store.create({ ...made, once: how.once ?? null });
    if (created.ok) {
      for (const event of made.events) ctx.recorder.event(event.type);
      const { id } = created.value.release;
      await supersede(ctx, made.release, work);
      const claimed = await ctx.store.load(id);
      if (claimed) work(claimed);
      return created;
    }
    if (created.error.kind !== 'stale')
      return err(refusal('unavailable', `the release could not be stored: ${created.error.detail}; try again`));
  }
  return err(refusal('unavailable', `other requests for ${request.plan.service} kept coming first; try again`));
}

type StartFacts = {
  readonly service: Service;
  readonly settings: ServiceSettings;
  readonly targets: readonly Target[];
  readonly active: Release | null;
  readonly behind: ReleaseId | null;
  readonly supersedes: boolean;
};

async function startFacts(ctx: Context, request: StartRequest): Promise<Result<StartFacts, Refusal>> {
  const { plan, version, first } = request;
  const settings = ctx.services.get(plan.service);
  const service = await ctx.store.service(plan.service);
  if (!settings || !service) return err(refusal('not_found', `no service named ${plan.service}: add it to headgate.yaml`));
  const targets = await ctx.store.targets(plan.service);
  if (targets.length === 0)
    return err(refusal('invalid', `${plan.service} has no target: add one to the service in headgate.yaml`));
  const unfit = unfitVersion(service, { version, first, settings });
  if (unfit !== null) return err(refusal('invalid', unfit, [{ path: '/version', message: unfit, line: null, column: null }]));
  const active = (await ctx.store.active(plan.service))?.release ?? null;
  const waiting = await ctx.store.queued(plan.service);
  const last = waiting.at(-1)?.release ?? active;
  const onBusy = request.onBusy ?? plan.onBusy;
  if (last !== null && onBusy === 'reject')
    return err(
      refusal(
        'busy',
        `${plan.service} is busy with release ${last.id} of ${last.version} (${last.phase.kind}): wait, queue behind it, or supersede it`,
      ),
    );
  return ok({
    service,
    settings,
    targets,
    active,
    behind: last?.id ?? null,
    supersedes: last !== null && onBusy === 'supersede',
  });
}

function unfitVersion(
  { name, stableVersion }: Service,
  { version, first, settings }: { readonly version: string; readonly first: boolean; readonly settings: ServiceSettings },
): string | null {
  if (version === stableVersion) return `${version} is the stable version of ${name} already`;
  if (stableVersion === null && !first)
    return `${name} has no stable version to compare with: say which one serves now (${stableWords(name)}), or that this is its first release (--first, or "first": true)`;
  if (stableVersion !== null && first) return `${name} has a stable version (${stableVersion}), so this is not its first release`;
  if (first && settings.promotion.kind === 'replace')
    return `${name} replaces its stable slot: deploy the first version there and say so (${stableWords(name)})`;
  return null;
}

/** For whoever asked at the command line, and for whoever asked the API. */
const stableWords = (name: string): string => `headgate service stable ${name} VERSION, or PUT /v1/services/${name}/stable`;

type NewFacts = StartFacts & { readonly actor: Actor; readonly origin: AuditOrigin | undefined; readonly now: Instant };

function newRelease(ctx: Context, request: StartRequest, { actor, origin, now, ...facts }: NewFacts): NewRelease {
  const { plan, version, first, paused, reason } = request;
  const { next, events } = create(
    {
      id: ReleaseId(ctx.random.id()),
      plan,
      version,
      stableVersion: facts.service.stableVersion,
      first,
      startPaused: paused,
      promotion: facts.settings.promotion,
      targets: facts.targets.map((target) => target.id),
      settleMs: settleMs(
        ctx.settings,
        facts.targets.map(({ router }) => ctx.routers.get(router)?.capabilities.applyTimeoutMs ?? 0),
      ),
      behind: facts.behind,
      supersedes: facts.supersedes ? true : undefined,
      by: actor,
      trace: ctx.tracer.current(),
    },
    now,
  );
  const audit: AuditEntry = {
    actor: actor.name,
    action: 'release.start',
    subject: next.id,
    reason,
    data: { service: plan.service, version, plan: plan.name },
    ...(origin ? { origin } : {}),
  };
  const expectActive = facts.active?.id ?? null;
  return { release: next, events, audit, notify: notifiersOf(ctx, { release: next }), dueAt: now, expectActive };
}

const asStored = ({ release, dueAt }: NewRelease): StoredRelease => ({ release, revision: 0, dueAt, crashes: 0 });

type Sending = Starting & { readonly command: Command; readonly ifMatch: number | null };

async function send(
  ctx: Context,
  id: ReleaseId,
  { command, actor, ifMatch, work, ...how }: Sending,
): Promise<Result<StoredRelease, Refusal>> {
  const unconditional = command.verb === 'pause' || command.verb === 'rollback';
  const found = await ctx.store.release(id);
  if (!found) return err(refusal('not_found', `no release ${id}`));
  if (ifMatch !== null && !unconditional && found.release.seq !== ifMatch)
    return err(
      refusal('precondition', `the release is at version ${found.release.seq} by now, not ${ifMatch}: look at it again`),
    );
  const bound = boundToPlan(command, found.release);
  if (!bound.ok) return bound;
  const audit: AuditEntry = {
    actor: actor.name,
    action: `release.${command.verb}`,
    subject: id,
    reason: command.reason,
    data: bound.value,
    ...(how.origin ? { origin: how.origin } : {}),
  };
  const expected = unconditional ? null : ifMatch;
  return commitDecision(ctx, id, {
    decideOn: (release, now) => {
      // Asking again for what is under way is no mistake: whoever pulls the brake twice means it.
      if (command.verb === 'rollback' && isLowering(release)) return { next: release, events: [], refusal: null };
      if (expected !== null && release.seq !== expected) return { next: release, events: [], refusal: CHANGED };
      return decide(release, { kind: 'command', command: bound.value, actor }, now);
    },
    work,
    audit,
    how,
  });
}

/** An approval is for the plan that was looked at; a release keeps its own copy of it to its end. */
function boundToPlan(command: Command, { plan }: Release): Result<Command, Refusal> {
  if (command.verb !== 'approve') return ok(command);
  const planHash = planHashOf(plan);
  if (command.planHash !== undefined && command.planHash !== planHash)
    return err(refusal('precondition', `the release runs another plan than the one approved (${planHash}): look at it again`));
  return ok({ ...command, planHash });
}
