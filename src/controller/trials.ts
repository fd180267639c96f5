/**
 * Trials of the places that Headgate talks to, when somebody asks whether they are well. They write nothing, one at a time
 * of each place, and go under a name of their own: a trial that fails opens no breaker of releases under way, and one of
 * those that is open does not stand in between.
 */
import { checksOf } from '../contract/plan-checks.ts';
import type { PlanWorld } from '../contract/plan-world.ts';
import type { CheckDocument } from '../contract/plan-document.ts';
import type { Measurement } from '../domain/analysis/measurement.ts';
import type { Check } from '../domain/plan.ts';
import type { Target } from '../domain/target.ts';
import { unreachable } from '../lib/assert.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { MetricProvider } from '../ports/metric-provider.ts';
import type { NodeReading, SlotHealth, TrafficRouter } from '../ports/traffic-router.ts';
import type { Context } from './context.ts';
import { questionAbout } from './questions.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export type TargetTrial = {
  readonly target: string;
  readonly well: boolean;
  readonly sentence: string;
  readonly nodes: readonly NodeReading[];
  readonly slots: readonly SlotHealth[];
};
export type RouterTrial = { readonly well: boolean; readonly ms: number; readonly targets: readonly TargetTrial[] };
export type ProviderTrial = {
  readonly well: boolean;
  readonly ms: number;
  readonly asked: string | null;
  readonly sentence: string;
};

export type Trials = {
  /** Looks at those of its targets that `sees` lets through. */
  router(name: string, sees: (target: Target) => boolean, signal: AbortSignal): Promise<Result<RouterTrial, Refusal>>;
  provider(name: string, signal: AbortSignal): Promise<Result<ProviderTrial, Refusal>>;
};

/** Targets of one router that are looked at together. */
const AT_ONCE = 8;

type Ctx = Pick<Context, 'store' | 'clock' | 'calls' | 'settings' | 'routers' | 'providers' | 'services'>;

export function trials(ctx: Ctx, world: PlanWorld): Trials {
  const underWay = new Set<string>();
  const alone = async <T>(name: string, run: () => Promise<T>): Promise<Result<T & { readonly ms: number }, Refusal>> => {
    if (underWay.has(name)) return err(refusal('busy', `a test of ${name} is under way: its answer comes in a moment`));
    underWay.add(name);
    const startedMs = ctx.clock.monotonicMs();
    try {
      return ok({ ...(await run()), ms: Math.round(ctx.clock.monotonicMs() - startedMs) });
    } finally {
      underWay.delete(name);
    }
  };
  return {
    async router(name, sees, signal) {
      const router = ctx.routers.get(name);
      if (!router) return err(refusal('not_found', `no router named ${name}`));
      return alone(`router ${name}`, async () => {
        const of = (await ctx.store.targets(null)).filter((target) => target.router === name && sees(target));
        const targets: TargetTrial[] = [];
        for (let next = 0; next < of.length; next += AT_ONCE)
          targets.push(
            ...(await Promise.all(of.slice(next, next + AT_ONCE).map((target) => tryTarget(ctx, router, target, signal)))),
          );
        return { well: targets.every(({ well }) => well), targets };
      });
    },
    async provider(name, signal) {
      const provider = ctx.providers.get(name);
      if (!provider) return err(refusal('not_found', `no provider named ${name}`));
      return alone(`provider ${name}`, () => tryProvider(ctx, provider, world, signal));
    },
  };
}

async function tryTarget(ctx: Ctx, router: TrafficRouter, target: Target, signal: AbortSignal): Promise<TargetTrial> {
  const answer = await ctx.calls.call(
    { dependency: `test of router ${router.name}`, ms: ctx.settings.readTimeoutMs, signal, lowering: true },
    (inner) => router.preflight({ name: target.route, slots: target.slots }, inner),
    (result) => result.ok,
  );
  if (!answer.ok) return { target: target.id, well: false, sentence: answer.error, nodes: [], slots: [] };
  if (!answer.value.ok) {
    const { detail, nodes } = answer.value.error;
    return { target: target.id, well: false, sentence: detail, nodes, slots: [] };
  }
  const { nodes, slots } = answer.value.value;
  const mute = nodes.filter((node) => !node.reachable);
  const ill = slots.filter((slot) => !slot.healthy);
  const troubles = [
    ...mute.map(({ node, detail }) => `${node} cannot be reached${detail === null ? '' : ` (${detail})`}`),
    ...ill.map(({ slot, detail }) => `the slot ${slot} is not healthy: ${detail}`),
  ];
  const sentence = troubles.length > 0 ? troubles.join('; ') : 'its nodes answer, and both slots are healthy';
  return { target: target.id, well: troubles.length === 0, sentence, nodes, slots };
}

type Found = Omit<ProviderTrial, 'ms'>;

async function tryProvider(ctx: Ctx, provider: MetricProvider, world: PlanWorld, signal: AbortSignal): Promise<Found> {
  const check = cheapest(provider, world);
  if (!check)
    return {
      well: true,
      asked: null,
      sentence: `${provider.name} offers no check by name, so there is nothing to ask it: plan preview asks what a plan asks`,
    };
  const question = await questionOf(ctx, provider, check);
  const asked = check.query['query'] ?? `${check.name} of ${question.service}`;
  const answer = await ctx.calls.call(
    { dependency: `test of provider ${provider.name}`, ms: ctx.settings.measureTimeoutMs, signal, lowering: true },
    (inner) => provider.measure(question, inner),
    (measurement) => measurement.kind !== 'failed',
  );
  if (!answer.ok) return { well: false, asked, sentence: answer.error };
  return { well: answer.value.kind !== 'failed', asked, sentence: saidBy(answer.value) };
}

/** What it says costs least, or else the first that it offers and that can be asked without a limit of a plan's. */
function cheapest({ name, offers, constant }: MetricProvider, world: PlanWorld): Check | null {
  const none = (): null => null;
  const documents: readonly (readonly [string, CheckDocument | null])[] = [
    ...(constant === undefined ? [] : [['constant', { kind: 'threshold', provider: name, query: constant, max: 1 }] as const]),
    ...Object.keys(offers).map((offered) => [offered, null] as const),
  ];
  for (const [key, document] of documents) {
    const made = checksOf({ checks: document === null ? [key] : { [key]: document } }, name, world, none).checks[key];
    if (made) return made;
  }
  return null;
}

/** Of a service that asks this provider, where there is one; of stable alone, under a version that nothing is counted under. */
async function questionOf({ store, services }: Ctx, provider: MetricProvider, check: Check) {
  const [now, known, targets] = await Promise.all([store.now(), store.services(), store.targets(null)]);
  const service = [...services.values()].find((one) => one.provider === provider.name)?.name ?? [...services.keys()][0] ?? '';
  const found = known.find(({ name }) => name === service);
  return questionAbout(check, {
    service,
    canaryVersion: 'headgate-test',
    stableVersion: found?.stableVersion ?? null,
    stableSlot: found?.stableSlot ?? '',
    targets: targets.filter((target) => target.service === service),
    since: now,
    intervalMs: 10_000,
    now,
  });
}

function saidBy(measurement: Measurement): string {
  switch (measurement.kind) {
    case 'value':
      return `it answered ${measurement.value}`;
    case 'counters':
    case 'histogram':
    case 'gauges':
      return `it answered with ${measurement.series.length} ${measurement.series.length === 1 ? 'series' : 'series of numbers'}`;
    case 'no_data':
      return `it answered, and has no data: ${measurement.detail}`;
    case 'failed':
      return measurement.detail;
    default:
      return unreachable(measurement);
  }
}
