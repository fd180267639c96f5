/** Questions to providers, of the present and of the past: the same for releases under way and for what is asked ahead of them. */
import type { Measurement } from '../domain/analysis/measurement.ts';
import { Instant } from '../domain/ids.ts';
import type { Check } from '../domain/plan.ts';
import { canarySlot } from '../domain/target.ts';
import type { Target } from '../domain/target.ts';
import { err } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { MetricProvider, Question, Span } from '../ports/metric-provider.ts';
import type { Context } from './context.ts';

const HOUR_MS = 3_600_000;
const SHORTEST_STEP_MS = 15_000;

type About = Pick<Question, 'service' | 'canaryVersion' | 'stableVersion' | 'stableSlot' | 'since' | 'intervalMs' | 'now'> & {
  readonly targets: readonly Target[];
};

export function questionAbout(check: Check, { targets, stableSlot, ...about }: About): Question {
  const slots = targets[0]?.slots ?? [stableSlot, stableSlot];
  return {
    ...about,
    check,
    stableSlot,
    canarySlot: canarySlot(slots, stableSlot),
    routes: targets.map((target) => ({ router: target.router, route: target.route, slots: target.slots })),
  };
}

/** What tells how stable is: the hour before, at the pace of the looks, or a quarter of a minute. */
export const hourBefore = (at: Instant, intervalMs: number): Span => ({
  from: Instant(Math.max(0, at - HOUR_MS)),
  to: at,
  stepMs: Math.max(intervalMs, SHORTEST_STEP_MS),
});

type Past = {
  readonly provider: MetricProvider;
  readonly question: Question;
  readonly span: Span;
  readonly ms: number;
  readonly signal: AbortSignal;
};

/** Under a name of its own: a past that takes too long must not keep anybody from asking about the present. */
export async function askPast(ctx: Context, past: Past): Promise<Result<readonly Measurement[], string>> {
  const { provider, question, span, ms, signal } = past;
  const answer = await ctx.calls.call(
    { dependency: `history of ${provider.name}`, ms, signal, lowering: false },
    (inner) => provider.history(question, span, inner),
    () => true,
  );
  return answer.ok ? answer.value : err(answer.error);
}
