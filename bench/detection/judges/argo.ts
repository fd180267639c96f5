/**
 * Argo Rollouts: a measurement of the canary alone per interval, against an expression. More failed measurements than
 * `failureLimit` abort the rollout at once; they add up over the whole analysis run. No traffic gives NaN, and `NaN >=
 * 0.95` is false, so that is a failed measurement too.
 * Source: argoproj/argo-rollouts at 9f8d111, analysis/analysis.go; docs/features/analysis.md for the background example.
 */
import { everyMinutes, shareOf } from '../judge.ts';
import type { Judge } from '../judge.ts';

type Rule = { readonly least: number; readonly minutes: number; readonly failureLimit: number };

const argo = (name: string, { least, minutes, failureLimit }: Rule): Judge => ({
  name,
  kinds: ['counts'],
  start: () => {
    let failed = 0;
    let seen = { n: 0, bad: 0 };
    return (tick) => {
      if (tick.kind !== 'counts') return 'go on';
      seen = { n: seen.n + tick.canary.n, bad: seen.bad + tick.canary.bad };
      if (!everyMinutes(minutes, tick.atS)) return 'go on';
      if (!(1 - shareOf(seen) >= least)) failed++;
      seen = { n: 0, bad: 0 };
      return failureLimit < failed ? 'rollback' : 'go on';
    };
  },
});

export const argoDocs = argo('Argo 95% every 5 min, limit 3', { least: 0.95, minutes: 5, failureLimit: 3 });
export const argoDefault = argo('Argo 99% every 1 min, limit 0', { least: 0.99, minutes: 1, failureLimit: 0 });
