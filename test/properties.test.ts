/**
 * What holds for the step machine whatever it is told, in whatever order: random plans, random worlds, people who command
 * at random. Each property reads a whole run, decision by decision.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Verdict } from '../src/domain/analysis/measurement.ts';
import { accepts, refusesVerb } from '../src/domain/accepts.ts';
import { requiredNow } from '../src/domain/course.ts';
import { create } from '../src/domain/create.ts';
import { decide } from '../src/domain/decide.ts';
import type { Decision } from '../src/domain/decide.ts';
import type { ReleaseEvent } from '../src/domain/event.ts';
import { evolve, replay } from '../src/domain/evolve.ts';
import { ALL, complement, Instant, NONE, ReleaseId, Weight } from '../src/domain/ids.ts';
import type { Input, Served } from '../src/domain/input.ts';
import type { Plan, Step } from '../src/domain/plan.ts';
import type { Promotion, Release, Verb } from '../src/domain/release.ts';
import { isEnded, isLowering } from '../src/domain/release.ts';
import {
  aCreation,
  ann,
  aPlan,
  bob,
  commanded,
  EDGE,
  HOUR,
  MINUTE,
  NOON,
  observed,
  onNoData,
  ratio,
  SECOND,
  threshold,
  weightStep,
} from './story.ts';

/** Fixed, so that a run of the tests says the same twice; other seeds and more runs are asked for by name. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 400);
const SEED = Number(process.env['PROPERTY_SEED'] ?? 1);

const VERBS: readonly Verb[] = ['pause', 'resume', 'promote', 'approve', 'reject', 'confirmReplaced', 'rollback'];

// --- plans -----------------------------------------------------------------------------------------------------------

const otherwise = fc.constantFrom('continue' as const, 'rollback' as const);
const gate: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pause' as const), forMs: fc.constantFrom(MINUTE, HOUR), otherwise }),
  fc.record({
    kind: fc.constant('approve' as const),
    by: fc.integer({ min: 1, max: 2 }),
    withinMs: fc.constant(HOUR),
    otherwise,
  }),
);

const checkNames = fc.constantFrom<readonly string[]>([], ['errors'], ['errors', 'cpu'], ['errors', 'cpu', 'slow']);

const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(4), gate), { maxLength: 2 }),
    checkNames,
  )
  .map(([percents, gates, checks]) => {
    const path: Step[] = percents.toSorted((a, b) => a - b).map((percent) => weightStep(percent, { checks }));
    for (const [at, extra] of gates) path.splice(at, 0, extra);
    return path;
  });

const plan: fc.Arbitrary<Plan> = fc
  .record({
    steps,
    bake: fc.option(fc.record({ forMs: fc.constant(HOUR), holdBack: fc.constantFrom(Weight(0), Weight(1000)) })),
    deadlineMs: fc.constantFrom(HOUR, 12 * HOUR),
    onFlagChange: fc.constantFrom('annotate' as const, 'hold' as const, 'hold' as const, 'pause' as const, 'rollback' as const),
    noData: fc.constantFrom('hold' as const, 'rollback' as const, 'continue' as const),
  })
  .map(({ noData, ...change }) =>
    onNoData(aPlan({ ...change, checks: { errors: ratio('errors'), cpu: threshold('cpu'), slow: ratio('slow', true) } }), noData),
  );

const promotion = fc.oneof(
  fc.constant<Promotion>({ kind: 'swap' }),
  fc.record({
    kind: fc.constant('replace' as const),
    withinMs: fc.constant(30 * MINUTE),
    otherwise: fc.constantFrom('hold' as const, 'rollback' as const),
    hook: fc.boolean(),
  }),
);

const creation = fc
  .record({ plan, promotion, first: fc.boolean(), startPaused: fc.boolean(), queued: fc.boolean() })
  .map(({ first, queued, ...rest }) =>
    // A service that replaces its stable slot has no first release (`controller/commands.ts`).
    aCreation({ ...rest, first: first && rest.promotion.kind === 'swap', behind: queued ? ReleaseId('R0') : null }),
  );

// --- inputs: what a world may say, made for the release as it is -----------------------------------------------------

type Move = {
  readonly waitMs: number;
  /** Waits for the end of the present place first. */
  readonly patient: boolean;
  readonly make: (release: Release, now: Instant) => Input;
};

