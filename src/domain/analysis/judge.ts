/**
 * The judge: takes in one measurement of one check at a time and says what it concludes. Pure and total; what it has
 * to remember is plain JSON that its caller keeps.
 *
 * Silence is never a pass, and the newest state counts: an answer that is nonsense, says nothing, or is too old takes a
 * pass away. A failing verdict stands on what was counted, so a provider that falls silent cannot take it back.
 */
import { assert } from '../../lib/assert.ts';
import { Instant } from '../ids.ts';
import type { Check, EvidenceCheck } from '../plan.ts';
import { calibration } from './calibration.ts';
import { specOf } from './evidence/engine.ts';
import { condemnation, findEvidence } from './evidence-finding.ts';
import type { EvidenceRules } from './evidence-finding.ts';
import type { Finding } from './finding.ts';
import type { CheckVerdict, Doubt, Measurement, Verdict } from './measurement.ts';
import { findRanks, valuesOf } from './ranks.ts';
import { readAnswer } from './reading.ts';
import type { Reading } from './reading.ts';
import { absorb, noteBreach, noteValues, restore, weigh } from './state.ts';
import type { State } from './state.ts';
import { findThreshold } from './threshold.ts';
import { isEvidence } from './together.ts';
import { durationWords, plural } from './words.ts';

/** Opaque plain JSON, kept by the store between two measurements of a check. */
export type JudgeState = Readonly<Record<string, unknown>>;

export type JudgeContext = {
  /** What was counted at the present weight begins here: it was read back then. */
  readonly since: Instant;
  /** Evidence before this instant does not count. */
  readonly evidenceFrom: Instant;
  readonly warmUpMs: number;
  readonly minMeasurements: number;
  readonly intervalMs: number;
  /** How often a good release may be taken back, how often a proof may be wrong, and how long the plan takes. */
  readonly alpha: number;
  readonly beta: number;
  readonly horizonMs: number;
  /** The part that this check has in the evidence of all. */
  readonly part: number;
  readonly now: Instant;
};

/**
 * `fresh` is false for an answer that adds nothing (same sample again): it is shown, and not counted. The evidence of a
 * release is that of all its checks together, so a verdict here is one of this check alone, and `condemned` what is said of
 * it when the whole condemns the canary (`together.ts`).
 */
export type Judged = {
  readonly state: JudgeState;
  readonly verdict: CheckVerdict;
  readonly fresh: boolean;
  readonly condemned: string;
  /** What was seen at this weight alone is too much to raise it on. */
  readonly suspectedHere: boolean;
  /** Why the evidence of the whole release has to begin anew, or null. */
  readonly restart: string | null;
};

/** A sample older than this many intervals, or repeated for so long, says nothing about now. */
const STALE_INTERVALS = 3;
/** A poll may fail once without taking a pass away: the last good answer is then one interval old, and some lateness. */
const GRACE_INTERVALS = 1.5;
/** Requests that a canary as busy as before would have had: at ten, hearing none by chance is rarer than 1 in 20,000. */
const MISSED_REQUESTS = 10;

/** With less evidence of its own than this no check of a release is the one that most of it comes from. */
const LITTLE = 0.5;

export function judge(check: Check, state: JudgeState | null, measurement: Measurement, context: JudgeContext): Judged {
  const before = restore(state, check.kind, context);
  const reading = readAnswer(check, before, measurement, context);
  const after = takeIn(check, before, { reading, isCounted: measurement.kind === 'counters' }, context);
  const opinion = conclude(check, after, reading, context);
  const isFresh = reading.kind === 'fresh';
  return {
    state: after,
    verdict: toVerdict(check, after, opinion),
    fresh: isFresh,
    suspectedHere: opinion.finding.suspicious === true,
    condemned: LITTLE < (opinion.finding.weighed?.logE ?? 0) ? condemnedBy(check, after, context) : '',
    restart: isFresh && reading.interval?.stableRestarted ? `stable restarted, as ${check.name} shows` : null,
  };
}

/** Whether what stable was like before the release would help, and has not been asked for yet. */
export const wantsHistory = (check: Check, state: JudgeState | null, evidenceFrom: Instant): boolean =>
  isEvidence(check) && (state === null || state['evidenceFrom'] !== evidenceFrom);

/** A state that knows what stable was like: `history` is what was measured before the release, oldest first. */
export function calibrate(
  check: Check,
  state: JudgeState | null,
  { history, ...context }: JudgeContext & { readonly history: readonly Measurement[] },
): JudgeState | null {
  const known = isEvidence(check) ? calibration(check, history, rulesOf(check, context).spec) : null;
  return known === null ? null : { ...restore(state, check.kind, context), evidence: known };
}

type Taken = { readonly reading: Reading; readonly isCounted: boolean };

function takeIn(check: Check, before: State, { reading, isCounted }: Taken, context: JudgeContext): State {
  if (reading.kind !== 'fresh') return before;
  const { state, askable } = absorb(before, reading, context);
  if (check.kind === 'threshold')
    return askable ? noteBreach(state, findThreshold(check, state).breached, check.failures.of) : state;
  if (reading.interval === null) return state;
  if (check.kind === 'mann-whitney') return noteValues(state, valuesOf(reading.interval, isCounted));
  return weigh(state, reading.interval, { spec: rulesOf(check, context).spec, warmUpMs: context.warmUpMs });
}

