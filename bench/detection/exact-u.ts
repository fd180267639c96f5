/**
 * The rank-sum test of Mann and Whitney for small samples, with the exact distribution of U, ties included: the way
 * PipeCD decides. Every way of choosing the first sample out of the values at hand is counted, as equally likely.
 */

export type Alternative = 'less' | 'differs' | 'greater';

export type ExactTest = {
  /** Pairs in which the first sample is greater; an equal pair counts half. */
  readonly u: number;
  readonly p: number;
};

/**
 * Null when all values are the same. Twice the lower tail for `differs`, whatever the ties make of the upper one, and
 * the tail from U - 1 up for `greater`: so does the library that PipeCD carries, and with ties it is not quite exact
 * (for 1, 2, 3, 5 against five times 1 it finds p = 0, since so small a U is not possible on that side).
 */
export function exactTest(sample: readonly number[], other: readonly number[], alternative: Alternative): ExactTest | null {
  const groups = tiedGroups(sample, other);
  if (groups.length < 2) return null;
  const [n, m] = [sample.length, other.length];
  const u = groups.reduce((sum, { own, middle }) => sum + own * middle, 0) - (n * (n + 1)) / 2;
  const atMost = lowerTails(groups, n);
  const total = atMost(n * m);
  const tail = (bound: number): number => (bound < 0 ? 0 : atMost(bound) / total);
  switch (alternative) {
    case 'less':
      return { u, p: tail(u) };
    case 'greater':
      return { u, p: 1 - tail(u - 1) };
    case 'differs':
      return { u, p: u === n * m - u ? 1 : 2 * tail(Math.min(u, n * m - u)) };
  }
}

/** Equal values, in ascending order: how many, how many of them in the sample, and the middle of their ranks. */
type Group = { readonly size: number; readonly own: number; readonly middle: number };

function tiedGroups(sample: readonly number[], other: readonly number[]): readonly Group[] {
  const values = [...new Set([...sample, ...other])].sort((a, b) => a - b);
  let before = 0;
  return values.map((value) => {
    const own = sample.filter((each) => each === value).length;
    const size = own + other.filter((each) => each === value).length;
    const middle = before + (size + 1) / 2;
    before += size;
    return { size, own, middle };
  });
}

/** How many choices of `n` values have at most this U. Rank sums are doubled to stay whole numbers. */
function lowerTails(groups: readonly Group[], n: number): (bound: number) => number {
  const size = groups.reduce((sum, group) => sum + group.size, 0);
  const width = n * (2 * size - n + 1) + 1;
  // ways[chosen][twice the rank sum]
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(width));
  ways[0]![0] = 1;
  for (const { size, middle } of groups) {
    // Downwards, so that no group is chosen from twice.
    for (let chosen = n; chosen >= 0; chosen--) {
      for (let taken = Math.min(size, n - chosen); taken >= 1; taken--) {
        addShifted(ways[chosen + taken]!, ways[chosen]!, { by: 2 * taken * middle, times: choose(size, taken) });
      }
    }
  }
  const sums = ways[n]!;
  return (bound) => {
    const highest = Math.floor(2 * bound + n * (n + 1));
    let count = 0;
    for (let sum = 0; sum <= highest && sum < width; sum++) count += sums[sum]!;
    return count;
  };
}

type Rise = { readonly by: number; readonly times: number };

function addShifted(to: Float64Array, from: Float64Array, { by, times }: Rise): void {
  for (let sum = 0; sum + by < from.length; sum++) to[sum + by]! += from[sum]! * times;
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Math.round(ways);
}
