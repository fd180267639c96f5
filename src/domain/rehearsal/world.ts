/** What a release meets: traffic that is served while time passes, and a provider that counts it. Made up here, or recorded. */
import { binomial, normals, poisson } from '../../lib/draws.ts';
import { prng } from '../../lib/prng.ts';
import type { Measurement, Role } from '../analysis/measurement.ts';
import { Instant, NONE } from '../ids.ts';
import type { Weight } from '../ids.ts';
import type { Check } from '../plan.ts';
import { figuresOf, shareAbove } from './figures.ts';
import type { Figures, Traffic } from './figures.ts';
import { isIn, severity, shared } from './scenario.ts';
import type { Scenario } from './scenario.ts';

export type World = {
  /** Time passes with the canary at a weight. */
  serve(weight: Weight, from: Instant, to: Instant): void;
  answer(check: Check, now: Instant): Measurement;
  /** What stable was like before the release, oldest first. */
  past(check: Check): readonly Measurement[];
  /** What the users of the canary have met so far; null where nobody counted. */
  met(): Met | null;
};

export type Met = {
  readonly requests: number;
  readonly bad: number;
  /** Beyond what they would have met on stable. */
  readonly extra: number;
};

export type Beginning = {
  readonly start: Instant;
  readonly seed: number;
  readonly checks: readonly Check[];
  /** How often the hour before was measured; null: it is not needed. */
  readonly pastStepMs: number | null;
};

type Counter = { readonly role: Role; readonly key: string; requests: number; bad: number; buckets: number[] };
type Book = { readonly figures: Figures; readonly counters: readonly Counter[]; readonly hasBuckets: boolean };

const HISTORY_MS = 3_600_000;
/** How far a level of one instance is from the next look's, and from that of another instance. */
const LEVEL_NOISE = 0.05;
const USERS = '';

/** Traffic by a scenario: requests arrive independently, and go wrong independently of each other. */
export function madeUp(scenario: Scenario, { start, seed, checks, pastStepMs }: Beginning): World {
  const random = prng(seed);
  const made: Made = {
    scenario,
    start,
    random,
    normal: normals(random),
    books: booksOf(scenario, checks),
    extra: 0,
    weight: NONE,
  };
  const past = pastStepMs === null ? new Map<string, readonly Measurement[]>() : pastOf(made, checks, pastStepMs);
  return {
    serve: (weight, from, to) => serve(made, weight, { from, to, isPast: false }),
    answer: (check, now) =>
      isIn(scenario.away, now - start)
        ? { kind: 'failed', at: now, detail: 'the provider does not answer' }
        : answered(made, check, now, null),
    past: ({ name }) => past.get(name) ?? [],
    met() {
      const canary = made.books.get(USERS)?.counters.find(({ role }) => role === 'canary');
      return { requests: canary?.requests ?? 0, bad: canary?.bad ?? 0, extra: made.extra };
    },
  };
}

type Made = {
  readonly scenario: Scenario;
  readonly start: Instant;
  readonly random: () => number;
  readonly normal: () => number;
  /** Who counts: the users' book of bad requests, and one for each check that counts otherwise. */
  readonly books: ReadonlyMap<string, Book>;
  extra: number;
  weight: Weight;
};

function booksOf({ traffic }: Scenario, checks: readonly Check[]): ReadonlyMap<string, Book> {
  const books = new Map([[USERS, opened(traffic.all, traffic.instances, false)]]);
  for (const check of checks) {
    const name = bookOf(traffic, check);
    if (!books.has(name)) books.set(name, opened(figuresOf(traffic, name), traffic.instances, check.kind === 'latency'));
  }
  return books;
}

const bookOf = ({ checks }: Traffic, { kind, name }: Check): string => (kind === 'latency' || name in checks ? name : USERS);

type Passing = { readonly from: Instant; readonly to: Instant; readonly isPast: boolean };

function serve(made: Made, weight: Weight, { from, to, isPast }: Passing): void {
  const { scenario, start, random, books } = made;
  const { traffic } = scenario;
  made.weight = weight;
  const middle = (from + to) / 2 - start;
  const share = weight / 10_000;
  const all = (traffic.requestsPerSecond * (to - from)) / 1000;
  const worse = isPast ? 0 : severity(scenario, weight, middle);
  const both = isPast ? 1 : shared(scenario, middle);
  const isSilent = !isPast && isIn(scenario.silent, middle);
  const arrived = (books.get(USERS)?.counters ?? []).map(({ role }) => {
    if (role === 'stable') return poisson(random, (all * (1 - share)) / traffic.instances);
    return isSilent ? 0 : poisson(random, all * share);
  });
  for (const [name, book] of books) {
    const { bad } = book.figures;
    const own = scenario.bad === null ? bad : bad + (scenario.bad - bad) * worse;
    for (const [index, counter] of book.counters.entries()) {
      const requests = arrived[index] ?? 0;
      const isCanary = counter.role === 'canary';
      const went = binomial(random, requests, Math.min(1, (isCanary ? own : bad) * both));
      counter.requests += requests;
      counter.bad += went;
      const factor = (isCanary ? 1 + (scenario.slower - 1) * worse : 1) * (1 + (both - 1) * SLOWER_WITH_ERRORS);
      if (book.hasBuckets) drop(random, counter, requests, { book, factor });
      if (name === USERS && isCanary) made.extra += went - requests * Math.min(1, bad * both);
    }
  }
}