/** What a world in which all goes well says next. */
function wellSaid({ phase, wanted }: Release): Input {
  if (phase.kind === 'queued') return { kind: 'unblocked', stableVersion: '1.0.1' };
  if (phase.kind === 'starting') return { kind: 'prepared', failure: null };
  if (phase.kind === 'shifting' || phase.kind === 'rollingBack') return { kind: 'shifted', weight: wanted, failures: [] };
  if (phase.kind === 'promoting') return { kind: 'hooked', hook: 'replaceStable', outcome: 'done', detail: '' };
  return observed({ errors: 'pass', cpu: 'pass', slow: 'pass' });
}

const failing = [{ target: EDGE, detail: 'timed out' }];
const served: fc.Arbitrary<Served> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Served>({ kind: 'asWanted' }) },
  { weight: 1, arbitrary: fc.constant<Served>({ kind: 'unreachable', failures: failing }) },
  { weight: 1, arbitrary: fc.boolean().map((byHand): Served => ({ kind: 'differs', byHand, failures: failing })) },
);
const verdict = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Verdict>('pass') },
  { weight: 4, arbitrary: fc.constantFrom<Verdict>('inconclusive', 'no_data', 'error') },
  { weight: 1, arbitrary: fc.constant<Verdict>('fail') },
);
const looking = fc
  .record({
    verdicts: fc.record({ errors: verdict, cpu: verdict, slow: verdict }, { requiredKeys: [] }),
    served,
    drifted: fc.integer({ min: 0, max: 15 }),
  })
  .map(
    ({ verdicts, served, drifted }) =>
      (_: Release, now: Instant): Input =>
        observed(definedOf(verdicts), { served, driftAt: drifted === 0 ? now : null }),
  );

const definedOf = (verdicts: Partial<Record<string, Verdict>>): Record<string, Verdict> =>
  Object.fromEntries(Object.entries(verdicts).flatMap(([name, found]) => (found === undefined ? [] : [[name, found]])));

const shifting = fc.oneof(
  { weight: 5, arbitrary: fc.constant((release: Release): Input => ({ kind: 'shifted', weight: release.wanted, failures: [] })) },
  {
    weight: 1,
    arbitrary: fc.constant((release: Release): Input => ({ kind: 'shifted', weight: release.wanted, failures: failing })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0, max: 10_000 })
      .map((late) => (): Input => ({ kind: 'shifted', weight: Weight(late), failures: [] })),
  },
);

const commanding = fc
  .record({
    verb: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<Verb>('pause', 'resume', 'promote', 'approve', 'confirmReplaced') },
      { weight: 1, arbitrary: fc.constantFrom<Verb>('reject', 'rollback') },
    ),
    by: fc.constantFrom(ann, bob),
    reason: fc.constantFrom(null, '', 'because'),
    full: fc.boolean(),
    force: fc.integer({ min: 0, max: 5 }).map((chance) => chance === 0),
  })
  .map(
    ({ verb, ...asked }) =>
      (): Input =>
        commanded(verb, asked),
  );

const rare = fc
  .constantFrom<Input>({ kind: 'superseded', by: ReleaseId('R9'), actor: bob }, { kind: 'crashed', error: 'boom' })
  .map((input) => (): Input => input);

const preparing = fc
  .constantFrom<Input>(
    { kind: 'prepared', failure: null },
    { kind: 'prepared', failure: null },
    { kind: 'prepared', failure: { reason: 'hook', detail: '503' } },
    { kind: 'unblocked', stableVersion: '1.0.1' },
    { kind: 'hooked', hook: 'replaceStable', outcome: 'done', detail: '' },
    { kind: 'hooked', hook: 'replaceStable', outcome: 'accepted', detail: '' },
    { kind: 'hooked', hook: 'replaceStable', outcome: 'failed', detail: '503' },
  )
  .map((input) => (): Input => input);

const flagging = fc
  .record({
    fingerprint: fc.constantFrom('A', 'B', 'C'),
    flag: fc.constantFrom('x', 'y'),
    confirmed: fc.constantFrom('read' as const, 'read' as const, 'signed' as const, 'claimed' as const),
  })
  .map((change) => (): Input => ({
    kind: 'flagChanged',
    change: { ...change, source: 'ld', what: 'off → on', changedBy: null },
  }));

