/** One look at a release: what begins anew, what does not, and what checks of other steps add. */
import { describe, expect, it } from 'vitest';
import { aPlan, story } from '../../../test/story.ts';
import type { Release } from '../release.ts';
import { evidenceElsewhere, judgeRelease } from './judge-release.ts';
import type { JudgeState } from './judge.ts';
import { judge } from './judge.ts';
import { at, contextAt, ratioCheck, series } from './judge.fixtures.ts';
import type { Measurement } from './measurement.ts';

const check = ratioCheck({ minRequests: 1 });
const release: Release = {
  ...story({ plan: aPlan({ checks: { errors: check } }) }).release,
  evidenceSince: at(0),
  evidenceFrom: at(0),
};

/** Counters after so many intervals of ten seconds; stable's process began anew at the last one when it is said so. */
const counted = (interval: number, bad: number, isNewStable = false): Measurement => ({
  kind: 'counters',
  at: at(10 * interval),
  series: [
    series('canary', [100 * interval, bad * interval], { startedAt: at(-100) }),
    series('stable', isNewStable ? [50, 0] : [900 * interval, 9 * interval], {
      startedAt: isNewStable ? at(10 * interval - 5) : at(-100),
    }),
  ],
});

function lookAfter(intervals: number, bad: number) {
  let state: JudgeState | null = null;
  for (let interval = 0; interval < intervals; interval++)
    ({ state } = judge(check, state, counted(interval, bad), contextAt(10 * interval)));
  const measurement = counted(intervals, bad, true);
  return judgeRelease(release, [{ check, measurement, state }], { now: at(10 * intervals), elsewhere: {} });
}

it('begins all evidence anew when stable is another one than before', () => {
  expect(lookAfter(5, 1).restart).toBe('stable restarted, as errors shows');
});

it('keeps a suspicion against the canary when stable restarts', () => {
  const look = lookAfter(2, 20);
  expect(look.judged[0]?.verdict.doubt).toBe('suspicious');
  expect(look.restart).toBeNull();
});

it('counts the evidence of checks that this step does not measure, unless it is of another beginning', () => {
  const { verdict, state } = judge(check, null, counted(1, 1), contextAt(10));
  const weighed = { ...verdict.evidence.weighed!, logE: 3 };
  const known = { check: 'errors', state, verdict: { ...verdict, evidence: { ...verdict.evidence, weighed } } };
  expect(evidenceElsewhere(release, [known])).toEqual({ errors: 3 });
  expect(evidenceElsewhere({ ...release, evidenceFrom: at(7) }, [known])).toEqual({});
});

describe('a canary that turns bad after a long good time', () => {
  const GOOD = 200;
  /** So many good intervals, and then so many in which half of the canary's requests fail. */
  const turned = (bad: number): Measurement => ({
    kind: 'counters',
    at: at(10 * (GOOD + bad)),
    series: [
      series('canary', [100 * (GOOD + bad), GOOD + 50 * bad], { startedAt: at(-100) }),
      series('stable', [900 * (GOOD + bad), 9 * (GOOD + bad)], { startedAt: at(-100) }),
    ],
  });
  const verdictsAt = (weightSince: number): readonly string[] => {
    const now = { ...release, plan: { ...release.plan, minMeasurements: 1 } };
    let state: JudgeState | null = null;
    for (let interval = 0; interval <= GOOD; interval++)
      ({ state } = judge(check, state, counted(interval, 1), contextAt(10 * interval)));
    return Array.from({ length: 20 }, (_, index) => index + 1).map((bad) => {
      const seen = { ...now, evidenceSince: at(weightSince) };
      const look = judgeRelease(seen, [{ check, measurement: turned(bad), state }], {
        now: at(10 * (GOOD + bad)),
        elsewhere: {},
      });
      state = look.judged[0]?.state ?? null;
      const verdict = look.verdicts['errors'];
      return verdict?.doubt ?? verdict?.verdict ?? 'none';
    });
  };

  it('does not pass at a new weight from its first interval on, until it is taken back', () => {
    const seen = verdictsAt(10 * GOOD);
    expect(seen[0]).toBe('suspicious');
    expect(seen).not.toContain('pass');
    expect(seen.at(-1)).toBe('fail');
  });

  it('does not pass at the same weight from its second interval on', () => {
    const seen = verdictsAt(0);
    expect(seen.slice(1)).not.toContain('pass');
    expect(seen.at(-1)).toBe('fail');
  });
});

it('begins anew with a state that was damaged, and does not stumble over it', () => {
  const { state } = judge(check, null, counted(0, 1), contextAt(0));
  for (const evidence of [{ kind: 'counts' }, { kind: 'tails', bounds: [{}] }, 7, { kind: 'gauges', pairs: 1 }]) {
    const judged = judge(check, { ...state, evidence }, counted(1, 1), contextAt(10));
    expect(judged.verdict.evidence.measurements).toBe(0);
  }
});
