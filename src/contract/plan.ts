/**
 * From what people write to what a release runs: every default filled in, every number exact, and every reason why it
 * cannot work said at once, each with its place and with the number that would work.
 */
import { plannedMs } from '../domain/course.ts';
import { ALL, percent, Weight } from '../domain/ids.ts';
import type { Plan, Step } from '../domain/plan.ts';
import { formatDuration } from '../lib/duration.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { readDocument } from './document.ts';
import type { ParsedDocument } from './document.ts';
import { overlaps, partAt, readMended } from './mend.ts';
import { unknownName } from './nearest.ts';
import { checksOf } from './plan-checks.ts';
import type { Complain } from './plan-checks.ts';
import { anyCheck, MAX_CHECKS, planDocument } from './plan-document.ts';
import type { PlanDocument, StepDocument } from './plan-document.ts';
import { warn } from './plan-warnings.ts';
import type { PlanWorld } from './plan-world.ts';
import { inOrder } from './problem.ts';
import type { Path, Problem } from './problem.ts';
import { MAX_PROBLEMS, readShape } from './shape.ts';
import type { Flaw } from './shape.ts';

const DAY_MS = 86_400_000;
const DEFAULTS = {
  holdMs: 300_000,
  intervalMs: 10_000,
  warmUpMs: 0,
  minMeasurements: 3,
  deadlineMs: DAY_MS,
  falseRollbackRate: 0.01,
  missRate: 0.05,
  earlyAfterMs: 120_000,
  score: { pass: 95, marginal: 75, groups: {} },
};
const MIN_INTERVAL_MS = 1_000;
const MAX_DEADLINE_MS = 60 * DAY_MS;

export type ParsedPlan = { readonly plan: Plan; readonly warnings: readonly Problem[] };

/** `input` is YAML or JSON text, or a value that was JSON already. */
export function parsePlan(input: unknown, world: PlanWorld): Result<ParsedPlan, readonly Problem[]> {
  const read = readDocument(input);
  if (!read.ok) return read;
  const { rest, problems: flaws, unread, document } = readMended(planDocument, read.value, { standIn });
  const problems: Problem[] = [...flaws];
  const warnings: Problem[] = [];
  const isRead = (path: Path): boolean => !unread.some((part) => overlaps(part, path));
  const into =
    (list: Problem[]): Complain =>
    (path, message, leansOn = []) => {
      const isKnown = (path.length === 0 || isRead(path)) && leansOn.every(isRead);
      if (isKnown && list.length < MAX_PROBLEMS) list.push(document.problem(path, message));
      return null;
    };
  if (rest === null) return err(inOrder(problems));
  for (const { path, message, place } of flawsOfUnread(unread, document, world)) {
    const flaw = document.problem(path, message, place);
    if (problems.every((known) => known.path !== flaw.path)) problems.push(flaw);
  }
  const plan = planOf(rest, world, into(problems));
  if (problems.length > 0) return err(inOrder(problems));
  warn(rest, plan, into(warnings), world.services.get(plan.service));
  return ok({ plan, warnings });
}

const NOBODY = 'nobody';

/** A place in a list stays what it is, and a plan is always of a service. */
function standIn(path: Path): unknown {
  if (path[0] === 'service') return NOBODY;
  if (typeof path.at(-1) !== 'number') return undefined;
  return path[0] === 'steps' && path.length === 2 ? { pause: { for: '0s' } } : NOBODY;
}

/** Of a check that could not be read as one, whatever is wrong with it in any kind. */
function flawsOfUnread(unread: readonly Path[], { value }: ParsedDocument, world: PlanWorld): readonly Flaw[] {
  return unread.flatMap(([section, name, ...inner]): readonly Flaw[] => {
    if (section !== 'checks' || name === undefined || inner.length > 0) return [];
    const check = partAt(value, [section, name]);
    if (typeof check !== 'object' || check === null) return [];
    const read = readShape(anyCheck, check);
    const asked = [['provider'], ...[0, 1, 2, 3, 4].map((place) => ['providers', place])].flatMap((path): readonly Flaw[] => {
      const provider = partAt(check, path);
      if (typeof provider !== 'string' || world.providers.has(provider)) return [];
      return [{ path, message: unknownName('provider', provider, [...world.providers.keys()]) }];
    });
    return [...(read.ok ? [] : read.error), ...asked].map((flaw) => ({ ...flaw, path: [section, name, ...flaw.path] }));
  });
}

