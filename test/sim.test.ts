/**
 * The simulator in the suite: a few hundred worlds of fixed seeds, some of them on SQLite, and the bugs that it has to
 * find. More worlds: `npm run sim -- --seeds 20000`.
 */
import { describe, expect, it } from 'vitest';
import { hunt } from './sim/hunt.ts';
import { mutants } from './sim/mutants.ts';
import { openers } from './sim/run.ts';
import type { OpenStore } from './sim/run.ts';
import { runWorld } from './sim/world.ts';

const BATCH = 25;
const batches = (from: number, worlds: number): number[] =>
  Array.from({ length: worlds / BATCH }, (_, index) => from + index * BATCH);

async function broken(
  from: number,
  count: number,
  options: { openStore: OpenStore; mostMs?: number },
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const { violation } = await runWorld({ seed, ...options });
    if (violation) found.push(`SEED=${seed} npm run sim: ${violation.invariant} ${violation.detail}`);
  }
  return found;
}

describe('every invariant holds, whatever goes wrong', () => {
  it.each(batches(1, 200))('in the worlds from %i on, on the memory store', async (from) => {
    expect(await broken(from, BATCH, { openStore: openers.memory })).toEqual([]);
  });

  it('in short worlds on SQLite', async () => {
    expect(await broken(9_001, 8, { openStore: openers.sqlite, mostMs: 4 * 60_000 })).toEqual([]);
  });
});

it('tells the same story twice for one seed, and another for another', async () => {
  const first = await runWorld({ seed: 7, openStore: openers.memory });
  const again = await runWorld({ seed: 7, openStore: openers.memory });
  const other = await runWorld({ seed: 8, openStore: openers.memory });
  expect(again).toEqual(first);
  expect(other.traceHash).not.toBe(first.traceHash);
});

it('tells the same story on both stores', async () => {
  const memory = await runWorld({ seed: 11, openStore: openers.memory, mostMs: 5 * 60_000 });
  const sqlite = await runWorld({ seed: 11, openStore: openers.sqlite, mostMs: 5 * 60_000 });
  expect(sqlite.traceHash).toBe(memory.traceHash);
});

/** Quick to catch; the slow ones are hunted by `npm run sim -- --mutants`. */
const QUICK_WITHIN = 20;

describe('the simulator finds it when', () => {
  it.concurrent.each(mutants.filter(({ within }) => within <= QUICK_WITHIN))('$name', async (mutant) => {
    expect(await hunt(mutant)).toMatchObject({ caughtBy: expect.stringMatching(/^I\d+$/) });
  });
});
