/**
 * What can fail, as 90 numbered lines: each names the tests that show what becomes of it, or what will bring them, or why
 * it cannot happen. A test that was renamed or removed makes this one fail. `docs/failure-modes.md` is for operators.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS, NOTICES, PROCESS, RELEASES, ROUTERS, STORAGE } from './failures/engine.ts';
import type { Line, Proof } from './failures/proof.ts';
import { LOAD, PEOPLE, REST, SECRETS, SHARED, STARTING } from './failures/surroundings.ts';
import { SOMETIMES } from './sim/coverage.ts';
import { mutants } from './sim/mutants.ts';

const LINES: readonly Line[] = [
  ...[...PROCESS, ...METRICS, ...ROUTERS, ...RELEASES, ...NOTICES, ...STORAGE],
  ...[...LOAD, ...STARTING, ...SHARED, ...SECRETS, ...PEOPLE, ...REST],
];

/** Planted bugs that are hunted in every run of the suite, as in `sim.test.ts`. */
const HUNTED_WITHIN = 20;

type Standing = 'shown' | 'later' | 'not';

function standingOf([, , ...proofs]: Line): Standing {
  if (proofs.some((proof) => 'file' in proof || 'story' in proof || 'mutant' in proof || 'fault' in proof)) return 'shown';
  return proofs.some((proof) => 'later' in proof) ? 'later' : 'not';
}

it('speaks of all 90 failures, each once and in order', () => {
  expect(LINES.map(([number]) => number)).toEqual(Array.from({ length: 90 }, (_, index) => index + 1));
});

it('shows half of them and more, and counts what is still to come', () => {
  const counts: Record<Standing, number> = { shown: 0, later: 0, not: 0 };
  for (const line of LINES) counts[standingOf(line)] += 1;
  process.stdout.write(`failures: ${counts.shown} shown, ${counts.later} later, ${counts.not} cannot happen\n`);
  expect(counts.shown + counts.later + counts.not).toBe(90);
  expect(counts.shown).toBeGreaterThanOrEqual(45);
});

describe('each failure', () => {
  it.each(LINES.map((line) => ({ name: `F${String(line[0]).padStart(2, '0')}: ${line[1]}`, line })))('$name', ({ line }) => {
    const [, , ...proofs] = line;
    expect(proofs.length).toBeGreaterThan(0);
    for (const proof of proofs) holds(proof);
    // The simulator alone says that nothing broke, not what was done about it.
    if (standingOf(line) === 'shown') expect(proofs.some((proof) => 'file' in proof || 'story' in proof)).toBe(true);
  });
});

function holds(proof: Proof): void {
  if ('file' in proof) return expect(testsIn(proof.file)).toContain(proof.test);
  if ('story' in proof) return expect(existsSync(new URL(`golden/${proof.story}.txt`, import.meta.url))).toBe(true);
  if ('fault' in proof) return expect(SOMETIMES).toContain(`fault ${proof.fault}`);
  if ('mutant' in proof)
    return expect(mutants.filter(({ within }) => within <= HUNTED_WITHIN).map(({ name }) => name)).toContain(proof.mutant);
  return expect(Object.values(proof).join('')).toMatch(/\S{3}/);
}

const read = new Map<string, readonly string[]>();

/** The names of tests, groups and rows of tables in a file, as they stand in its source. */
function testsIn(file: string): readonly string[] {
  const known = read.get(file);
  if (known) return known;
  const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  const titled = [...source.matchAll(/\b(?:it|test|describe)(?:\.concurrent)?(?:\.each\([^)]*\))?\(\s*(['"])(.*?)\1,/g)].map(
    (match) => match[2],
  );
  const rows = [...source.matchAll(/^\s*\[\s*'([^']+)',/gm), ...source.matchAll(/^\s*name: '([^']+)',/gm)].map(
    (match) => match[1],
  );
  const names = [...titled, ...rows].filter((name) => name !== undefined);
  read.set(file, names);
  return names;
}