const unruly = fc.oneof(
  { weight: 20, arbitrary: looking },
  { weight: 8, arbitrary: shifting },
  { weight: 8, arbitrary: preparing },
  { weight: 8, arbitrary: commanding },
  { weight: 3, arbitrary: flagging },
  { weight: 1, arbitrary: rare },
);

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.boolean().map((patient): Move => ({ waitMs: 0, patient, make: wellSaid })) },
  {
    weight: 3,
    arbitrary: fc.record({
      waitMs: fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom(0, 10 * SECOND, 5 * MINUTE) },
        { weight: 1, arbitrary: fc.constantFrom(HOUR, 13 * HOUR) },
      ),
      patient: fc.constant(false),
      make: unruly,
    }),
  },
);

// --- runs ------------------------------------------------------------------------------------------------------------

type Turn = { readonly before: Release; readonly input: Input; readonly now: Instant; readonly decision: Decision };
type Run = { readonly born: readonly ReleaseEvent[]; readonly turns: readonly Turn[]; readonly last: Release };

const run: fc.Arbitrary<Run> = fc.tuple(creation, fc.array(move, { minLength: 10, maxLength: 60 })).map(([made, moves]) => {
  const born = create(made, NOON);
  let last = born.next;
  let now = NOON;
  const turns = moves.map(({ waitMs, patient, make }): Turn => {
    const before = last;
    const until = patient && 'until' in before.phase ? Math.max(now, before.phase.until) : now;
    now = Instant(until + waitMs);
    const input = make(before, now);
    const decision = decide(before, input, now);
    last = decision.next;
    return { before, input, now, decision };
  });
  return { born: born.events, turns, last };
});

const holds = (property: (run: Run) => void): void => fc.assert(fc.property(run, property), { numRuns: RUNS, seed: SEED });
const eachTurn = (property: (turn: Turn) => void): void => holds(({ turns }) => turns.forEach(property));

/** Each event of a turn with the release just before it. */
function factsOf({ before, decision }: Turn): readonly { readonly at: Release; readonly event: ReleaseEvent }[] {
  let at = before;
  return decision.events.map((event) => {
    const fact = { at, event };
    at = evolve(at, event);
    return fact;
  });
}

const intendedIn = (events: readonly ReleaseEvent[]) =>
  events.flatMap((event) => (event.type === 'weight.intended' ? [event] : []));

// --- properties ------------------------------------------------------------------------------------------------------

it('reaches every phase and both kinds of end in random runs, so that the properties below are about something', () => {
  const seen = new Set<string>();
  holds(({ turns }) => turns.forEach(({ decision }) => seen.add(decision.next.phase.kind)));
  expect([...Object.keys(accepts)].filter((phase) => !seen.has(phase))).toEqual([]);
});

it('answers every input in every state, and refuses nothing but commands and flag changes while the weight moves', () => {
  eachTurn(({ before, input, decision }) => {
    const mayRefuse = input.kind === 'command' || (input.kind === 'flagChanged' && before.phase.kind === 'shifting');
    if (!mayRefuse) expect(decision.refusal).toBeNull();
    if (decision.refusal !== null) expect(decision.events).toEqual([]);
    if (decision.events.length === 0) expect(decision.next).toBe(before);
  });
});

it('replays its log to the same release, numbered without gaps', () => {
  holds(({ born, turns, last }) => {
    const log = [...born, ...turns.flatMap(({ decision }) => decision.events)];
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
    expect(replay(log)).toEqual(last);
    // What was stored as JSON and read again is the same log.
    expect(replay(JSON.parse(JSON.stringify(log)))).toEqual(last);
  });
});

