/**
 * Headgate itself: the engine of the product, fed with what a provider would have told it, in two profiles. `default`
 * tolerates 10 % and 0.01 percentage points (one bucket of a fine histogram, 10 % of a level); `strict` tolerates nothing.
 */
import type { EvidenceCheck } from '../../../src/domain/plan.ts';
import { assess, calibrated, calibratedGauges, specOf, step, worthOf } from '../../../src/domain/analysis/evidence/engine.ts';
import type { EvidenceState, Spec, Tick as Evidence } from '../../../src/domain/analysis/evidence/engine.ts';
import { suspiciousFrom } from '../../../src/domain/analysis/together.ts';
import type { Judge, Setting } from '../judge.ts';
import { BOUNDS_MS, TICK_S } from '../tick.ts';
import type { Kind, Tick } from '../tick.ts';

const ALPHA = 0.01;
const TICK_MS = TICK_S * 1000;

type Profile = {
  readonly tolerance: number;
  readonly floor: number;
  /** Promotes as soon as it is proved that the canary is not twice as bad, after two minutes at the earliest. */
  readonly early?: boolean;
};

/** Proof that is enough to promote early. */
const PROOF_AT = 1 / 0.05;
const EARLIEST_S = 120;

const headgateWith = (name: string, profile: Profile): Judge => ({
  name,
  kinds: ['counts', 'latency', 'gauge'],
  ...(profile.tolerance > 0 ? { tolerates: true as const } : {}),
  start: (setting) => {
    const { scenario } = setting;
    const rules = { alpha: ALPHA, tickMs: TICK_MS, horizonMs: scenario.minutes * 60_000 };
    const spec = specOf(checkOf(scenario.kind, profile), rules);
    let state = knowing(spec, setting);
    return (tick) => {
      state = step(spec, state, evidenceOf(tick));
      const logE = worthOf(spec, state);
      if (logE >= Math.log(1 / ALPHA)) return 'rollback';
      if (logE >= suspiciousFrom(ALPHA)) return 'hold';
      if (profile.early !== true || tick.atS < EARLIEST_S) return 'go on';
      const { logProof } = assess(spec, state);
      return logProof !== null && logProof >= Math.log(PROOF_AT) ? 'promote' : 'go on';
    };
  },
});

const BASE = {
  name: 'bench',
  provider: 'bench',
  query: {},
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'continue',
  weight: 1,
} as const;

function checkOf(kind: Kind, { tolerance, floor }: Profile): EvidenceCheck {
  switch (kind) {
    case 'counts':
      return { ...BASE, kind: 'ratio', worse: 'higher', tolerance, floor, minRequests: null, max: null, hardMax: null };
    case 'latency':
      return { ...BASE, kind: 'latency', tolerance, minRequests: null, quantile: 0.99, maxMs: null, hardMaxMs: null };
    case 'gauge':
      return { ...BASE, kind: 'gauge', worse: 'higher', tolerance, floor: 0 };
  }
}

/** The last bucket of the bench takes everything that is slower: it is the open one. */
const FINITE_BOUNDS_MS = BOUNDS_MS.slice(0, -1);

function evidenceOf(tick: Tick): Evidence {
  const span = { from: tick.atS * 1000 - TICK_MS, to: tick.atS * 1000 };
  switch (tick.kind) {
    case 'counts':
      return {
        ...span,
        kind: 'counts',
        canary: tick.canary,
        stable: tick.stable,
        instances: tick.instances.map((arm, index) => ({ key: String(index), group: '', ...arm })),
        parts: tick.strata ?? {},
      };
    case 'latency':
      return {
        ...span,
        kind: 'tails',
        boundsMs: FINITE_BOUNDS_MS,
        canary: [...tick.canary],
        stable: [...tick.stable],
        instances: tick.instances.map((counts, index) => ({ key: String(index), counts: [...counts] })),
      };
    case 'gauge':
      return { ...span, kind: 'gauges', canary: tick.canary, stable: tick.stable };
  }
}

/** What stable was like in the hour before: a provider with a history tells the product as much. */
function knowing(spec: Spec, { scenario, history }: Setting): EvidenceState {
  const past = history();
  if (scenario.kind !== 'gauge') return calibrated(spec, past.map(evidenceOf));
  const levels = past.flatMap((tick) =>
    tick.kind === 'gauge' ? [Object.fromEntries(tick.stable.map((value, index) => [String(index), value]))] : [],
  );
  return calibratedGauges(levels, TICK_MS);
}

export const headgate: readonly Judge[] = [
  headgateWith('Headgate default', { tolerance: 0.1, floor: 0.0001 }),
  headgateWith('Headgate strict', { tolerance: 0, floor: 0 }),
];

/** For whole rollouts only: at a weight that does not change, an early promotion is no different from going on. */
export const headgateEarly = headgateWith('Headgate strict, promoting early', { tolerance: 0, floor: 0, early: true });
