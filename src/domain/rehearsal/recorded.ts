/** A world that was: what a provider counted in a past span, asked again. Weights were what they were then. */
import type { Measurement } from '../analysis/measurement.ts';
import type { Instant } from '../ids.ts';
import type { Check } from '../plan.ts';
import type { World } from './world.ts';

export type Recording = {
  readonly from: Instant;
  readonly stepMs: number;
  /** By check, one answer for each step, oldest first. */
  readonly answers: ReadonlyMap<string, readonly Measurement[]>;
  readonly past: ReadonlyMap<string, readonly Measurement[]>;
};

export function recorded({ from, stepMs, answers, past }: Recording): World {
  return {
    serve: () => {},
    answer(check: Check, now: Instant) {
      const all = answers.get(check.name) ?? [];
      const index = Math.min(all.length - 1, Math.floor((now - from) / stepMs));
      return all[index] ?? { kind: 'no_data', at: now, detail: 'nothing was recorded' };
    },
    past: ({ name }) => past.get(name) ?? [],
    met: () => null,
  };
}

/** The canary's share of the requests that were counted; null where there were none. */
export function shareServed(answers: readonly Measurement[]): number | null {
  const counts = { canary: 0, stable: 0 };
  const last = new Map<string, number>();
  for (const answer of answers) {
    if (answer.kind !== 'counters' && answer.kind !== 'histogram') continue;
    const series =
      answer.kind === 'counters'
        ? answer.series.map(({ role, key, stratum = '', total }) => ({ role, name: `${role} ${key} ${stratum}`, total }))
        : answer.series.map(({ role, key, counts: each }) => ({
            role,
            name: `${role} ${key}`,
            total: each.reduce((sum, count) => sum + count, 0),
          }));
    for (const { role, name, total } of series) {
      const before = last.get(name);
      if (before !== undefined && before <= total) counts[role] += total - before;
      last.set(name, total);
    }
  }
  const all = counts.canary + counts.stable;
  return all > 0 ? counts.canary / all : null;
}