function rulesOf(check: EvidenceCheck, { alpha, beta, part, intervalMs, horizonMs }: JudgeContext): EvidenceRules {
  return { spec: specOf(check, { alpha, tickMs: intervalMs, horizonMs }), alpha, beta, part };
}

const condemnedBy = (check: Check, state: State, context: JudgeContext): string =>
  isEvidence(check) ? condemnation(check, state, rulesOf(check, context)) : '';

function find(check: Check, state: State, context: JudgeContext): Finding {
  if (check.kind === 'threshold') return findThreshold(check, state);
  if (check.kind === 'mann-whitney') return findRanks(check, state);
  return findEvidence(check, state, rulesOf(check, context));
}

type Opinion = {
  readonly verdict: Verdict;
  readonly hard: boolean;
  readonly doubt: Doubt | null;
  readonly sentence: string;
  readonly finding: Finding;
};

function conclude(check: Check, state: State, reading: Reading, context: JudgeContext): Opinion {
  const finding = find(check, state, context);
  if (finding.hard !== null) return { verdict: 'fail', hard: true, doubt: null, sentence: finding.hard, finding };
  const say = (verdict: Verdict, sentence: string): Opinion => ({ verdict, hard: false, doubt: null, sentence, finding });
  const doubt = (why: Doubt, sentence: string): Opinion => ({ ...say('inconclusive', sentence), doubt: why });

  const breaches = breachesOf(state);
  const spread = `${finding.sentence} (${breaches} of the last ${plural(state.breaches.length, 'measurement')} over the limit)`;
  if (check.kind === 'threshold' && check.failures.breaches <= breaches) return say('fail', spread);

  const trouble = troubleWith(state, reading, context);
  if (trouble !== null) return say(trouble.verdict, trouble.sentence);
  if (state.measurements < context.minMeasurements) {
    const wanted = plural(context.minMeasurements, 'measurement');
    return doubt('collecting', `collecting: ${state.measurements} of ${wanted} since the weight changed`);
  }
  const silence = ROWS_OF_NUMBERS.has(check.kind) ? null : silenceOf(state, finding.requests, context);
  if (silence !== null) return say('no_data', silence);
  if (finding.undecided !== null) return doubt('thin', finding.undecided);
  return 0 < breaches ? doubt('marginal', spread) : say('pass', finding.sentence);
}

/** Kinds that count no requests: that there is a number at all is what they can be silent about. */
const ROWS_OF_NUMBERS: ReadonlySet<Check['kind']> = new Set(['threshold', 'gauge', 'mann-whitney']);

const breachesOf = (state: State): number => state.breaches.filter(Boolean).length;

/** Why nothing may be concluded from this answer, or null when what was counted speaks for now. */
function troubleWith(
  { sample, seenAt }: State,
  reading: Reading,
  { now, intervalMs }: JudgeContext,
): { readonly verdict: 'error' | 'no_data'; readonly sentence: string } | null {
  if (reading.kind === 'nonsense') return { verdict: 'error', sentence: reading.detail };
  if (reading.kind === 'no_data') return { verdict: 'no_data', sentence: reading.detail };
  if (reading.kind === 'failed' && (seenAt === null || GRACE_INTERVALS * intervalMs < now - seenAt)) {
    return { verdict: 'error', sentence: reading.detail };
  }
  assert(sample !== null && seenAt !== null, 'an answer that was taken in left a sample');
  const staleMs = STALE_INTERVALS * intervalMs;
  if (staleMs < now - sample.at) {
    const age = durationWords(now - sample.at);
    return {
      verdict: 'no_data',
      sentence: `the newest sample is ${age} old, more than ${durationWords(staleMs)}`,
    };
  }
  if (staleMs < now - seenAt) {
    return {
      verdict: 'no_data',
      sentence: `the provider has repeated one sample for ${durationWords(now - seenAt)}`,
    };
  }
  return null;
}

/**
 * A canary that got no request, or gets none any more. The second is held against its own earlier rate, because a quiet
 * service has gaps of many intervals; a dead canary behind a health check has a gap that its rate does not explain.
 */
function silenceOf({ from, to, busyUntil }: State, requests: number, { intervalMs }: JudgeContext): string | null {
  if (requests === 0 || from === null || to === null || busyUntil === null) {
    return 'the canary has had no request since the weight changed';
  }
  const silentMs = to - busyUntil;
  const missed = (requests * silentMs) / Math.max(1, busyUntil - from);
  const gone = STALE_INTERVALS * intervalMs < silentMs && MISSED_REQUESTS < missed;
  return gone ? `the canary has had no request for ${durationWords(silentMs)}, after ${plural(requests, 'request')}` : null;
}

function toVerdict(check: Check, state: State, { verdict, hard, doubt, sentence, finding }: Opinion): CheckVerdict {
  return {
    verdict,
    hard,
    doubt,
    sentence,
    evidence: {
      from: state.from === null ? null : Instant(state.from),
      to: state.to === null ? null : Instant(state.to),
      measurements: state.measurements,
      breaches: breachesOf(state),
      of: check.kind === 'threshold' ? check.failures.of : 0,
      query: check.query,
      canary: finding.canary,
      stable: finding.stable,
      limit: finding.limit,
      weighed: finding.weighed,
      ranked: finding.ranked ?? null,
    },
  };
}
