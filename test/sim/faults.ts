/** What goes wrong in a world. Each kind is off in half of all worlds, so that no fault can hide another one for ever. */
import { chance } from './chance.ts';

export const FAULT_KINDS = [
  'request_lost',
  'reply_lost',
  'applied_then_error',
  'late_write',
  'false_ack',
  'slow_router',
  'node_restart',
  'node_down',
  'hand',
  'slot_unhealthy',
  'metrics_frozen',
  'metrics_stale',
  'metrics_empty',
  'metrics_nan',
  'metrics_lying',
  'metrics_slow',
  'metrics_down',
  'crash',
  'crash_at_call',
  'pause',
  'clock_step',
  'store_busy',
  'store_unavailable',
  'store_unknown',
  'notifier_down',
  'notifier_slow',
  'notifier_gone',
  'notifier_busy',
  'notifier_refusing',
  'hook_failing',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export type Faults = {
  /** Does it happen now? Counts when it does. `scale` makes a kind rarer where it is asked for more often. */
  hits(kind: FaultKind, scale?: number): boolean;
  /** Severity of the kind in this world, 0 when it is off. */
  rate(kind: FaultKind): number;
  count(kind: FaultKind): void;
  /** Nothing goes wrong any more. */
  heal(): void;
  isHealed(): boolean;
};

/** Most likely rate per call; the nemeses that come by the clock take it as their eagerness. */
const MOST = 0.08;

export function faults(seed: number, isCalm: boolean, onFault: (kind: FaultKind) => void): Faults {
  const draw = chance(seed, 'faults');
  const rates = new Map<FaultKind, number>(
    FAULT_KINDS.map((kind) => [kind, draw.hits(0.5) || isCalm ? 0 : MOST * draw.next() ** 2]),
  );
  let healed = false;
  const rate = (kind: FaultKind): number => (healed ? 0 : (rates.get(kind) ?? 0));
  return {
    rate,
    hits(kind, scale = 1) {
      const probability = rate(kind) * scale;
      if (probability === 0 || !draw.hits(probability)) return false;
      onFault(kind);
      return true;
    },
    count: onFault,
    heal: () => void (healed = true),
    isHealed: () => healed,
  };
}
