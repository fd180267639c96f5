/**
 * Plans, releases and inputs for tests of the step machine, and `Story`: one release that is told things one after the
 * other, on a clock that only the test moves. Everything goes through `create` and `decide`; nothing is put into a state by hand.
 */
import type { CheckVerdict, Verdict } from '../src/domain/analysis/measurement.ts';
import { create } from '../src/domain/create.ts';
import type { Creation } from '../src/domain/create.ts';
import { decide } from '../src/domain/decide.ts';
import type { Decision } from '../src/domain/decide.ts';
import type { ReleaseEvent } from '../src/domain/event.ts';
import { Instant, ReleaseId, TargetId, Weight } from '../src/domain/ids.ts';
import type { Input, Served } from '../src/domain/input.ts';
import type { Check, Plan, Step, ThresholdCheck, Recourse } from '../src/domain/plan.ts';
import type { Actor, Command, Release, Verb } from '../src/domain/release.ts';

/** Noon on a day in 2026; a story's times are counted from here. */
export const NOON = Instant(Date.UTC(2026, 10, 20, 12));
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;

export const ann: Actor = { kind: 'person', name: 'ann' };
export const bob: Actor = { kind: 'person', name: 'bob' };
export const ci: Actor = { kind: 'ci', name: 'ci' };

export const EDGE = TargetId('checkout/edge/app');

const base = {
  provider: 'edge',
  query: {},
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
} as const;
/** What a plan says of all its evidence. */
export const RATES = {
  falseRollbackRate: 0.01,
  missRate: 0.05,
  earlyAfterMs: null,
  score: { pass: 95, marginal: 75, groups: {} },
} as const;

/** Relative only: it compares canary and stable, and has no limit of its own. */
export const ratio = (name: string, dryRun = false): Check => ({
  ...base,
  name,
  dryRun,
  kind: 'ratio',
  worse: 'higher',
  weight: 1,
  tolerance: 0.1,
  floor: 0.0001,
  max: null,
  hardMax: null,
  minRequests: 100,
});

/** Absolute: needs no stable traffic. */
export const threshold = (name: string, change: Partial<ThresholdCheck> = {}): Check => ({
  ...base,
  name,
  kind: 'threshold',
  failures: { breaches: 2, of: 3 },
  min: null,
  max: 0.9,
  hardMin: null,
  hardMax: 0.99,
  ...change,
});

export const weightStep = (percent: number, change: Partial<Extract<Step, { kind: 'weight' }>> = {}): Step => ({
  kind: 'weight',
  weight: Weight(Math.round(percent * 100)),
  holdMs: 5 * MINUTE,
  checks: ['errors'],
  ...change,
});

export const aPlan = (change: Partial<Plan> = {}): Plan => ({
  name: 'careful',
  service: 'checkout',
  strategy: 'canary',
  steps: [weightStep(1), weightStep(10), weightStep(50)],
  bake: null,
  deadlineMs: 12 * HOUR,
  intervalMs: 10 * SECOND,
  warmUpMs: 0,
  minMeasurements: 3,
  ...RATES,
  onBusy: 'reject',
  checks: { errors: ratio('errors') },
  notify: [],
  ...change,
});

/** The same plan, with another answer to checks that have no data. */
export const onNoData = (plan: Plan, recourse: Recourse): Plan => ({
  ...plan,
  checks: Object.fromEntries(Object.entries(plan.checks).map(([name, check]) => [name, { ...check, onNoData: recourse }])),
});

export const aCreation = (change: Partial<Creation> = {}): Creation => ({
  id: ReleaseId('R1'),
  plan: aPlan(),
  version: '1.1.0',
  stableVersion: '1.0.0',
  first: false,
  startPaused: false,
  promotion: { kind: 'swap' },
  targets: [EDGE],
  settleMs: 30 * SECOND,
  behind: null,
  by: ci,
  ...change,
});

export const verdictOf = (verdict: Verdict, change: Partial<CheckVerdict> = {}): CheckVerdict => ({
  verdict,
  sentence: `says ${verdict}`,
  hard: false,
  doubt: null,
  evidence: {
    from: null,
    to: null,
    measurements: 3,
    breaches: 0,
    of: 3,
    query: {},
    canary: null,
    stable: null,
    limit: null,
    weighed: null,
    ranked: null,
  },
  ...change,
});

