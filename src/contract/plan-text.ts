/** A plan as it runs, for people to read: YAML in the units of the document, with every default filled in. */
import { stringify } from 'yaml';
import { percent } from '../domain/ids.ts';
import type { Plan, Step } from '../domain/plan.ts';
import { formatDuration } from '../lib/duration.ts';

export function planText(plan: Plan): string {
  const { steps, bake, checks, score, notify, falseRollbackRate, missRate, earlyAfterMs, ...rest } = plan;
  return stringify(
    {
      ...readable(rest),
      falseRollbackRate: shareText(falseRollbackRate),
      missRate: shareText(missRate),
      ...(earlyAfterMs === null ? {} : { advanceEarly: { after: formatDuration(earlyAfterMs) } }),
      steps: steps.map(stepText),
      ...(bake ? { bake: { for: formatDuration(bake.forMs), holdBack: percent(bake.holdBack) } } : {}),
      checks: Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, readable({ ...check, name: null })])),
      ...(Object.values(checks).some(({ kind }) => kind === 'mann-whitney') ? { score } : {}),
      ...(notify.length > 0 ? { notify } : {}),
    },
    { lineWidth: 0 },
  );
}

function stepText(step: Step): unknown {
  if (step.kind === 'weight')
    return { weight: percent(step.weight), hold: formatDuration(step.holdMs), checks: [...step.checks] };
  const { otherwise } = step;
  if (step.kind === 'approve') return { approve: { by: step.by, within: formatDuration(step.withinMs), otherwise } };
  return { pause: { for: formatDuration(step.forMs), otherwise } };
}

const SHARES: ReadonlySet<string> = new Set(['tolerance']);

/** `holdMs: 300000` is `hold: 5m`; what is not set is left out. */
function readable(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]): [string, unknown][] => {
      if (each === null || (typeof each === 'object' && Object.keys(each).length === 0)) return [];
      if (typeof each === 'number' && key.endsWith('Ms')) return [[key.slice(0, -2), formatDuration(each)]];
      if (typeof each === 'number' && SHARES.has(key)) return [[key, shareText(each)]];
      return [[key, each]];
    }),
  );
}

const shareText = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;
