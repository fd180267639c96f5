/** Whether an interval can have happened. What cannot is left out: evidence that was once no number would stay none. */
import { isCount } from '../measurement.ts';
import type { Spec, Tick } from './engine.ts';
import type { Arm } from './likelihood.ts';

/** Fractions of requests that were added up in another order. */
const ROUNDING = 1e-9;

export function isPossible(spec: Spec, tick: Tick): boolean {
  if (!(Number.isFinite(tick.from) && Number.isFinite(tick.to) && tick.from <= tick.to)) return false;
  if (tick.kind === 'gauges') return [...tick.canary, ...tick.stable].every(Number.isFinite);
  if (tick.kind === 'tails')
    return [tick.canary, tick.stable, ...tick.instances.map(({ counts }) => counts)].every(
      (counts) => counts.length <= tick.boundsMs.length + 1 && counts.every(isCount),
    );
  const isRate = spec.kind === 'counts' && spec.isRate;
  const isArm = ({ n, bad }: Arm): boolean => isCount(n) && isCount(bad) && (isRate || bad <= n * (1 + ROUNDING));
  const parts = Object.values(tick.parts).flatMap(({ canary, stable }) => [canary, stable]);
  return [tick.canary, tick.stable, ...tick.instances, ...parts].every(isArm);
}
