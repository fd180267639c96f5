/**
 * Spreads the runs over the cores: each worker process takes the next piece, and the pieces are put together in the order of
 * their runs, so the number of workers changes nothing but the time.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { JUDGES } from './judges/all.ts';
import { runScenario } from './run.ts';
import type { Outcome, Span } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export type Order = {
  readonly scenarios: readonly string[];
  readonly judges: readonly string[];
  readonly seed: number;
  readonly runs: number;
};

type Piece = Span & { readonly scenario: string; readonly judges: readonly string[] };

const PIECE_RUNS = 100;

/** Outcomes by scenario, then judge. */
export async function runAll(order: Order, progress: (done: number, of: number) => void): Promise<Map<string, Outcome[][]>> {
  const pieces = order.scenarios.flatMap((scenario) => piecesOf(scenario, order));
  const results: Outcome[][][] = [];
  let [taken, done] = [0, 0];
  const workers = Math.min(availableParallelism(), pieces.length);
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = fork(fileURLToPath(import.meta.url));
      for (let index = taken++; index < pieces.length; index = taken++) {
        results[index] = await ask(worker, pieces[index]!);
        progress(++done, pieces.length);
      }
      worker.disconnect();
    }),
  );
  const all = new Map<string, Outcome[][]>();
  for (const [index, { scenario }] of pieces.entries()) {
    const sofar = all.get(scenario) ?? order.judges.map(() => []);
    results[index]?.forEach((outcomes, judge) => sofar[judge]?.push(...outcomes));
    all.set(scenario, sofar);
  }
  return all;
}

function piecesOf(scenario: string, { judges, seed, runs }: Order): readonly Piece[] {
  return Array.from({ length: Math.ceil(runs / PIECE_RUNS) }, (_, index) => ({
    scenario,
    judges,
    seed,
    from: index * PIECE_RUNS,
    to: Math.min(runs, (index + 1) * PIECE_RUNS),
  }));
}

function ask(worker: ChildProcess, piece: Piece): Promise<Outcome[][]> {
  return new Promise((resolve, reject) => {
    const fail = (code: number | null): void => reject(new Error(`a worker ended with ${code} in ${piece.scenario}`));
    worker.once('message', (outcomes: Outcome[][]) => {
      worker.removeListener('exit', fail);
      resolve(outcomes);
    });
    worker.once('exit', fail);
    worker.send(piece);
  });
}

const scenarioNamed = (name: string): Scenario => SCENARIOS.find((scenario) => scenario.name === name)!;

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', ({ scenario, judges, ...span }: Piece) => {
    const chosen = judges.map((name) => JUDGES.find((judge) => judge.name === name)!);
    process.send?.(runScenario(scenarioNamed(scenario), chosen, span));
  });
}
