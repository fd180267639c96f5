/**
 * Histograms to counts per bucket, in milliseconds: classic ones by their own bounds, native ones (and the ranges of
 * VictoriaMetrics) by fixed bounds, because they name only what holds something, and that changes from look to look.
 */
import type { HistogramSeries } from '../../../domain/analysis/measurement.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Range } from './client.ts';
import { NATIVE } from './rows.ts';
import type { Row } from './rows.ts';

type Buckets = { readonly boundsMs: readonly number[]; readonly series: readonly HistogramSeries[] };
type Counts = { readonly bounds: readonly number[]; readonly counts: readonly number[] };

/** Bounds are seconds, as is the custom, unless the metric's name says milliseconds. */
const unitMs = (selector: string): number => (/^\s*\w*_(milliseconds|ms)(_bucket)?\b/.test(selector) ? 1 : 1000);

export function bucketsPerSeries(rows: readonly Row[], selector: string): Result<Buckets, string> {
  const unit = unitMs(selector);
  const all: { readonly bounds: readonly number[]; readonly series: HistogramSeries }[] = [];
  for (const [key, own] of Map.groupBy(ofOneForm(rows), (row) => row.key)) {
    const role = own[0]?.role;
    if (!role) continue;
    const ranges = rangesIn(own);
    const read = ranges ? gridOf(ranges, unit) : classicOf(own, unit);
    if (!read.ok) return err(`the histogram of ${key.trim()} ${read.error}`);
    all.push({ bounds: read.value.bounds, series: { key, role, startedAt: null, counts: read.value.counts } });
  }
  const bounds = all[0]?.bounds ?? [];
  const other = all.find((one) => one.bounds.join() !== bounds.join());
  if (other) return err(`the histograms of ${all[0]?.series.key.trim()} and ${other.series.key.trim()} have other buckets`);
  return ok({ boundsMs: bounds, series: all.map(({ series }) => series) });
}

/** Where a server keeps both forms, the native one, unless only the classic one is there for all. */
function ofOneForm(rows: readonly Row[]): readonly Row[] {
  const keysOf = (some: readonly Row[]) => new Set(some.map(({ key }) => key));
  const [natives, classics] = [rows.filter(({ part }) => part === NATIVE), rows.filter(({ part }) => part !== NATIVE)];
  const [withNative, withClassic] = [keysOf(natives), keysOf(classics)];
  if ([...withClassic].every((key) => withNative.has(key))) return natives;
  if ([...withNative].every((key) => withClassic.has(key))) return classics;
  return rows.filter(({ part, key }) => part === NATIVE || !withNative.has(key));
}

/** `1.000e-01...1.136e-01`, and nothing for the buckets of a classic histogram. */
const VMRANGE = /^(\S+)\.\.\.(\S+)$/;

function rangesIn(own: readonly Row[]): readonly Range[] | null {
  if (own.some(({ ranges }) => ranges !== null)) return own.flatMap(({ ranges }) => ranges ?? []);
  if (!own.some(({ vmrange, le }) => vmrange !== '' && le === '')) return null;
  return own.map(({ vmrange, value }) => {
    const [, lower = '', upper = ''] = VMRANGE.exec(vmrange) ?? [];
    return { lower: boundOf(lower), upper: boundOf(upper), count: value };
  });
}

/** Four bounds for each doubling, from a millisecond to two minutes: finer buckets fit into them without a rest. */
const PER_DOUBLING = 4;
const DOUBLINGS = 17;

function gridOf(ranges: readonly Range[], unit: number): Result<Counts, string> {
  const lowest = unit === 1 ? 0 : -10;
  const bounds = Array.from({ length: DOUBLINGS * PER_DOUBLING + 1 }, (_, index) =>
    Number((2 ** (lowest + index / PER_DOUBLING) * unit).toPrecision(6)),
  );
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const { lower, upper, count } of ranges) {
    if (Number.isNaN(upper) || Number.isNaN(lower) || upper < lower) return err('has a range that is none');
    if (upper < 0 || (upper === 0 && lower < 0)) return err('holds times below nothing');
    if (!(0 <= count)) return err('has a bucket that holds less than nothing');
    // A range that the bounds cut through counts as its slowest request.
    const place = upper === 0 ? 0 : Math.ceil((Math.log2(upper) - lowest) * PER_DOUBLING - 1e-6);
    const index = Math.min(Math.max(place, 0), bounds.length);
    counts[index] = (counts[index] ?? 0) + count;
  }
  return ok({ bounds, counts });
}

function classicOf(own: readonly Row[], unit: number): Result<Counts, string> {
  const sorted = own.map(({ le, value }) => ({ bound: boundOf(le), value })).toSorted((a, b) => a.bound - b.bound);
  const wrong = wrongIn(sorted);
  if (wrong !== null) return err(wrong);
  const counts = sorted.map(({ value }, index) => value - (sorted[index - 1]?.value ?? 0));
  const [first = 0, second = 0, ...rest] = counts;
  // A bound of nothing holds what took no time, which belongs to the first bucket that is one.
  const isFromZero = sorted[0]?.bound === 0;
  return ok({
    bounds: sorted.slice(isFromZero ? 1 : 0, -1).map(({ bound }) => bound * unit),
    counts: isFromZero ? [first + second, ...rest] : counts,
  });
}

const boundOf = (le: string): number => (le === '+Inf' ? Infinity : /^[\d.e+-]+$/i.test(le) ? Number(le) : Number.NaN);

function wrongIn(sorted: readonly { readonly bound: number; readonly value: number }[]): string | null {
  if (sorted.some(({ bound }) => Number.isNaN(bound) || bound < 0)) return 'has a bound that is no number';
  if (sorted.at(-1)?.bound !== Infinity) return 'has no bucket +Inf';
  if (sorted.length < 2) return 'has one bucket only';
  if (sorted.some(({ bound }, index) => bound === sorted[index - 1]?.bound)) return 'has a bucket twice';
  const sinks = sorted.some(({ value }, index) => value < (sorted[index - 1]?.value ?? 0));
  return sinks ? 'has a bucket that holds less than a smaller one' : null;
}
