/** What a world is made of, drawn from its seed: services, targets, routers, plans, settings, and the truth about each version. */
import { Weight } from '../../src/domain/ids.ts';
import type { Check, GateOutcome, Plan, Recourse, Step } from '../../src/domain/plan.ts';
import type { Promotion } from '../../src/domain/release.ts';
import type { ServiceSettings, Settings } from '../../src/controller/context.ts';
import { DEFAULT_SETTINGS } from '../../src/controller/context.ts';
import { chance } from './chance.ts';
import type { Chance } from './chance.ts';

export type TargetSpecification = {
  readonly nodes: number;
  readonly seq: 'fence' | 'reports' | 'none';
  readonly isMarked: boolean;
  readonly management: 'enforce' | 'adopt';
};

export type ServiceSpec = {
  readonly settings: ServiceSettings;
  readonly stableVersion: string | null;
  readonly requestsPerSecond: number;
  readonly targets: readonly TargetSpecification[];
  readonly hooks: { readonly beforeStart: boolean; readonly replaceStable: boolean };
};

export type WorldSpec = {
  readonly services: readonly ServiceSpec[];
  readonly workers: 1 | 2;
  readonly releases: number;
  readonly faultsForMs: number;
  readonly settings: Settings;
  /** Nothing goes wrong: what a release costs by itself. */
  readonly isCalm: boolean;
  readonly pace: Pace;
};

/** How much longer everything takes than in the quickest worlds: holds, deadlines, looks, and the gaps between faults. */
export type Pace = { readonly plans: number; readonly looks: number; readonly world: number; readonly people: number };

/** Releases of minutes with a look every few seconds, of an hour, and of days with a look now and then. */
const QUICK: Pace = { plans: 1, looks: 1, world: 1, people: 1 };
const SLOW: Pace = { plans: 12, looks: 3, world: 4, people: 12 };
const DAYS: Pace = { plans: 360, looks: 180, world: 150, people: 360 };

function paceOf(draw: Chance): Pace {
  const at = draw.next();
  if (at < 0.15) return SLOW;
  return at < 0.4 ? DAYS : QUICK;
}

export const NOTIFIERS = ['pager', 'chat'] as const;
/** The check that a poisoned plan names and does not have. */
export const POISON = 'no-such-check';
export const PROVIDERS = ['metrics', 'probe'] as const;

export function worldSpec(seed: number): WorldSpec {
  const draw = chance(seed, 'world');
  const count = draw.int(1, 3);
  const pace = paceOf(chance(seed, 'pace'));
  return {
    services: Array.from({ length: count }, (_, index) => serviceSpec(`svc${index}`, draw)),
    workers: draw.hits(0.5) ? 2 : 1,
    releases: draw.int(count, 6),
    faultsForMs: draw.int(10, 40) * 60_000 * pace.world,
    pace,
    settings: { ...settings(draw), ...(pace === DAYS ? SELDOM : {}) },
    isCalm: draw.hits(0.05),
  };
}

/** Nobody looks every second where a release takes days. */
const SELDOM: Partial<Settings> = { reconcileEveryMs: 5 * 60_000, pollMs: 5 * 60_000 };

/** Half of the worlds run with the defaults, the others with shorter deadlines, so that more happens in an hour. */
function settings(draw: Chance): Settings {
  const deliverForMs = draw.hits(0.5) ? DEFAULT_SETTINGS.deliverForMs : draw.int(5, 15) * 60_000;
  if (draw.hits(0.5)) return { ...DEFAULT_SETTINGS, deliverForMs };
  return {
    ...DEFAULT_SETTINGS,
    deliverForMs,
    leaseMs: 30_000,
    readTimeoutMs: 2_000,
    applyTimeoutMs: 3_000,
    measureTimeoutMs: 2_000,
    hookTimeoutMs: 5_000,
    settleMinMs: 12_000,
  };
}

function serviceSpec(name: string, draw: Chance): ServiceSpec {
  const promotion: Promotion = draw.hits(0.7)
    ? { kind: 'swap' }
    : { kind: 'replace', withinMs: draw.int(30, 180) * 1_000, otherwise: draw.pick(['rollback', 'hold']), hook: true };
  return {
    settings: {
      name,
      team: null,
      environment: null,
      provider: PROVIDERS[0],
      versionLabel: 'version',
      promotion,
      notify: draw.hits(0.8) ? ['pager'] : [],
      flags: [],
    },
    stableVersion: promotion.kind === 'swap' && draw.hits(0.15) ? null : `${name}-v0`,
    requestsPerSecond: draw.pick([40, 120, 400]),
    targets: Array.from({ length: draw.int(1, 2) }, () => ({
      nodes: draw.int(1, 3),
      seq: draw.pick(['fence', 'reports', 'none'] as const),
      isMarked: draw.hits(0.8),
      management: draw.hits(0.8) ? ('enforce' as const) : ('adopt' as const),
    })),
    hooks: { beforeStart: draw.hits(0.3), replaceStable: draw.hits(0.5) },
  };
}