function planOf(document: PlanDocument, world: PlanWorld, complain: Complain): Plan {
  const service = world.services.get(document.service);
  if (!service) complain(['service'], unknownName('service', document.service, [...world.services.keys()]));
  if (document.strategy === 'ab') complain(['strategy'], 'the strategy ab comes in a later version: use canary or blue-green');
  const strategy = document.strategy === 'blue-green' ? 'blue-green' : 'canary';
  const { checks, names } = checksOf(document, service?.provider, world, complain);
  if (Object.keys(checks).length > MAX_CHECKS) complain(['checks'], `${MAX_CHECKS} checks at most`);
  const plan: Plan = {
    name: document.name ?? document.service,
    service: document.service,
    strategy,
    steps: stepsOf(document, names, complain),
    bake: document.bake ? { forMs: document.bake.for, holdBack: Weight(document.bake.holdBack ?? 0) } : null,
    deadlineMs: document.deadline?.after ?? DEFAULTS.deadlineMs,
    intervalMs: document.interval ?? DEFAULTS.intervalMs,
    warmUpMs: document.warmUp ?? DEFAULTS.warmUpMs,
    minMeasurements: document.minMeasurements ?? DEFAULTS.minMeasurements,
    falseRollbackRate: document.falseRollbackRate ?? DEFAULTS.falseRollbackRate,
    missRate: document.missRate ?? DEFAULTS.missRate,
    earlyAfterMs: document.advanceEarly ? (document.advanceEarly.after ?? DEFAULTS.earlyAfterMs) : null,
    score: {
      pass: document.score?.pass ?? DEFAULTS.score.pass,
      marginal: document.score?.marginal ?? DEFAULTS.score.marginal,
      groups: document.score?.groups ?? {},
    },
    onBusy: document.onBusy ?? 'reject',
    onFlagChange: document.onFlagChange ?? 'hold',
    checks,
    notify: document.notify ?? [],
  };
  judgeRates(plan, complain);
  judgeTimes(plan, document, complain);
  judgeWeights(plan, document, { world, complain });
  for (const [index, notifier] of plan.notify.entries())
    if (!world.notifiers.has(notifier)) complain(['notify', index], unknownName('notifier', notifier, [...world.notifiers]));
  return plan;
}

function stepsOf(document: PlanDocument, all: readonly string[], complain: Complain): readonly Step[] {
  if (document.steps === undefined && document.strategy === 'blue-green')
    return [{ kind: 'weight', weight: ALL, holdMs: document.hold ?? DEFAULTS.holdMs, checks: all }];
  const steps = document.steps ?? [];
  if (!steps.some((step) => typeof step === 'number' || 'weight' in step))
    complain(['steps'], 'a plan has at least one step with a weight, such as [1%, 10%, 50%]', [['strategy']]);
  return steps.map((step, index) => stepOf(step, { index, document, all, complain }));
}

type StepSetting = {
  readonly index: number;
  readonly document: PlanDocument;
  readonly all: readonly string[];
  readonly complain: Complain;
};

function stepOf(step: StepDocument, { index, document, all, complain }: StepSetting): Step {
  const holdMs = document.hold ?? DEFAULTS.holdMs;
  if (typeof step === 'number') return { kind: 'weight', weight: Weight(step), holdMs, checks: all };
  if ('weight' in step) {
    for (const [place, check] of (step.checks ?? []).entries())
      if (!all.includes(check))
        complain(['steps', index, 'checks', place], unknownName('check in this plan', check, all), [['checks', check]]);
    return {
      kind: 'weight',
      weight: Weight(step.weight),
      holdMs: step.hold ?? holdMs,
      checks: step.checks ?? all,
    };
  }
  if ('approve' in step)
    return {
      kind: 'approve',
      by: step.approve.by,
      withinMs: step.approve.within,
      otherwise: step.approve.otherwise ?? 'rollback',
    };
  const { for: forMs, within, otherwise } = step.pause;
  if (forMs !== undefined && within !== undefined)
    complain(
      ['steps', index, 'pause'],
      'a pause has either "for" (then it goes on) or "within" (somebody has to resume it), not both',
    );
  if (forMs === undefined && within === undefined)
    complain(['steps', index, 'pause'], 'a pause says how long: { for: 10m }, or { within: 4h, otherwise: rollback }');
  if (forMs !== undefined) return { kind: 'pause', forMs, otherwise: otherwise ?? 'continue' };
  return { kind: 'pause', forMs: within ?? DEFAULTS.deadlineMs, otherwise: otherwise ?? 'rollback' };
}

