/** Which steps are too short or too small for the traffic, each with the number that would do. */
import { durationWords, plural } from '../analysis/words.ts';
import { percent, Weight } from '../ids.ts';
import type { Plan } from '../plan.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { Table } from './play.ts';
import type { Preview, StepView } from './preview.ts';

type Foretold = { readonly steps: readonly StepView[]; readonly good: Preview['good'] };

export function adviceFor(plan: Plan, table: Table, { steps, good }: Foretold): readonly string[] {
  const lines = steps.flatMap((view, index) => stepAdvice(plan, table, { view, next: steps[index + 1]?.weightBp ?? 10_000 }));
  const { medianMs, earlyMedianMs } = good;
  const saves = plan.earlyAfterMs === null && medianMs !== null && earlyMedianMs !== null && earlyMedianMs < medianMs;
  return [
    ...lines,
    ...(plan.earlyAfterMs !== null && table.neverProved
      ? ['advanceEarly never acts: not every check of the plan can prove that a canary is not worse']
      : []),
    ...(saves
      ? [`with advanceEarly a good release is through in ${durationWords(earlyMedianMs)} instead of ${durationWords(medianMs)}`]
      : []),
  ];
}

type Told = { readonly view: StepView; readonly next: number };

function stepAdvice({ intervalMs }: Plan, { warmUpTicks }: Table, { view, next }: Told): readonly string[] {
  const place = view.step === null ? 'the bake' : `step ${view.step}`;
  const [worst] = Object.entries(view.checks)
    .filter(([, { enough }]) => !enough)
    .toSorted(([, a], [, b]) => (b.needed ?? 0) - (a.needed ?? 0));
  if (worst === undefined) {
    const blind = Object.entries(view.checks).filter(([, { sees }]) => sees === null);
    return blind.length === 0
      ? []
      : [`${place} at ${percent(Weight(view.weightBp))} sees nothing of ${blind.map(([name]) => name).join(', ')}`];
  }
  const [name, { needed, neededMs, requests }] = worst;
  if (needed === null) return [];
  const head = `${place} at ${percent(Weight(view.weightBp))} is too ${view.holdMs < 600_000 ? 'short' : 'small'}: ${name} needs ${plural(needed, 'canary request')} to see what is worth seeing, and there ${requests === 1 ? 'is' : 'are'} ${plural(requests, 'request')} in ${formatDuration(view.holdMs)}`;
  if (neededMs === null || requests === 0) return [`${head}; there is no traffic to judge by`];
  const judgedMs = Math.max(intervalMs, view.holdMs - warmUpTicks * intervalMs);
  const weight = roundedUp((view.weightBp * needed * (view.holdMs / judgedMs)) / requests);
  const heavier = weight < next ? `, or weight ${percent(Weight(weight))} instead of ${percent(Weight(view.weightBp))}` : '';
  return [
    `${head}: hold ${formatDuration(roundedMs(neededMs))} instead of ${formatDuration(view.holdMs)}${heavier} (as it is, it waits ${durationWords(neededMs)})`,
  ];
}

/** To the next whole minute; tens of seconds below three. */
const roundedMs = (ms: number): number => (ms < 180_000 ? Math.ceil(ms / 10_000) * 10_000 : Math.ceil(ms / 60_000) * 60_000);

/** To a weight that people write: tenths of a percent below one, halves below ten, whole ones from there on. */
function roundedUp(bp: number): number {
  const step = bp < 100 ? 10 : bp < 1000 ? 50 : 100;
  return Math.min(10_000, Math.ceil(bp / step - 1e-9) * step);
}