type Looked = { readonly served?: Served; readonly driftAt?: Instant | null };

/** `checks` as one word for `errors`, or check by check. */
export function observed(
  checks: Verdict | Readonly<Record<string, Verdict>> | null,
  { served, driftAt = null }: Looked = {},
): Input {
  const named = checks === null ? {} : typeof checks === 'string' ? { errors: checks } : checks;
  const verdicts = Object.fromEntries(Object.entries(named).map(([name, verdict]) => [name, verdictOf(verdict)]));
  return { kind: 'observed', served: served ?? { kind: 'asWanted' }, driftAt, verdicts, restart: null };
}

export const unreachable = (detail = 'connection refused'): Served => ({
  kind: 'unreachable',
  failures: [{ target: EDGE, detail }],
});
export const differs = (byHand: boolean): Served => ({
  kind: 'differs',
  byHand,
  failures: [{ target: EDGE, detail: 'edge-1 serves another weight' }],
});

type Asked = {
  readonly by?: Actor;
  readonly reason?: string | null;
  readonly full?: boolean;
  readonly force?: boolean;
  readonly mayApprove?: boolean;
};

export function commanded(verb: Verb, asked: Asked = {}): Input {
  const { by = ann, reason = null, full = false, force = false, mayApprove = false } = asked;
  const command: Command = verb === 'promote' ? { verb, reason, full, force, mayApprove } : { verb, reason };
  return { kind: 'command', command, actor: by };
}

export type Story = {
  readonly release: Release;
  readonly events: readonly ReleaseEvent[];
  readonly now: Instant;
  /** The last decision's events. */
  readonly latest: readonly ReleaseEvent[];
  /** Lets time pass. */
  wait(ms: number): Story;
  take(input: Input): Decision;
  prepared(failure?: string): Story;
  /** The wanted weight is on; or it is not, for the reason given. */
  shifted(failure?: string): Story;
  see(...input: Parameters<typeof observed>): Story;
  /** A command that is taken; the story ends in an error when it is refused. */
  ask(verb: Verb, asked?: Asked): Story;
  /** Why a command is not taken, or null when it is (which has no effect on the story). */
  refusal(verb: Verb, asked?: Asked): string | null;
};

export function story(change: Partial<Creation> = {}): Story {
  const created = create(aCreation(change), NOON);
  let now = NOON;
  let release = created.next;
  let latest = created.events;
  const events = [...created.events];
  const told: Story = {
    get release() {
      return release;
    },
    get now() {
      return now;
    },
    get latest() {
      return latest;
    },
    events,
    wait(ms) {
      now = Instant(now + ms);
      return told;
    },
    take(input) {
      const decision = decide(release, input, now);
      release = decision.next;
      latest = decision.events;
      events.push(...decision.events);
      return decision;
    },
    prepared(failure) {
      told.take({ kind: 'prepared', failure: failure === undefined ? null : { reason: 'preflight', detail: failure } });
      return told;
    },
    shifted(failure) {
      const failures = failure === undefined ? [] : [{ target: EDGE, detail: failure }];
      told.take({ kind: 'shifted', weight: release.wanted, failures });
      return told;
    },
    see(...input) {
      told.take(observed(...input));
      return told;
    },
    ask(verb, asked) {
      const { refusal } = told.take(commanded(verb, asked));
      if (refusal !== null) throw new Error(`${verb} was refused: ${refusal}`);
      return told;
    },
    refusal: (verb, asked) => decide(release, commanded(verb, asked), now).refusal,
  };
  return told;
}

/** Stands at its first step, watched. */
export const atFirstStep = (change: Partial<Creation> = {}): Story => story(change).prepared().shifted();

/** Holds the step for its time, with passing checks, and reaches the next weight. */
export function passStep(told: Story, checks: Parameters<typeof observed>[0] = 'pass'): Story {
  const { phase } = told.release;
  if (phase.kind === 'watching' || phase.kind === 'baking') told.wait(phase.until - told.now);
  return told.see(checks).shifted();
}

export const types = (events: readonly ReleaseEvent[]): readonly ReleaseEvent['type'][] => events.map((event) => event.type);
