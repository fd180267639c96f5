/** What has to be asked of the world for a preview, a simulation or a replay: present traffic, and what was counted in the past. */
import { isEvidence } from '../domain/analysis/together.ts';
import type { Measurement } from '../domain/analysis/measurement.ts';
import { after, Instant } from '../domain/ids.ts';
import type { Check, Plan } from '../domain/plan.ts';
import type { Figures, Traffic } from '../domain/rehearsal/figures.ts';
import { trafficFrom } from '../domain/rehearsal/measured.ts';
import type { Recording } from '../domain/rehearsal/recorded.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Question, Span } from '../ports/metric-provider.ts';
import type { Context } from './context.ts';
import { askPast, hourBefore, questionAbout } from './questions.ts';

/** A version that nothing is counted under: questions about stable alone. */
const NOBODY = 'headgate-preview';
const BETWEEN_MS = 5_000;

type Asking = { readonly version: string; readonly stableVersion: string | null; readonly signal: AbortSignal };

/** The last hour of stable where its providers keep one; otherwise two looks, some seconds apart. */
export async function presentTraffic(
  ctx: Context,
  plan: Plan,
  fallback: Figures,
  signal: AbortSignal,
): Promise<Result<Traffic, string>> {
  const now = await ctx.store.now();
  const asking = { version: NOBODY, stableVersion: null, signal };
  const span = hourBefore(now, plan.intervalMs);
  const checks = Object.values(plan.checks).filter(isEvidence);
  const seen: Looked[] = await Promise.all(
    checks.map(async (check) => {
      const past = await pastOf(ctx, plan, { check, span, ...asking });
      return { check, history: past.ok ? past.value : [] };
    }),
  );
  const unseen = seen.filter(({ history }) => history.length < 2);
  if (unseen.length > 0) {
    const first = await looks(ctx, plan, unseen, asking);
    await ctx.clock.sleep(BETWEEN_MS, signal);
    const second = signal.aborted ? [] : await looks(ctx, plan, unseen, asking);
    for (const [index, one] of unseen.entries())
      one.history = [first[index], second[index]].filter((answer) => answer !== undefined);
  }
  const traffic = trafficFrom(
    plan,
    seen.map(({ check, history }) => ({ check: check.name, history })),
    fallback,
  );
  if (traffic !== null) return ok(traffic);
  const why = seen.flatMap(({ history }) => history.flatMap((one) => ('detail' in one ? [one.detail] : []))).at(-1);
  return err(
    `no traffic of ${plan.service} could be measured${why === undefined ? '' : ` (${why})`}: give it, such as requestsPerSecond 100 and errors 0.1%`,
  );
}

type Looked = { readonly check: Check; history: readonly Measurement[] };

const looks = (ctx: Context, plan: Plan, of: readonly { readonly check: Check }[], asking: Asking): Promise<Measurement[]> =>
  Promise.all(
    of.map(async ({ check }) => {
      const provider = ctx.providers.get(check.provider);
      const question = await questionOf(ctx, plan, check, asking);
      if (!provider) return { kind: 'failed' as const, at: question.now, detail: `no provider named ${check.provider}` };
      const answer = await ctx.calls.call(
        // What is asked out of curiosity, and fails, must not open the breaker of releases under way.
        { dependency: `preview by ${provider.name}`, ms: ctx.settings.measureTimeoutMs, signal: asking.signal, lowering: false },
        (inner) => provider.measure(question, inner),
        (measurement) => measurement.kind !== 'failed',
      );
      return answer.ok ? answer.value : { kind: 'failed' as const, at: question.now, detail: answer.error };
    }),
  );

type PastOf = Asking & { readonly check: Check; readonly span: Span };

async function pastOf(
  ctx: Context,
  plan: Plan,
  { check, span, ...asking }: PastOf,
): Promise<Result<readonly Measurement[], string>> {
  const provider = ctx.providers.get(check.provider);
  if (!provider) return err(`no provider named ${check.provider} is configured`);
  const question = { ...(await questionOf(ctx, plan, check, asking)), now: span.to, since: span.from };
  const ms = HISTORY_TIMEOUTS * ctx.settings.measureTimeoutMs;
  return askPast(ctx, { provider, question, span, ms, signal: asking.signal });
}

/** A range of many steps takes its provider longer than one look. */
const HISTORY_TIMEOUTS = 4;

async function questionOf({ store }: Context, plan: Plan, check: Check, { version, stableVersion }: Asking): Promise<Question> {
  const [now, service, targets] = await Promise.all([store.now(), store.service(plan.service), store.targets(plan.service)]);
  return questionAbout(check, {
    service: plan.service,
    canaryVersion: version,
    stableVersion: stableVersion ?? service?.stableVersion ?? null,
    stableSlot: service?.stableSlot ?? '',
    targets,
    since: now,
    intervalMs: plan.intervalMs,
    now,
  });
}

export type Replay = {
  readonly version: string;
  readonly stableVersion: string | null;
  readonly from: Instant;
  readonly to: Instant;
};

export type Recorded = {
  readonly recording: Recording;
  readonly unanswered: readonly { readonly check: string; readonly why: string }[];
};

/** What every check of the plan would have been answered in a past span, and in the hour before it. */
export async function recordingOf(ctx: Context, plan: Plan, replay: Replay, signal: AbortSignal): Promise<Recorded> {
  const { from, to, version, stableVersion } = replay;
  const asking = { version, stableVersion, signal };
  const stepMs = plan.intervalMs;
  const answers = new Map<string, readonly Measurement[]>();
  const past = new Map<string, readonly Measurement[]>();
  const unanswered: { check: string; why: string }[] = [];
  for (const check of Object.values(plan.checks)) {
    const found = await pastOf(ctx, plan, { check, span: { from, to, stepMs }, ...asking });
    if (found.ok) answers.set(check.name, found.value);
    else unanswered.push({ check: check.name, why: found.error });
    if (!found.ok || !isEvidence(check)) continue;
    const span = hourBefore(from, stepMs);
    const before = await pastOf(ctx, plan, { check, span, ...asking });
    if (before.ok) past.set(check.name, before.value);
  }
  return { recording: { from: after(from, 0), stepMs, answers, past }, unanswered };
}