/** What both versions share makes requests slower, too: three times the errors, a fifth longer. */
const SLOWER_WITH_ERRORS = 0.1;

function answered({ scenario, start, normal, books, weight }: Made, check: Check, now: Instant, role: Role | null): Measurement {
  const book = books.get(bookOf(scenario.traffic, check));
  const counters = (book?.counters ?? []).filter((counter) => role === null || counter.role === role);
  const worse = severity(scenario, weight, now - start);
  return answerOf(check, now, { figures: book?.figures ?? scenario.traffic.all, counters, hasBuckets: false }, (isCanary) => {
    const level = isCanary ? 1 + (scenario.slower - 1) * worse : 1;
    return level * Math.exp(LEVEL_NOISE * normal());
  });
}

/** The hour before: stable alone. */
function pastOf(made: Made, checks: readonly Check[], stepMs: number): ReadonlyMap<string, readonly Measurement[]> {
  const past = new Map(checks.map(({ name }): [string, Measurement[]] => [name, []]));
  for (let at = made.start - HISTORY_MS; at < made.start; at += stepMs) {
    const to = Instant(Math.min(made.start, at + stepMs));
    serve(made, NONE, { from: Instant(at), to, isPast: true });
    for (const check of checks) past.get(check.name)?.push(answered(made, check, to, 'stable'));
  }
  return past;
}

function opened(figures: Figures, instances: number, hasBuckets: boolean): Book {
  const counter = (role: Role, key: string): Counter => ({
    role,
    key,
    requests: 0,
    bad: 0,
    buckets: figures.latency.counts.map(() => 0),
  });
  return {
    figures,
    hasBuckets,
    counters: [
      counter('canary', 'new-1'),
      ...Array.from({ length: instances }, (_, index) => counter('stable', `old-${index + 1}`)),
    ],
  };
}

type Drop = { readonly book: Book; readonly factor: number };

/** Into the buckets, from the slowest down: each takes its part of what is left. */
function drop(random: () => number, counter: Counter, requests: number, { book, factor }: Drop): void {
  const { boundsMs } = book.figures.latency;
  let left = requests;
  let above = 1;
  for (const [index, bound] of boundsMs.entries()) {
    const beyond = shareAbove(book.figures.latency, bound, factor);
    const slower = above <= 0 ? 0 : binomial(random, left, Math.min(1, beyond / above));
    counter.buckets[index] = (counter.buckets[index] ?? 0) + left - slower;
    left = slower;
    above = beyond;
  }
  counter.buckets[boundsMs.length] = (counter.buckets[boundsMs.length] ?? 0) + left;
}

function answerOf(check: Check, at: Instant, book: Book, level: (canary: boolean) => number): Measurement {
  const series = book.counters.map(({ role, key }) => ({ role, key, startedAt: null }));
  switch (check.kind) {
    case 'latency':
      return {
        kind: 'histogram',
        at,
        boundsMs: book.figures.latency.boundsMs,
        series: series.map((one, index) => ({ ...one, counts: [...(book.counters[index]?.buckets ?? [])] })),
      };
    case 'gauge':
      return { kind: 'gauges', at, series: series.map(({ role, key }) => ({ role, key, value: level(role === 'canary') })) };
    case 'threshold':
      // What it asks for is not known here: within its limits.
      return { kind: 'value', at, value: middleOf(check.min ?? check.hardMin, check.max ?? check.hardMax) };
    default:
      return {
        kind: 'counters',
        at,
        series: series.map((one, index) => ({
          ...one,
          total: book.counters[index]?.requests ?? 0,
          bad: book.counters[index]?.bad ?? 0,
        })),
      };
  }
}

function middleOf(low: number | null, high: number | null): number {
  if (low !== null && high !== null) return (low + high) / 2;
  if (high !== null) return high > 0 ? high / 2 : high - 1;
  return low === null ? 0 : low + Math.max(1, Math.abs(low));
}
