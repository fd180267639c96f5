/** What is measured of stable before a release, and what the evidence then knows from its first interval on. */
import { describe, expect, it } from 'vitest';
import { prng } from '../../lib/prng.ts';
import { calibration } from './calibration.ts';
import { assess, specOf } from './evidence/engine.ts';
import type { EvidenceState } from './evidence/engine.ts';
import {
  at,
  contextAt,
  counters,
  gaugeCheck,
  gauges,
  histogram,
  judgeAll,
  latencyCheck,
  ratioCheck,
  series,
  steady,
} from './judge.fixtures.ts';
import { calibrate, wantsHistory } from './judge.ts';
import type { Measurement } from './measurement.ts';

const RULES = { alpha: 0.01, tickMs: 10_000, horizonMs: 3_600_000 };
const known = (check: Parameters<typeof calibration>[0], history: readonly Measurement[]): EvidenceState | null =>
  calibration(check, history, specOf(check, RULES));

/** Counters of six instances of stable in the hour before, `bad` of a hundred in each interval. */
const hourOf = (bad: (k: number, instance: number) => number): Measurement[] => {
  const totals = Array.from({ length: 6 }, () => 0);
  return Array.from({ length: 120 }, (_, k) => ({
    kind: 'counters' as const,
    at: at(-1200 + 10 * k),
    series: totals.map((total, instance) => {
      totals[instance] = total + bad(k, instance);
      return series('stable', [100 * (k + 1), totals[instance] ?? 0], { key: `s${instance}` });
    }),
  }));
};

describe('counts', () => {
  it('tell what share of stable was bad before, and that its instances were told apart', () => {
    const state = known(
      ratioCheck(),
      hourOf((k, instance) => (k % 3 === instance % 3 ? 6 : 0)),
    );
    if (state?.kind !== 'counts') throw new Error('a ratio is judged by counts');
    const { n = 1, bad = 0 } = state.past['other'] ?? {};
    expect(bad / n).toBeCloseTo(0.02, 3);
    expect(n).toBeGreaterThan(70_000);
    expect(state.dispersion.byInstance).toBe(true);
    expect(Math.abs(assess(specOf(ratioCheck(), RULES), state).logE)).toBeLessThan(1e-6);
  });

  it('tell how much they scatter', () => {
    const random = prng(5);
    const calm = known(
      ratioCheck(),
      hourOf(() => (random() < 0.5 ? 1 : 0)),
    );
    const wild = known(
      ratioCheck(),
      hourOf(() => (random() < 0.05 ? 20 : 0)),
    );
    const factor = (state: EvidenceState | null) => state && assess(specOf(ratioCheck(), RULES), state).dispersion?.factor;
    expect(factor(calm)).toBe(1);
    expect(factor(wild)).toBeGreaterThan(10);
  });

  it('do not count more than so much, for stable may have changed since', () => {
    const much = [0, 1, 2].map((k) => ({ ...counters(10 * k, [0, 0], [1e6 * k, 1e4 * k]), at: at(10 * k - 100) }));
    const state = known(ratioCheck(), much);
    expect(state?.kind === 'counts' && state.past['other']).toEqual({ n: 1e5, bad: 1e3 });
  });

  it('look at stable alone, whatever is said of a canary', () => {
    const stable = hourOf(() => 1);
    const both = stable.map((one) =>
      one.kind === 'counters' ? { ...one, series: [...one.series, series('canary', [9e6, 9e6])] } : one,
    );
    expect(known(ratioCheck(), both)).toEqual(known(ratioCheck(), stable));
  });

  it('go on over a gap and a restart', () => {
    const some = hourOf(() => 1);
    const broken = some.map((one, k): Measurement =>
      k === 40
        ? { kind: 'failed', at: one.at, detail: 'nobody is there' }
        : k === 41
          ? { kind: 'no_data', at: one.at, detail: 'nothing' }
          : one,
    );
    expect(known(ratioCheck(), broken)).not.toBeNull();
    const state = known(ratioCheck(), broken);
    const { n = 1, bad = 0 } = (state?.kind === 'counts' && state.past['other']) || {};
    expect(bad / n).toBeCloseTo(0.01, 3);
  });
});

