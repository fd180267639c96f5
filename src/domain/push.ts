/**
 * Counts that an application pushes, added to what it pushed before. What is kept of an instance is cumulative since
 * `countedFrom`; whatever begins anew (a process, a sequence with a hole too large to wait for) begins with a later one,
 * so that lost counts are seen as a restart and never as calm.
 */
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Instant } from './ids.ts';

export type PushedCounter = {
  readonly name: string;
  /** The label and its value whose part of the counter this is; both null for the whole. */
  readonly by: string | null;
  readonly stratum: string | null;
  readonly count: number;
};
export type PushedHistogram = { readonly name: string; readonly boundsMs: readonly number[]; readonly counts: readonly number[] };
export type PushedGauge = { readonly name: string; readonly value: number };

export type PushKey = { readonly service: string; readonly version: string; readonly instance: string };

export type Push = PushKey & {
  /** When the process began to count. */
  readonly startedAt: Instant;
  /** Null: the counts are those since `startedAt`. Else they are new ones, and it numbers the pushes since then from 1. */
  readonly sequence: number | null;
  readonly at: Instant;
  readonly counters: readonly PushedCounter[];
  readonly histograms: readonly PushedHistogram[];
  readonly gauges: readonly PushedGauge[];
};

type At = { readonly at: Instant };

/** What is kept of one instance: each series with the time of its newest push. */
export type Pushed = PushKey & {
  readonly startedAt: Instant;
  readonly countedFrom: Instant;
  /** The highest one that came; null where counts are cumulative as they come. */
  readonly sequence: number | null;
  /** Lower ones that did not come yet. */
  readonly missing: readonly number[];
  readonly receivedAt: Instant;
  readonly counters: readonly (PushedCounter & At)[];
  readonly histograms: readonly (PushedHistogram & At)[];
  readonly gauges: readonly (PushedGauge & At)[];
};

/** `isCounted` is false for a push that came before: nothing changed by it. */
export type PushOutcome = { readonly pushed: Pushed; readonly isCounted: boolean };

const MOST_SERIES = 200;
/** Pushes that may overtake each other; a larger hole begins the counts anew. */
const MOST_MISSING = 100;

export function accumulated(known: Pushed | null, push: Push, now: Instant): Result<PushOutcome, string> {
  if (known !== null && push.startedAt < known.startedAt)
    return err(`${push.instance} counts since ${known.startedAt} by now: this is from a process that began earlier`);
  if (known !== null && known.startedAt === push.startedAt && (known.sequence === null) !== (push.sequence === null))
    return err(
      `${push.instance} counts ${push.sequence === null ? 'up by deltas' : 'cumulatively'} since ${known.startedAt}: stay with it`,
    );
  const before = known?.startedAt === push.startedAt ? known : null;
  const order = orderOf(before, push.sequence);
  if (order === 'counted' && before !== null) return ok({ pushed: before, isCounted: false });
  const base = order === 'anew' ? null : before;
  const missing = typeof order === 'object' ? order.missing : [];
  const merged = push.sequence === null ? replaced(base, push) : added(base, push);
  if (!merged.ok) return merged;
  const { counters, histograms, gauges } = merged.value;
  const series = counters.length + histograms.length + gauges.length;
  if (MOST_SERIES < series) return err(`${push.instance} would have ${series} series, and ${MOST_SERIES} are kept`);
  const { service, version, instance, startedAt } = push;
  // What cannot be told from the process's own start begins with its first push here.
  const countedFrom = base?.countedFrom ?? (push.sequence === null || push.sequence === 1 + missing.length ? startedAt : now);
  const sequence = push.sequence === null ? null : Math.max(push.sequence, base?.sequence ?? 0);
  const pushed = { service, version, instance, startedAt, countedFrom, sequence, missing, receivedAt: now, ...merged.value };
  return ok({ pushed, isCounted: true });
}

type Order = 'cumulative' | 'counted' | 'anew' | { readonly missing: readonly number[] };

function orderOf(before: Pushed | null, sequence: number | null): Order {
  if (sequence === null) return 'cumulative';
  const last = before?.sequence ?? 0;
  const missing = before?.missing ?? [];
  if (sequence <= last) return missing.includes(sequence) ? { missing: missing.filter((one) => one !== sequence) } : 'counted';
  const hole = sequence - last - 1;
  if (MOST_MISSING < hole + missing.length) return 'anew';
  return { missing: [...missing, ...Array.from({ length: hole }, (_, index) => last + 1 + index)] };
}

type Series = Pick<Pushed, 'counters' | 'histograms' | 'gauges'>;

export const counterName = ({ name, by, stratum }: PushedCounter): string => (by === null ? name : `${name} of ${by} ${stratum}`);

function merge<T>(
  before: readonly (T & At)[],
  pushed: readonly T[],
  how: { readonly at: Instant; nameOf(one: T): string; join(old: T & At, next: T): T | string },
): Result<readonly (T & At)[], string> {
  const all = new Map(before.map((one) => [how.nameOf(one), one]));
  for (const next of pushed) {
    const old = all.get(how.nameOf(next));
    const joined = old ? how.join(old, next) : next;
    if (typeof joined === 'string') return err(`${how.nameOf(next)} ${joined}`);
    all.set(how.nameOf(next), { ...joined, at: old && how.at < old.at ? old.at : how.at });
  }
  return ok([...all.values()]);
}

function joinedAll(
  base: Pushed | null,
  push: Push,
  count: (old: number, next: number, isOlder: boolean) => number | string,
): Result<Series, string> {
  const { at } = push;
  const counters = merge(base?.counters ?? [], push.counters, {
    at,
    nameOf: counterName,
    join(old, next) {
      const joined = count(old.count, next.count, at < old.at);
      return typeof joined === 'string' ? joined : { ...next, count: joined };
    },
  });
  if (!counters.ok) return counters;
  const histograms = merge(base?.histograms ?? [], push.histograms, {
    at,
    nameOf: ({ name }) => name,
    join(old, next) {
      if (old.boundsMs.join() !== next.boundsMs.join())
        return 'has other bounds than before: they stay the same for as long as a process runs';
      const counts = next.counts.map((one, index) => count(old.counts[index] ?? 0, one, at < old.at));
      const wrong = counts.find((one) => typeof one === 'string');
      return wrong ?? { ...next, counts: counts.filter((one) => typeof one === 'number') };
    },
  });
  if (!histograms.ok) return histograms;
  const gauges = merge(base?.gauges ?? [], push.gauges, {
    at,
    nameOf: ({ name }) => name,
    join: (old, next) => (at < old.at ? old : next),
  });
  return gauges.ok ? ok({ counters: counters.value, histograms: histograms.value, gauges: gauges.value }) : gauges;
}

const added = (base: Pushed | null, push: Push): Result<Series, string> =>
  joinedAll(base, push, (old, next) => (old + next <= Number.MAX_SAFE_INTEGER ? old + next : 'has no room for more'));

/** An older push that comes late says nothing new. */
const replaced = (base: Pushed | null, push: Push): Result<Series, string> =>
  joinedAll(base, push, (old, next, isOlder) => {
    if (isOlder) return old;
    return old <= next
      ? next
      : `was ${old} and is ${next} now, of a process that began at the same time: say when it began to count`;
  });
