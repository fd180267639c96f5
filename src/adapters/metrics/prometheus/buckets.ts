/** Classic histograms: cumulative `le` rows to counts per bucket, in milliseconds. */
import type { HistogramSeries } from '../../../domain/analysis/measurement.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Row } from './prometheus.ts';

type Buckets = { readonly boundsMs: readonly number[]; readonly series: readonly HistogramSeries[] };

/** Bounds are seconds, as is the custom, unless the metric's name says milliseconds. */
const unitMs = (selector: string): number => (/^\s*\w*_(milliseconds|ms)(_bucket)?\b/.test(selector) ? 1 : 1000);

export function bucketsPerSeries(rows: readonly Row[], selector: string): Result<Buckets, string> {
  const byKey = Map.groupBy(rows, ({ key }) => key);
  const all: { readonly bounds: readonly number[]; readonly series: HistogramSeries }[] = [];
  for (const [key, own] of byKey) {
    const role = own[0]?.role;
    if (!role) continue;
    const sorted = own.map(({ le, value }) => ({ bound: boundOf(le), value })).toSorted((a, b) => a.bound - b.bound);
    const wrong = wrongIn(sorted);
    if (wrong !== null) return err(`the histogram of ${key.trim()} ${wrong}`);
    const counts = sorted.map(({ value }, index) => value - (sorted[index - 1]?.value ?? 0));
    const [first = 0, second = 0, ...rest] = counts;
    // A bound of nothing holds what took no time, which belongs to the first bucket that is one.
    const isFromZero = sorted[0]?.bound === 0;
    all.push({
      bounds: sorted.slice(isFromZero ? 1 : 0, -1).map(({ bound }) => bound * unitMs(selector)),
      series: { key, role, startedAt: null, counts: isFromZero ? [first + second, ...rest] : counts },
    });
  }
  const bounds = all[0]?.bounds ?? [];
  const other = all.find((one) => one.bounds.join() !== bounds.join());
  if (other) return err(`the histograms of ${all[0]?.series.key.trim()} and ${other.series.key.trim()} have other buckets`);
  return ok({ boundsMs: bounds, series: all.map(({ series }) => series) });
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
