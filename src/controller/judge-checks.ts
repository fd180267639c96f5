/** Asks the providers and judges the answers: the way from the world's numbers to the verdicts that `decide` is given. */
import { evidenceElsewhere, judgeRelease, knowing } from '../domain/analysis/judge-release.ts';
import { wantsHistory } from '../domain/analysis/judge.ts';
import type { JudgeState } from '../domain/analysis/judge.ts';
import type { CheckVerdict, Measurement } from '../domain/analysis/measurement.ts';
import { checksNow } from '../domain/course.ts';
import type { Instant } from '../domain/ids.ts';
import type { Check } from '../domain/plan.ts';
import { assert } from '../lib/assert.ts';
import type { MetricProvider, Question } from '../ports/metric-provider.ts';
import type { CheckState, Claimed, MeasurementRow } from '../ports/store.ts';
import type { Context } from './context.ts';
import { askPast, hourBefore, questionAbout } from './questions.ts';

export type Judgement = {
  readonly verdicts: Readonly<Record<string, CheckVerdict>>;
  /** Why all evidence begins anew, or null. */
  readonly restart: string | null;
  readonly measurements: readonly MeasurementRow[];
  readonly checkStates: readonly CheckState[];
};

/** Measures every check of the present place once, all at the same time; a failing provider is an answer, too. */
export async function judgeChecks(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<Judgement> {
  const checks = checksNow(claimed.release);
  const [answers, histories] = await Promise.all([
    Promise.all(checks.map((check) => measure(ctx, claimed, check, signal))),
    Promise.all(checks.map((check) => historyOf(ctx, claimed, check, signal))),
  ]);
  const now = await ctx.store.now();
  const given = checks.map((check, index) => {
    const measurement = answers[index];
    assert(measurement, 'one answer per check');
    const state = knowing(claimed.release, check, {
      state: storedState(claimed, check),
      history: histories[index] ?? [],
      now,
    });
    return { check, measurement, state };
  });
  const elsewhere = evidenceElsewhere(claimed.release, claimed.checkStates);
  const { judged, verdicts, restart } = judgeRelease(claimed.release, given, { now, elsewhere });
  for (const { check, verdict } of judged) ctx.recorder.verdict(claimed.release.service, check.name, verdict);
  return {
    verdicts,
    restart,
    measurements: judged.flatMap(({ check, measurement, verdict, fresh }) =>
      fresh ? [{ check: check.name, end: measurement.at, measurement, verdict }] : [],
    ),
    checkStates: judged.map(({ check, state, verdict }) => ({ check: check.name, state, verdict })),
  };
}

const storedState = ({ checkStates }: Claimed, check: Check): JudgeState | null =>
  asJudgeState(checkStates.find((state) => state.check === check.name)?.state ?? null);

// The store keeps the judge's state as the plain JSON that the judge made; only the judge looks into it.
const asJudgeState = (stored: unknown): JudgeState | null =>
  typeof stored === 'object' && stored !== null ? (stored as JudgeState) : null;

/** What stable was like in the last hour, asked for once, before the first evidence; nothing where there is none. */
async function historyOf(ctx: Context, claimed: Claimed, check: Check, signal: AbortSignal): Promise<readonly Measurement[]> {
  const provider = ctx.providers.get(check.provider);
  const { evidenceFrom, plan } = claimed.release;
  if (!provider || !wantsHistory(check, storedState(claimed, check), evidenceFrom)) return [];
  const question = questionOf(claimed, check, await ctx.store.now());
  const span = hourBefore(evidenceFrom, plan.intervalMs);
  const past = await askPast(ctx, { provider, question, span, ms: ctx.settings.measureTimeoutMs, signal });
  return past.ok ? past.value : [];
}

async function measure(ctx: Context, claimed: Claimed, check: Check, signal: AbortSignal): Promise<Measurement> {
  const now = await ctx.store.now();
  const provider = ctx.providers.get(check.provider);
  if (!provider) return { kind: 'failed', at: now, detail: `no provider named ${check.provider} is configured` };
  const attributes = { 'headgate.provider': provider.name, 'headgate.check': check.name };
  return ctx.tracer.span({ name: 'provider measure', kind: 'client', attributes }, async (span) => {
    const measurement = await asked(ctx, provider, questionOf(claimed, check, now), signal);
    span.set({ 'headgate.outcome': measurement.kind });
    if (measurement.kind === 'failed') span.fail(measurement.detail);
    return measurement;
  });
}

async function asked(ctx: Context, provider: MetricProvider, question: Question, signal: AbortSignal): Promise<Measurement> {
  const startedMs = ctx.clock.monotonicMs();
  const answer = await ctx.calls.call(
    { dependency: `provider ${provider.name}`, ms: ctx.settings.measureTimeoutMs, signal, lowering: false },
    (inner) => provider.measure(question, inner),
    (measurement) => measurement.kind !== 'failed',
  );
  const seconds = (ctx.clock.monotonicMs() - startedMs) / 1000;
  const measurement: Measurement = answer.ok ? answer.value : { kind: 'failed', at: question.now, detail: answer.error };
  ctx.recorder.providerCall(provider.name, measurement.kind, seconds);
  return measurement;
}

const questionOf = ({ release, service, targets }: Claimed, check: Check, now: Instant): Question =>
  questionAbout(check, {
    service: release.service,
    canaryVersion: release.version,
    stableVersion: release.stableVersion,
    stableSlot: service.stableSlot,
    targets,
    since: release.evidenceSince,
    intervalMs: release.plan.intervalMs,
    now,
  });
