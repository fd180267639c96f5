/** Native histograms of a real Prometheus, alone and beside classic ones. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import { nativeExporter } from '../real/native-histogram.ts';
import { until } from '../real/programs.ts';
import { exporter, realPrometheus } from '../real/prometheus.ts';
import type { Exporter, RealPrometheus } from '../real/prometheus.ts';
import { latency, providerAt, question } from './prometheus.fixtures.ts';

const signal = new AbortController().signal;
/** Upper bounds 0.5 s, 0.5 s times the eighth root of two, and so on. */
let counts = [5, 3, 2];
let server: RealPrometheus;
const exporters: Exporter[] = [];
beforeAll(async () => {
  exporters.push(await nativeExporter(() => ({ name: 'native_seconds', version: '2.0', first: -8, counts })));
  exporters.push(await nativeExporter(() => ({ name: 'native_seconds', version: '1.0', first: -16, counts: [40] })));
  exporters.push(await nativeExporter(() => ({ name: 'both_seconds', version: '2.0', first: -8, counts: [4] })));
  const classic = ['both_seconds_bucket{version="1.0",le="1"} 9', 'both_seconds_bucket{version="1.0",le="+Inf"} 9'];
  exporters.push(await exporter(['native_seconds{version="0.9"} 17', ...classic].join('\n')));
  server = await realPrometheus({ targets: exporters.map(({ target }) => target), hasNatives: true, scrapeEvery: '1s' });
  await until('the first samples', async () => {
    const [one, other] = [await ask('native_seconds'), await ask('both_seconds')];
    return one.kind === 'histogram' && one.series.length === 2 && other.kind === 'failed';
  });
});
afterAll(async () => {
  await server.close();
  await Promise.all(exporters.map((one) => one.close()));
});

const ask = (histogram: string): Promise<Measurement> => providerAt(server.url).measure(question(latency({ histogram })), signal);

/** What is in it, by the upper bound in ms. */
function filledIn(measured: Measurement, role: 'canary' | 'stable'): readonly (readonly [number, number])[] {
  if (measured.kind !== 'histogram') throw new Error(JSON.stringify(measured));
  const series = measured.series.find((one) => one.role === role);
  return (series?.counts ?? []).flatMap((count, index) =>
    count === 0 ? [] : [[Math.round(measured.boundsMs[index] ?? Infinity), count] as const],
  );
}

describe('provider prometheus: native histograms', () => {
  it('are counted by fixed bounds into which their buckets fit', async () => {
    const seen = await ask('native_seconds');
    expect(filledIn(seen, 'canary')).toEqual([
      [500, 5],
      [595, 5],
    ]);
    expect(filledIn(seen, 'stable')).toEqual([[250, 40]]);
    expect(Math.abs(Date.now() - seen.at)).toBeLessThan(3_000);
  });

  it('keep their bounds when there is something in more buckets', async () => {
    const before = await ask('native_seconds');
    counts = [5, 3, 2, 0, 0, 0, 0, 0, 1];
    await until('a slow request', async () => filledIn(await ask('native_seconds'), 'canary').length === 3);
    const after = await ask('native_seconds');
    expect(filledIn(after, 'canary').at(-1)).toEqual([1000, 1]);
    expect(after.kind === 'histogram' && before.kind === 'histogram' && after.boundsMs).toEqual(
      before.kind === 'histogram' && before.boundsMs,
    );
  });

  it('are there of the past', async () => {
    const to = Instant(Date.now());
    const past = await providerAt(server.url).history(
      question(latency({ histogram: 'native_seconds' })),
      { from: Instant(to - 60_000), to, stepMs: 500 },
      signal,
    );
    if (!past.ok) throw new Error(past.error);
    expect(past.value[0]).toMatchObject({ kind: 'no_data' });
    expect(filledIn(past.value.at(-1) ?? { kind: 'no_data', at: to, detail: 'none' }, 'canary')).toContainEqual([500, 5]);
  });

  it('do not go with the classic ones of the other version', async () => {
    expect(await ask('both_seconds')).toMatchObject({ kind: 'failed', detail: expect.stringContaining('have other buckets') });
  });
});