it('dates every event at the moment of its decision and says it in one line', () => {
  eachTurn(({ now, decision }) => {
    for (const { at, sentence } of decision.events) {
      expect(at).toBe(now);
      expect(sentence).toMatch(/^[^\n]+[^.\n]$/);
      expect(sentence).not.toMatch(/undefined|NaN|\[object/);
    }
  });
});

it('changes nothing in a release that has ended', () => {
  eachTurn(({ before, decision }) => {
    if (isEnded(before)) expect(decision.next).toBe(before);
  });
});

it('never raises the weight again after a rollback was decided, and only goes down from there', () => {
  eachTurn(({ decision }) => {
    if (decision.next.rollback === null) return;
    expect(decision.next.wanted).toBe(NONE);
    expect(['rollingBack', 'settling', 'rolledBack', 'superseded']).toContain(decision.next.phase.kind);
  });
  eachTurn(({ before, decision }) => {
    if (before.rollback === null) return;
    expect(intendedIn(decision.events).filter(({ weight }) => NONE < weight)).toEqual([]);
    expect(decision.next.phase.kind).not.toBe('promoted');
  });
});

it('wants another weight only by an intent, and at most one in a decision', () => {
  eachTurn(({ before, decision }) => {
    const intended = intendedIn(decision.events);
    expect(intended.length).toBeLessThanOrEqual(1);
    expect(decision.next.wanted).toBe(intended[0]?.weight ?? before.wanted);
  });
});

it('intends only weights that the plan names, and approves none above them', () => {
  eachTurn(({ before, decision }) => {
    for (const { goal, weight } of intendedIn(decision.events)) expect(weight).toBe(plannedWeight(before, goal));
    const highest = Math.max(before.approved, ...intendedIn(decision.events).map(({ weight }) => weight));
    expect(decision.next.approved).toBe(highest);
    expect(decision.next.wanted).toBeLessThanOrEqual(decision.next.approved);
  });
});

function plannedWeight({ plan }: Release, goal: ReturnType<typeof intendedIn>[number]['goal']): number {
  if (goal === null || goal.kind === 'home') return NONE;
  if (goal.kind === 'full') return ALL;
  if (goal.kind === 'bake') return complement(plan.bake?.holdBack ?? NONE);
  const step = plan.steps[goal.step];
  return step?.kind === 'weight' ? step.weight : Number.NaN;
}

it('never enters two steps in one decision, and never leaves one out', () => {
  eachTurn((turn) => {
    const { before, decision } = turn;
    expect(decision.events.filter(({ type }) => type === 'step.entered').length).toBeLessThanOrEqual(1);
    expect(decision.next.step - before.step).toBeLessThanOrEqual(1);
    for (const { goal } of intendedIn(decision.events)) if (goal?.kind === 'step') expect(goal.step).toBe(before.step + 1);
  });
});

it('goes up by itself only after the time of the place was over and its checks passed', () => {
  eachTurn((turn) => {
    for (const { at, event } of factsOf(turn)) {
      if (event.type !== 'weight.intended' || event.by.kind !== 'headgate' || event.goal === null || event.goal.kind === 'home')
        continue;
      const { phase } = at;
      if (phase.kind === 'starting') continue;
      if (phase.kind === 'awaitingApproval') expect(phase.until <= turn.now || phase.needed <= phase.given.length).toBe(true);
      else expect('until' in phase && phase.until <= turn.now).toBe(true);
      const withoutData =
        at.verdict === 'no_data' && at.plan.checks['errors']?.onNoData === 'continue' && event.goal.kind !== 'full';
      expect(at.verdict === 'pass' || withoutData).toBe(true);
      expect(at.hold === null || at.hold.reason !== 'drift').toBe(true);
    }
  });
});

it('promotes only with passing checks, by a force that is reasoned, or as a first release', () => {
  eachTurn((turn) => {
    for (const { at, event } of factsOf(turn)) {
      const promotes = event.type === 'replace.began' || (event.type === 'weight.intended' && event.goal?.kind === 'full');
      if (!promotes) continue;
      const { input } = turn;
      const forced =
        input.kind === 'command' && input.command.verb === 'promote' && input.command.force && Boolean(input.command.reason);
      expect(at.first || forced || at.verdict === 'pass' || requiredNow(at).length === 0).toBe(true);
      if (event.type === 'weight.intended') expect(event.forced).toBe(forced);
    }
    if (turn.decision.next.phase.kind === 'promoted' && turn.before.phase.kind !== 'promoted')
      expect(turn.before.phase).toMatchObject({ kind: 'settling', outcome: 'promoted' });
  });
});

it('is verified and settled before it ends, unless it never had traffic', () => {
  eachTurn(({ before, decision, now }) => {
    if (isEnded(before) || !isEnded(decision.next) || before.approved === NONE) return;
    expect(before.phase).toMatchObject({ kind: 'settling' });
    expect('until' in before.phase && before.phase.until <= now).toBe(true);
    expect(decision.next).toMatchObject({ hold: null, unverified: false });
  });
});

it('takes exactly the commands of the table, and says why not', () => {
  eachTurn(({ before, now }) => {
    for (const verb of VERBS) {
      const listed: readonly Verb[] = accepts[before.phase.kind];
      const { refusal } = decide(before, commanded(verb, { reason: 'because', force: true, mayApprove: true }), now);
      if (!listed.includes(verb)) expect(refusal).toMatch(/\S/);
      else if (refusesVerb(before, verb) === null && verb !== 'approve') expect(refusal).toBeNull();
    }
  });
});

it('can be taken back in every phase in which the canary may have traffic', () => {
  holds(({ turns }) => {
    let isReplaced = false;
    for (const { before, now, decision } of turns) {
      // With the stable slot replaced the canary's goes to nothing anyway.
      if (!isEnded(before) && !isLowering(before) && !isReplaced) {
        const { refusal, next } = decide(before, commanded('rollback'), now);
        expect(refusal).toBeNull();
        expect(next.wanted).toBe(NONE);
        expect(next.phase.kind).toBe(before.approved === NONE ? 'rolledBack' : 'rollingBack');
      }
      isReplaced ||= decision.events.some(({ type }) => type === 'replace.confirmed');
    }
  });
});

it('goes back on a failing check in every phase in which the canary has traffic', () => {
  eachTurn(({ before, now }) => {
    const judged = requiredNow(before);
    if (judged.length === 0 || isLowering(before) || isEnded(before)) return;
    const { next } = decide(before, observed({ [judged[0] ?? '']: 'fail' }), now);
    expect(next.rollback?.cause.kind).toBe('check');
  });
});

it('never goes back because of a check that is only watched', () => {
  eachTurn(({ before, now }) => {
    const { next } = decide(before, observed({ errors: 'pass', cpu: 'pass', slow: 'fail' }), now);
    if (before.rollback === null) expect(next.rollback?.cause.kind).not.toBe('check');
  });
});

it('ends every wait at the deadline at the latest', () => {
  const WAITS: ReadonlySet<string> = new Set(['watching', 'paused', 'awaitingApproval', 'baking', 'promoting']);
  eachTurn(({ before }) => {
    if (!WAITS.has(before.phase.kind) || before.quarantined !== null || before.deadlineAt === null) return;
    expect(decide(before, observed(null), before.deadlineAt).next.rollback).not.toBeNull();
    expect(
      decide(before, observed(null, { served: { kind: 'unreachable', failures: failing } }), before.deadlineAt).next.rollback,
    ).not.toBeNull();
  });
});

it('never raises the weight of a release that is quarantined', () => {
  eachTurn(({ before, decision }) => {
    if (before.quarantined !== null)
      expect(intendedIn(decision.events).filter(({ weight }) => before.wanted < weight)).toEqual([]);
  });
});

it('forgets its verdict with every weight that is read back', () => {
  eachTurn((turn) => {
    for (const { at, event } of factsOf(turn))
      if (event.type === 'weight.verified')
        expect(evolve(at, event)).toMatchObject({ verdict: 'inconclusive', checks: {}, evidenceSince: turn.now });
  });
});

it('has nothing new to say when it sees the same again', () => {
  eachTurn(({ input, decision, now }) => {
    if (input.kind !== 'observed') return;
    let { next } = decision;
    for (let again = 0; again < 4; again++) ({ next } = decide(next, input, now));
    expect(decide(next, input, now).events).toEqual([]);
  });
});

it('never raises by a flag change, acts on none that nobody signed, and takes the same one once', () => {
  holds(({ turns }) => {
    for (const { before, input, now, decision } of turns) {
      if (input.kind !== 'flagChanged') continue;
      expect(decision.next.wanted).toBeLessThanOrEqual(before.wanted);
      expect(decision.next.approved).toBe(before.approved);
      if (input.change.confirmed === 'claimed') expect(decision.events.length).toBeLessThanOrEqual(1);
      if (before.rollback !== null) expect({ ...decision.next, seq: 0, flags: {} }).toEqual({ ...before, seq: 0, flags: {} });
      if (decision.events.length > 0) expect(decide(decision.next, input, now).events).toEqual([]);
    }
  });
});
