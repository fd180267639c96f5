/**
 * How much more the counts scatter than independent requests would: bursts (one client that retries, one bad host) make a
 * few bad requests look like many independent ones. The evidence is divided by this factor, which is exact for clusters of
 * up to that size and a quasi-likelihood beyond.
 *
 * Measured on stable alone, so that a bad canary cannot excuse itself: the scatter of its instances about their common
 * rate, given what they had together, which no shared incident touches; or, where stable is one series, the differences
 * of successive intervals. Over single intervals, minutes and five minutes, the largest counts. Source: Pearson's
 * statistic as in McCullagh and Nelder, "Generalized Linear Models", 1989, section 4.5; von Neumann, 1941, for differences.
 */
import { hash32 } from '../../../lib/prng.ts';
import type { Arm } from './likelihood.ts';

/** What one instance of stable counted in an interval, within one part of the traffic. */
export type Cell = { readonly key: string; readonly group: string } & Arm;

export type Dispersion = {
  readonly scales: readonly Scale[];
  /** Whether instances were ever told apart; if not, the estimate is the weaker one. */
  readonly byInstance: boolean;
};

/** One length of time over which counts are gathered before they are compared. */
type Scale = {
  readonly spanMs: number;
  /** Start of what is being gathered; null before the first interval. */
  readonly since: number | null;
  readonly gathered: Readonly<Record<string, readonly [n: number, bad: number]>>;
  /** What the span before had in all, for a stable of one series. */
  readonly before: readonly [n: number, bad: number] | null;
  readonly chiSquared: number;
  readonly freedom: number;
};

const SPANS_MS = [0, 60_000, 300_000];
/** As many degrees of freedom in favour of no scatter at all, so that a few unlucky intervals say little. */
const PRIOR = 10;
/**
 * Estimates below this are noise, and so are those within two standard deviations of a statistic of so many degrees of
 * freedom; above, some more is taken for what the estimate may miss.
 */
const NOISE = 0.3;
const DEVIATIONS = 2;
const SAFETY = 1.25;
/** A shared incident moves a single series by as much as it likes, twice; more than this per step is no burst. */
const LARGEST_STEP = 25;
/** More series than that say nothing new, and a state stays small. */
const MOST_CELLS = 16;

export const noDispersion = (): Dispersion => ({
  scales: SPANS_MS.map((spanMs) => ({ spanMs, since: null, gathered: {}, before: null, chiSquared: 0, freedom: 0 })),
  byInstance: false,
});

/** The factor to divide by: 1 for independent requests. */
export function dispersionFactor({ scales }: Dispersion): number {
  return Math.max(...scales.map(factorOf));
}

function factorOf({ chiSquared, freedom }: Scale): number {
  const estimate = (PRIOR + chiSquared) / (PRIOR + freedom);
  const noise = Math.max(NOISE, DEVIATIONS * Math.sqrt(2 / (PRIOR + freedom)));
  return estimate < 1 + noise ? 1 : SAFETY * estimate;
}

export type Span = {
  readonly from: number;
  readonly to: number;
  /** Events of a rate scatter by their mean; bad requests among requests by a little less. */
  readonly isRate: boolean;
};

export function observeScatter({ scales, byInstance }: Dispersion, cells: readonly Cell[], span: Span): Dispersion {
  const busy = busiest(cells.filter(({ n }) => n > 0));
  if (busy.length === 0) return { scales, byInstance };
  const named = busy.map(({ key, group, n, bad }): Named => [`${shortOf(group)}${BETWEEN}${shortOf(key)}`, n, bad]);
  return {
    byInstance: byInstance || hasSiblings(busy),
    scales: scales.map((scale) => gather(scale, named, span)),
  };
}

/** Whole parts of the traffic, the largest first: instances of one part are what can be compared. */
function busiest(cells: readonly Cell[]): readonly Cell[] {
  if (cells.length <= MOST_CELLS) return cells;
  const totals = new Map<string, number>();
  for (const { group, n } of cells) totals.set(group, (totals.get(group) ?? 0) + n);
  const rank = ({ group }: Cell): number => totals.get(group) ?? 0;
  return cells.toSorted((a, b) => rank(b) - rank(a) || (a.group < b.group ? -1 : a.group > b.group ? 1 : 0)).slice(0, MOST_CELLS);
}

type Named = readonly [name: string, n: number, bad: number];
const BETWEEN = ' ';

const hasSiblings = (cells: readonly Cell[]): boolean => new Set(cells.map(({ group }) => group)).size < cells.length;

function gather(scale: Scale, cells: readonly Named[], { from, to, isRate }: Span): Scale {
  const since = scale.since ?? from;
  const gathered: Record<string, readonly [number, number]> = { ...scale.gathered };
  for (const [name, n, bad] of cells) {
    const [allN, allBad] = gathered[name] ?? [0, 0];
    gathered[name] = [rounded(allN + n), rounded(allBad + bad)];
  }
  if (to - since < scale.spanMs) return { ...scale, since, gathered };
  const found = compare(gathered, scale.before, isRate);
  return {
    spanMs: scale.spanMs,
    since: to,
    gathered: {},
    before: found.total,
    chiSquared: rounded(scale.chiSquared + found.chiSquared),
    freedom: scale.freedom + found.freedom,
  };
}

function compare(gathered: Scale['gathered'], before: Scale['before'], isRate: boolean) {
  const groups = groupsOf(gathered);
  let chiSquared = 0;
  let freedom = 0;
  for (const members of groups) {
    const found = pearson(members, isRate);
    chiSquared += found.chiSquared;
    freedom += found.freedom;
  }
  const total = Object.values(gathered).reduce<readonly [number, number]>(([n, bad], [m, worse]) => [n + m, bad + worse], [0, 0]);
  if (freedom > 0 || before === null) return { chiSquared, freedom, total };
  const step = pearson([before, total], isRate);
  return { chiSquared: Math.min(step.chiSquared, LARGEST_STEP), freedom: step.freedom, total };
}

function groupsOf(gathered: Scale['gathered']): readonly (readonly (readonly [number, number])[])[] {
  const groups = new Map<string, (readonly [number, number])[]>();
  for (const [name, counts] of Object.entries(gathered)) {
    const group = name.slice(0, name.indexOf(BETWEEN));
    const members = groups.get(group);
    if (members) members.push(counts);
    else groups.set(group, [counts]);
  }
  return [...groups.values()];
}

/** Scatter of shares about the one that they have together; nothing where there is no bad request, or nothing else. */
function pearson(cells: readonly (readonly [n: number, bad: number])[], isRate: boolean): Pick<Scale, 'chiSquared' | 'freedom'> {
  const n = cells.reduce((sum, [each]) => sum + each, 0);
  const bad = cells.reduce((sum, [, each]) => sum + each, 0);
  const share = bad / n;
  const spread = isRate ? share : share * (1 - share);
  if (cells.length < 2 || !(spread > 0)) return { chiSquared: 0, freedom: 0 };
  const chiSquared = cells.reduce((sum, [each, worse]) => sum + (worse - each * share) ** 2 / (each * spread), 0);
  return { chiSquared, freedom: cells.length - 1 };
}

/** Counts may be fractions, and the state is to stay small. */
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Names of instances can be long, and only have to be told apart. */
const shortOf = (name: string): string => hash32(name).toString(36);