/** How a version really is; the controller can only guess it from what it measures. */
export type Truth =
  | { readonly kind: 'good' }
  | { readonly kind: 'bad'; readonly excess: number }
  | { readonly kind: 'bad_from_weight'; readonly excess: number; readonly weight: number }
  | { readonly kind: 'bad_after'; readonly excess: number; readonly ms: number }
  | { readonly kind: 'leak'; readonly excessPerHour: number };

export function truthOf(draw: Chance): Truth {
  if (draw.hits(0.55)) return { kind: 'good' };
  const excess = draw.pick([0.03, 0.15, 0.5]);
  switch (draw.int(0, 3)) {
    case 0:
      return { kind: 'bad', excess };
    case 1:
      return { kind: 'bad_from_weight', excess, weight: draw.int(500, 5_000) };
    case 2:
      return { kind: 'bad_after', excess, ms: draw.int(20, 600) * 1_000 };
    default:
      return { kind: 'leak', excessPerHour: draw.pick([0.2, 2]) };
  }
}

export function plan(service: string, draw: Chance, pace: Pace): Plan {
  const onNoData = draw.pick<Recourse>(['hold', 'hold', 'rollback', 'continue']);
  const onInconclusive = draw.pick<Recourse>(['hold', 'hold', 'hold', 'rollback', 'continue']);
  const checks = Object.fromEntries(checksOf(draw).map((check) => [check.name, { ...check, onNoData, onInconclusive }]));
  const names = Object.keys(checks);
  const isPoisoned = draw.hits(0.03);
  const steps = stepsOf(draw, names, pace);
  return {
    name: 'simulated',
    service,
    strategy: 'canary',
    // A plan that no validation would let through: its handler fails on every look.
    steps: isPoisoned ? steps.map((step) => (step.kind === 'weight' ? { ...step, checks: [POISON] } : step)) : steps,
    bake: draw.hits(0.4) ? { forMs: draw.int(10, 90) * 1_000 * pace.plans, holdBack: Weight(draw.pick([0, 500, 1_000])) } : null,
    deadlineMs: draw.int(4, 25) * 60_000 * pace.plans,
    intervalMs: draw.pick([2_000, 5_000, 10_000]) * pace.looks,
    warmUpMs: draw.pick([0, 0, 5_000]),
    minMeasurements: draw.int(1, 4),
    falseRollbackRate: 0.01,
    missRate: 0.05,
    earlyAfterMs: draw.hits(0.25) ? draw.int(2, 20) * 1_000 * pace.plans : null,
    score: { pass: 95, marginal: 75, groups: {} },
    onBusy: draw.pick(['reject', 'queue', 'queue', 'supersede']),
    checks,
    notify: draw.hits(0.5) ? ['chat'] : [],
  };
}

function stepsOf(draw: Chance, checks: readonly string[], pace: Pace): readonly Step[] {
  const steps: Step[] = [];
  const otherwise = (): GateOutcome => draw.pick(['continue', 'rollback']);
  let weight = draw.pick([50, 500, 1_000]);
  for (let index = draw.int(1, 4); index > 0; index--) {
    if (draw.hits(0.12)) steps.push({ kind: 'pause', forMs: draw.int(10, 60) * 1_000 * pace.plans, otherwise: otherwise() });
    if (draw.hits(0.12))
      steps.push({ kind: 'approve', by: draw.int(1, 2), withinMs: draw.int(30, 200) * 1_000, otherwise: otherwise() });
    steps.push({
      kind: 'weight',
      weight: Weight(weight),
      holdMs: draw.int(8, 80) * 1_000 * pace.plans,
      checks: draw.hits(0.8) ? checks : checks.slice(0, 1),
    });
    weight = Math.min(10_000, weight * draw.int(2, 5));
  }
  return steps;
}

function checksOf(draw: Chance): readonly Check[] {
  const base = (name: string) => ({
    name,
    provider: draw.pick(PROVIDERS),
    query: { offered: name },
    dryRun: draw.hits(0.1),
    onFail: 'rollback' as const,
    onNoData: 'hold' as const,
    onError: 'hold' as const,
    onInconclusive: 'hold' as const,
    weight: 1,
  });
  const errors: Check = {
    ...base('errors'),
    kind: 'ratio',
    worse: 'higher',
    tolerance: 0.5,
    floor: 0.01,
    max: draw.hits(0.5) ? 0.1 : null,
    hardMax: draw.hits(0.4) ? 0.3 : null,
    minRequests: draw.int(20, 100),
  };
  const latency: Check = {
    ...base('latency'),
    kind: 'latency',
    quantile: 0.95,
    tolerance: 0.8,
    maxMs: draw.hits(0.5) ? 400 : null,
    hardMaxMs: null,
    minRequests: 20,
  };
  const load: Check = {
    ...base('load'),
    kind: 'threshold',
    failures: draw.pick([
      { breaches: 1, of: 1 },
      { breaches: 3, of: 5 },
    ]),
    min: null,
    max: 0.8,
    hardMin: null,
    hardMax: draw.hits(0.5) ? 0.95 : null,
  };
  return [errors, ...(draw.hits(0.4) ? [latency] : []), ...(draw.hits(0.4) ? [load] : [])];
}
