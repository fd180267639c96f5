/**
 * How often a good canary is taken back in half an hour of looking every ten seconds, by seeded simulation. The promise is
 * 1 % at the most; a test of so many runs can refute it when it is broken by much, and that it is broken by much is what
 * a guard that is missing looks like (bursts that are taken for independent requests: nearly always).
 */
import { expect, it } from 'vitest';
import { ENOUGH, failsAfter, SCHEDULE } from './evidence.fixtures.ts';
import { HALF_HOUR, NULLS } from './nulls.fixtures.ts';
import type { World } from './nulls.fixtures.ts';

const RUNS = 200;
/** One in a hundred, and three standard errors. */
const MOST = Math.floor(RUNS * (0.01 + 3 * Math.sqrt((0.01 * 0.99) / RUNS)));

const alarms = ({ spec, ticks, start }: World, runs = RUNS): number =>
  Array.from({ length: runs }, (_, index) =>
    failsAfter(spec, ticks(index + 1), { ticks: HALF_HOUR, ...(start && { start: start(index + 1) }) }),
  ).filter((found) => found !== null).length;

for (const [name, world] of Object.entries(NULLS)) {
  const runs = world.spec.kind === 'tails' ? RUNS / 4 : RUNS;
  it(`takes back no more good canaries than promised: ${name}`, () => {
    expect(alarms(world, runs)).toBeLessThanOrEqual(MOST);
  });
}

/** The same good canaries, judged without one of the guards. */
function unguarded(name: string, change: (world: World) => World): number {
  const world = NULLS[name];
  if (world === undefined) throw new Error(`no world is called ${name}`);
  return alarms(change(world), 50) / 50;
}

const without =
  (what: object) =>
  ({ spec, ticks }: World): World => ({
    spec,
    ticks: (seed) => {
      const tick = ticks(seed);
      return (k) => ({ ...tick(k), ...what });
    },
  });

it('would take back many times as many without its guards, which is what they are for', () => {
  const uncapped = unguarded('an incident of both, seen by the canary an interval earlier', (world) => {
    const { spec, ticks } = without({ instances: [] })(world);
    const schedule = { ...SCHEDULE, cap: 10 * ENOUGH };
    return { ticks, spec: spec.kind === 'counts' ? { ...spec, schedule } : spec };
  });
  const unscattered = unguarded('errors in bursts of three, and a history of stable', without({ instances: [] }));
  const pooled = unguarded('routes that are mixed otherwise on the canary', without({ parts: {} }));
  for (const share of [uncapped, unscattered, pooled]) expect(share).toBeGreaterThan(0.1);
});
