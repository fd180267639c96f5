/** Before any traffic moves: are the targets there, is the canary's slot healthy, does the operator's own hook agree? */
import type { Input } from '../domain/input.ts';
import type { Target } from '../domain/target.ts';
import { canarySlot } from '../domain/target.ts';
import type { HookName } from '../ports/hook.ts';
import type { Claimed } from '../ports/store.ts';
import { routerCall } from './actuate.ts';
import type { Context } from './context.ts';

type Prepared = Extract<Input, { kind: 'prepared' }>;

export async function prepare(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<Prepared> {
  const detail = await preflight(ctx, claimed, signal);
  if (detail !== null) return { kind: 'prepared', failure: { reason: 'preflight', detail } };
  if (!ctx.hooks.has(claimed.release.service, 'beforeStart')) return { kind: 'prepared', failure: null };
  const called = await callHook(ctx, claimed, 'beforeStart', signal);
  const failure = called.outcome === 'failed' ? { reason: 'hook' as const, detail: called.detail } : null;
  return { kind: 'prepared', failure };
}

export async function replaceStable(
  ctx: Context,
  claimed: Claimed,
  signal: AbortSignal,
): Promise<Extract<Input, { kind: 'hooked' }>> {
  const called = await callHook(ctx, claimed, 'replaceStable', signal);
  return { kind: 'hooked', hook: 'replaceStable', ...called };
}

/** What is missing, all of it in one sentence, or null. */
async function preflight(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<string | null> {
  if (claimed.targets.length === 0)
    return `no target of ${claimed.release.service} is managed: add one to the service in headgate.yaml`;
  const found = await Promise.all(claimed.targets.map((target) => lookAt(ctx, claimed, target, signal)));
  const missing = found.filter((detail) => detail !== null);
  return missing.length === 0 ? null : missing.join('; ');
}

async function lookAt(ctx: Context, { service }: Claimed, target: Target, signal: AbortSignal): Promise<string | null> {
  const router = ctx.routers.get(target.router);
  if (!router) return `${target.id}: no router named ${target.router} is configured`;
  const route = { name: target.route, slots: target.slots };
  const result = await routerCall(ctx, { router, operation: 'preflight', lowering: false }, signal, (inner) =>
    router.preflight(route, inner),
  );
  if (!result.ok) return `${target.id}: ${result.error.detail}`;
  const mute = result.value.nodes.filter((node) => !node.reachable);
  if (mute.length > 0) return `${target.id}: ${mute.map((node) => `${node.node} cannot be reached`).join(', ')}`;
  const slot = canarySlot(target.slots, service.stableSlot);
  const health = result.value.slots.find((candidate) => candidate.slot === slot);
  if (!health) return `${target.id}: the router does not know the slot ${slot}`;
  return health.healthy ? null : `${target.id}: the slot ${slot} is not healthy: ${health.detail}`;
}

async function callHook(
  ctx: Context,
  { release }: Claimed,
  hook: HookName,
  signal: AbortSignal,
): Promise<{ readonly outcome: 'done' | 'accepted' | 'failed'; readonly detail: string }> {
  const { id, service, version, stableVersion } = release;
  // The same key for every try, in this process and the next: the receiver can tell a repetition.
  const call = {
    hook,
    service,
    key: `${id}/${hook}`,
    payload: { release: id, service, version, stableVersion },
  };
  const answer = await ctx.calls.call(
    { dependency: `hook ${service} ${hook}`, ms: ctx.settings.hookTimeoutMs, signal, lowering: false },
    (inner) => ctx.hooks.call(call, inner),
    (result) => result.ok,
  );
  if (!answer.ok) return { outcome: 'failed', detail: `hook ${hook}: ${answer.error}` };
  if (!answer.value.ok) return { outcome: 'failed', detail: `hook ${hook}: ${answer.value.error}` };
  return { outcome: answer.value.value, detail: '' };
}