describe('histograms', () => {
  it('choose the bounds before the first interval', () => {
    const history = Array.from({ length: 30 }, (_, k) => ({
      ...histogram(
        0,
        [0, 0, 0, 0, 0],
        [800, 180, 18, 2, 0].map((n) => n * (k + 1)),
      ),
      at: at(-300 + 10 * k),
    }));
    const state = known(latencyCheck(), history);
    expect(state?.kind === 'tails' && state.bounds?.map(({ stableMs }) => stableMs)).toEqual([100, 250, 500]);
  });
});

describe('levels', () => {
  const random = prng(8);
  const history = Array.from({ length: 240 }, (_, k) => ({
    ...gauges(0, [99], [1 + 0.1 * random(), 1 + 0.1 * random(), 1 + 0.1 * random()]),
    at: at(-3600 + 15 * k),
  }));

  it('tell how far stable’s instances are apart, by the time between them', () => {
    const state = known(gaugeCheck(), history);
    expect(state?.kind === 'gauges' && state.scatter?.longRun).toBeGreaterThan(0);
  });

  it('tell nothing of one moment', () => {
    expect(known(gaugeCheck(), history.slice(0, 1))).toBeNull();
    expect(known(gaugeCheck(), [])).toBeNull();
    const short = known(gaugeCheck(), history.slice(0, 10));
    expect(short?.kind === 'gauges' && short.scatter).toBeNull();
  });
});

it('knows buckets from the time since they are what they are', () => {
  const grown = (boundsMs: readonly number[], from: number): Measurement[] =>
    Array.from({ length: 10 }, (_, k) => ({
      kind: 'histogram',
      at: at(from + 10 * k),
      boundsMs,
      series: [
        { key: 's', role: 'stable', startedAt: null, counts: boundsMs.map((_bound, index) => 90 * k + index).concat(9 * k) },
      ],
    }));
  const newer = grown([50, 100, 200], -100);
  expect(known(latencyCheck(), [...grown([10, 20, 30, 40, 50], -300), ...newer])).toEqual(known(latencyCheck(), newer));
});

it('tells nothing when there was nothing of the kind', () => {
  expect(known(ratioCheck(), [])).toBeNull();
  expect(known(ratioCheck(), hourOf(() => 1).slice(0, 1))).toBeNull();
  expect(known(ratioCheck(), [gauges(0, [1], [1]), gauges(10, [1], [1])])).toBeNull();
  expect(
    known(
      latencyCheck(),
      hourOf(() => 1),
    ),
  ).not.toEqual(expect.objectContaining({ kind: 'counts' }));
});

describe('a judge', () => {
  it('wants it once, when the evidence begins', () => {
    expect(wantsHistory(ratioCheck(), null, at(0))).toBe(true);
    const { state } = judgeAll(ratioCheck(), steady([100, 1], [900, 9], 2));
    expect(wantsHistory(ratioCheck(), state, at(0))).toBe(false);
    expect(wantsHistory(ratioCheck(), state, at(15))).toBe(true);
  });

  it('is slower to condemn where stable is known to scatter, and forgets it with the evidence', () => {
    const random = prng(6);
    const history = hourOf(() => (random() < 0.05 ? 20 : 0));
    const start = calibrate(ratioCheck(), null, { ...contextAt(0), history });
    const polls = steady([500, 26], [4500, 18], 4);
    expect(judgeAll(ratioCheck(), polls).verdict.verdict).toBe('fail');
    expect(judgeAll(ratioCheck(), polls, start).verdict.verdict).not.toBe('fail');
    const later = polls.map((poll) => ({ ...poll, context: { evidenceFrom: at(0), since: at(0) } }));
    expect(judgeAll(ratioCheck(), later, start).verdict.evidence.weighed?.dispersion?.factor).toBeGreaterThan(10);
    const anew = polls.map((poll) => ({ ...poll, context: { evidenceFrom: at(5), since: at(5) } }));
    expect(judgeAll(ratioCheck(), anew, start).verdict.evidence.weighed?.dispersion?.factor).toBe(1);
  });

  it('is told nothing new by no history', () => {
    expect(calibrate(ratioCheck(), null, { ...contextAt(0), history: [] })).toBeNull();
  });
});
