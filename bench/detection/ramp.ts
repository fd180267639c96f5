/**
 * Whole rollouts: 5 % more each minute up to half and then everything, unless the judge holds, promotes early or rolls
 * back; failed requests are counted for half an hour, also those after a promotion that should not have been.
 */
import { hash32 } from '../../src/lib/prng.ts';
import type { Judge, Setting } from './judge.ts';
import { TICK_S } from './tick.ts';
import { openRun } from './traffic.ts';
import type { CountWorld, Run } from './traffic.ts';

const STEP = 0.05;
const TOP = 0.5;
const HORIZON_S = 1800;
const RPS = 100;

type Release = { readonly name: string; readonly right: number; readonly wrong: number; readonly onsetS?: number };

const RELEASES: readonly Release[] = [
  { name: 'good 0.1%', right: 0.001, wrong: 0.001 },
  { name: 'good 0.5%', right: 0.005, wrong: 0.005 },
  { name: 'good 1%', right: 0.01, wrong: 0.01 },
  { name: '0.1->0.5%', right: 0.001, wrong: 0.005 },
  { name: '0.1->1%', right: 0.001, wrong: 0.01 },
  { name: '1->2%', right: 0.01, wrong: 0.02 },
  { name: '0.1->5%', right: 0.001, wrong: 0.05 },
  { name: '0.1->50%', right: 0.001, wrong: 0.5 },
  { name: '0.1->2% at 5 min', right: 0.001, wrong: 0.02, onsetS: 300 },
];

type End = { readonly rolledBackS: number | null; readonly promotedS: number | null; readonly failed: number };

export function rampReport(judges: readonly Judge[], { runs, seed }: { readonly runs: number; readonly seed: number }): string {
  const able = judges.filter(({ kinds }) => kinds.includes('counts'));
  const columns = able.map((judge) => RELEASES.map((release) => cell(judge, release, runs, seed)));
  const rows = RELEASES.map(({ name }, row) => `| ${[name, ...columns.map((column) => column[row] ?? '')].join(' | ')} |`);
  const heads = ['release', ...able.map(({ name }) => name)];
  return [
    `# Whole rollouts: ${runs} runs each, seed ${seed}`,
    'Share rolled back, and when; share promoted, and when (medians); failed canary requests in half an hour (mean).',
    [`| ${heads.join(' | ')} |`, `|${heads.map(() => '---|').join('')}`, ...rows].join('\n'),
    '',
  ].join('\n\n');
}

function cell(judge: Judge, release: Release, runs: number, seed: number): string {
  const ends = Array.from({ length: runs }, (_, run) => rollOut(judge, release, hash32(`${seed}/ramp/${release.name}/${run}`)));
  if (ends.some((end) => end === null)) return '';
  const known = ends.filter((end) => end !== null);
  const share = (times: readonly number[]): string =>
    times.length === 0
      ? '0'
      : `${((100 * times.length) / runs).toFixed(1)} % at ${times.toSorted((a, b) => a - b)[times.length >> 1]} s`;
  const rolledBack = share(known.flatMap(({ rolledBackS }) => rolledBackS ?? []));
  const promoted = share(known.flatMap(({ promotedS }) => promotedS ?? []));
  const failed = known.reduce((sum, end) => sum + end.failed, 0) / runs;
  return `back ${rolledBack}; promoted ${promoted}; ${failed.toFixed(0)} failed`;
}

function rollOut(judge: Judge, release: Release, seed: number): End | null {
  const { right, wrong } = release;
  const run = openRun(worldOf(release), seed);
  const known = right === wrong ? null : { right, wrong };
  const setting: Setting = {
    scenario: { kind: 'counts', group: known ? 'bad' : 'good', known, minutes: HORIZON_S / 60 },
    history: run.history,
  };
  const trial = judge.start(setting);
  return trial && play(run, trial);
}

function play({ next }: Run, trial: NonNullable<ReturnType<Judge['start']>>): End {
  let failed = 0;
  let steps = 1;
  let holds = false;
  for (let atS = TICK_S; atS <= HORIZON_S; atS += TICK_S) {
    const tick = next(atS, steps * STEP);
    if (tick.kind === 'counts') failed += tick.canary.bad;
    const decision = trial(tick);
    if (decision === 'rollback') return { rolledBackS: atS, promotedS: null, failed };
    holds ||= decision === 'hold';
    const closesStep = atS % 60 === 0;
    if (decision === 'promote' || (closesStep && !holds && TOP <= steps * STEP + 1e-9)) {
      return { rolledBackS: null, promotedS: atS, failed: failed + failedWithoutJudge(next, atS) };
    }
    if (closesStep && !holds) steps++;
    if (closesStep) holds = false;
  }
  return { rolledBackS: null, promotedS: null, failed };
}

/** Everybody is served by the new version now, and nobody compares any more. */
function failedWithoutJudge(next: Run['next'], fromS: number): number {
  let failed = 0;
  for (let atS = fromS + TICK_S; atS <= HORIZON_S; atS += TICK_S) {
    const tick = next(atS, 1);
    if (tick.kind === 'counts') failed += tick.canary.bad;
  }
  return failed;
}

function worldOf({ right, wrong, onsetS = 0 }: Release): CountWorld {
  const canary = (atS: number): number => (onsetS < atS ? wrong : right);
  return { kind: 'counts', rps: RPS, cluster: 1, routes: [{ part: 1, lean: 1, stable: () => right, canary }] };
}