function judgeRates({ falseRollbackRate, missRate, score }: Plan, complain: Complain): void {
  if (falseRollbackRate < 1e-6 || 0.2 < falseRollbackRate)
    complain(['falseRollbackRate'], 'a rate of false rollbacks is between 0.0001% and 20%: 1% is usual');
  if (missRate < 1e-6 || 0.5 < missRate) complain(['missRate'], 'a rate of misses is between 0.0001% and 50%: 5% is usual');
  if (score.pass < score.marginal)
    complain(['score', 'marginal'], `a marginal score (${score.marginal}) is at most the one that passes (${score.pass})`, [
      ['score', 'pass'],
    ]);
}

/** What says how long it takes until there are enough measurements. */
const PACE: readonly Path[] = [['interval'], ['warmUp'], ['minMeasurements']];

function judgeTimes(plan: Plan, document: PlanDocument, complain: Complain): void {
  const { intervalMs, warmUpMs, minMeasurements, deadlineMs } = plan;
  if (intervalMs < MIN_INTERVAL_MS) complain(['interval'], `an interval is at least ${formatDuration(MIN_INTERVAL_MS)}`);
  if (deadlineMs > MAX_DEADLINE_MS) complain(['deadline', 'after'], `a deadline is at most ${formatDuration(MAX_DEADLINE_MS)}`);
  const shortestMs = warmUpMs + minMeasurements * intervalMs;
  const why = `${minMeasurements} measurements every ${formatDuration(intervalMs)}${warmUpMs > 0 ? ` after ${formatDuration(warmUpMs)} of warm-up` : ''} take ${formatDuration(shortestMs)}`;
  for (const [index, step] of plan.steps.entries()) {
    if (step.kind !== 'weight' || step.checks.length === 0 || shortestMs <= step.holdMs) continue;
    const own = document.steps?.[index];
    const path =
      typeof own === 'object' && 'hold' in own
        ? ['steps', index, 'hold']
        : document.hold === undefined
          ? ['steps', index]
          : ['hold'];
    complain(
      path,
      `a hold of ${formatDuration(step.holdMs)} is too short: ${why}; hold for ${formatDuration(shortestMs)} at least, or measure more often`,
      [['hold'], ...PACE],
    );
    if (path[0] === 'hold') break;
  }
  if (plan.bake && Object.keys(plan.checks).length > 0 && plan.bake.forMs < shortestMs)
    complain(
      ['bake', 'for'],
      `a bake of ${formatDuration(plan.bake.forMs)} is too short: ${why}; bake for ${formatDuration(shortestMs)} at least`,
      PACE,
    );
  const neededMs = plannedMs(plan);
  if (deadlineMs < neededMs)
    complain(
      document.deadline ? ['deadline', 'after'] : [],
      `the holds, pauses and the bake take ${formatDuration(neededMs)} together, which is more than the deadline of ${formatDuration(deadlineMs)}`,
      [['hold'], ['steps'], ['bake'], ['deadline']],
    );
}

type WeightSetting = { readonly world: PlanWorld; readonly complain: Complain };

function judgeWeights(plan: Plan, document: PlanDocument, { world, complain }: WeightSetting): void {
  const service = world.services.get(plan.service);
  const weights = plan.steps.flatMap((step, index) => (step.kind === 'weight' ? [{ weight: step.weight, index }] : []));
  let highest = Weight(0);
  for (const { weight, index } of weights) {
    if (weight === 0) complain(['steps', index], 'a step of 0% would judge a canary that nobody sees: start above 0%');
    else if (weight <= highest)
      complain(['steps', index], `weights rise from step to step: ${percent(weight)} comes after ${percent(highest)}`);
    if (service && 0 < weight && weight < service.minNonZeroBp)
      complain(
        ['steps', index],
        `a target of ${plan.service} can serve ${percent(Weight(service.minNonZeroBp))} at the least, not ${percent(weight)}`,
      );
    highest = Weight(Math.max(highest, weight));
  }
  if (plan.strategy === 'blue-green' && weights.length > 1)
    complain(['steps'], 'a blue-green plan switches all traffic at once: leave the steps out, or use the strategy canary');
  if (!plan.bake) return;
  if (service?.promotion === 'replace')
    complain(
      ['bake'],
      `${plan.service} replaces its stable slot, so there is no full weight to bake at: hold the last step longer`,
    );
  const bakeWeight = 10_000 - plan.bake.holdBack;
  if (bakeWeight < highest)
    complain(
      document.bake?.holdBack === undefined ? ['bake'] : ['bake', 'holdBack'],
      `a hold-back of ${percent(plan.bake.holdBack)} bakes at ${percent(Weight(bakeWeight))}, below the last step of ${percent(highest)}: hold back ${percent(Weight(10_000 - highest))} at most`,
    );
}
