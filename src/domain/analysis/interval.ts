/**
 * Cumulative series to disjoint intervals. Each series is subtracted from its own last reading and only the differences
 * are added up, because subtracting sums makes a restart of one instance look like negative traffic. A series that was
 * absent keeps its last reading, so that its whole history is not counted again when it returns.
 */
import type { Role } from './measurement.ts';

export type CumulativeSeries = {
  readonly key: string;
  readonly role: Role;
  readonly stratum?: string;
  readonly startedAt: number | null;
  readonly values: readonly number[];
};

/** How many requests the values of one series stand for. */
export type Total = (values: readonly number[]) => number;

/** How the series of a kind of check count. */
export type Counting = {
  readonly total: Total;
  /** Events against seconds of life: what is new has lived before, and only its events tell a restart. */
  readonly isRate: boolean;
};

export type SeriesReading = {
  readonly at: number;
  readonly startedAt: number | null;
  readonly values: readonly number[];
};

export type Sample = { readonly at: number; readonly series: Readonly<Record<string, SeriesReading>> };

/** Requests between two samples. `from` reaches back to the oldest reading that something was subtracted from. */
export type Interval = {
  readonly from: number;
  readonly to: number;
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /** The same by series, for what has to know instances and parts of the traffic. */
  readonly series: readonly SeriesGrowth[];
  /** All of stable began anew and not all of the canary did: it is another stable than before. */
  readonly stableRestarted: boolean;
};

export type SeriesGrowth = {
  readonly key: string;
  readonly role: Role;
  readonly stratum: string;
  readonly values: readonly number[];
};

type Next = { readonly at: number; readonly series: readonly CumulativeSeries[] };

/** Absent series that are remembered; the longest absent are forgotten first. */
const REMEMBERED_SERIES = 500;
/** Replicas of a metric store may differ by a little: a smaller dip than this share is no restart, and adds nothing. */
const DIP = 0.1;

/**
 * The sample to go on from, and what happened since `last`. The interval is null when there is nothing to subtract the
 * canary's series from; stable's alone would compare two different spans of time.
 */
export function intervalSince(
  last: Sample | null,
  next: Next,
  counting: Counting,
): { readonly sample: Sample; readonly interval: Interval | null } {
  const sample = remember(last, next);
  if (last === null) return { sample, interval: null };
  const grown = next.series.flatMap((one) => {
    const growth = growthOf(last, one, counting);
    return growth === null ? [] : [{ ...growth, key: one.key, role: one.role, stratum: one.stratum ?? '' }];
  });
  if (!grown.some(({ role }) => role === 'canary')) return { sample, interval: null };
  const sumOf = (role: Role): readonly number[] =>
    grown.reduce<readonly number[]>((all, one) => (one.role === role ? sum(all, one.values) : all), []);
  const interval = {
    from: Math.min(last.at, ...grown.map((one) => one.from)),
    to: next.at,
    canary: sumOf('canary'),
    stable: sumOf('stable'),
    series: grown.map(({ key, role, stratum, values }) => ({ key, role, stratum, values })),
    stableRestarted: allRestarted(grown, 'stable') && !allRestarted(grown, 'canary'),
  };
  return { sample, interval };
}

function allRestarted(grown: readonly (Growth & { readonly role: Role })[], role: Role): boolean {
  const known = grown.filter((one) => one.role === role && one.restarted !== null);
  return known.length > 0 && known.every((one) => one.restarted === true);
}

/** `restarted` is null for a series that was not there before. */
type Growth = { readonly from: number; readonly values: readonly number[]; readonly restarted: boolean | null };

function growthOf(last: Sample, series: CumulativeSeries, { total, isRate }: Counting): Growth | null {
  const { values } = series;
  const before = last.series[nameOf(series)];
  if (!before) return !isRate && startsFromZero(last, series) ? { from: last.at, values, restarted: null } : null;
  if (isRate) return rateGrowth(before, series);
  if (hasRestarted(before, series, total)) return { from: before.at, values, restarted: true };
  const dipped = total(values) < total(before.values);
  return {
    from: before.at,
    restarted: false,
    values: values.map((value, index) => (dipped ? 0 : Math.max(0, value - (before.values[index] ?? 0)))),
  };
}

/** Seconds go on when a process begins anew, and requests do not: each count that fell began at zero. */
function rateGrowth(before: SeriesReading, { values }: CumulativeSeries): Growth {
  const grown = values.map((value, index) => {
    const last = before.values[index] ?? 0;
    return value < last ? value : value - last;
  });
  return { from: before.at, restarted: values.some((value, index) => value < (before.values[index] ?? 0)), values: grown };
}

/** Judged by the requests alone: a bad count that drops by itself must not count the whole history as new. */
function hasRestarted(before: SeriesReading, { startedAt, values }: CumulativeSeries, total: Total): boolean {
  if (before.startedAt !== null && startedAt !== null && before.startedAt < startedAt) return true;
  return total(values) < (1 - DIP) * total(before.values);
}

/**
 * A series seen for the first time is new when others of its role were there: the first errors of a new status code
 * must count. Where the provider knows when counting began, that decides: since the last sample, or together with a
 * series that was there. One that began earlier elsewhere was only found late.
 */
function startsFromZero(last: Sample, { role, startedAt }: CumulativeSeries): boolean {
  const siblings = Object.entries(last.series)
    .filter(([name, reading]) => name.startsWith(`${role} `) && reading.at === last.at)
    .map(([, reading]) => reading);
  if (startedAt === null) return 0 < siblings.length;
  return last.at <= startedAt || siblings.some((sibling) => sibling.startedAt === startedAt);
}

function remember(last: Sample | null, { at, series }: Next): Sample {
  const present = series.map((one): [string, SeriesReading] => [
    nameOf(one),
    { at, startedAt: one.startedAt, values: one.values },
  ]);
  const names = new Set(present.map(([name]) => name));
  const absent = Object.entries(last?.series ?? {})
    .filter(([name]) => !names.has(name))
    .sort(([, a], [, b]) => b.at - a.at)
    .slice(0, REMEMBERED_SERIES);
  return { at, series: Object.fromEntries([...present, ...absent]) };
}

/** Unique within one answer; the role in front also keeps it apart from names that objects have by themselves. */
export const nameOf = ({ role, key }: { readonly role: Role; readonly key: string }): string => `${role} ${key}`;

/** Adds two vectors; an empty one stands for zeros. */
export function sum(a: readonly number[], b: readonly number[]): readonly number[] {
  const longer = a.length < b.length ? b : a;
  return longer.map((_, index) => (a[index] ?? 0) + (b[index] ?? 0));
}
