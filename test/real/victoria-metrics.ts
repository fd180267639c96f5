/** A real VictoriaMetrics that scrapes by the configuration of `docs/metrics/prometheus.md`, as Debian packages it. */
import { join } from 'node:path';
import { freePort, scratch, start, until } from './programs.ts';
import type { Program } from './programs.ts';
import { writeScrapes } from './prometheus.ts';
import type { RealPrometheus } from './prometheus.ts';

export async function realVictoriaMetrics(targets: readonly string[]): Promise<RealPrometheus> {
  const { dir, remove } = scratch('victoria-metrics');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const configuration = writeScrapes(dir, targets, '1s');
  let program: Program;
  const startAgain = async (): Promise<void> => {
    program = start('victoria-metrics', [
      `-promscrape.config=${configuration}`,
      `-storageDataPath=${join(dir, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-loggerLevel=ERROR',
      // The newest half minute of a range would repeat what was before it.
      '-search.maxStepForPointsAdjustment=1ms',
    ]);
    await until('VictoriaMetrics', async () => {
      if (program.child.exitCode !== null) throw new Error(`victoria-metrics ended: ${program.said()}`);
      return (await fetch(`${url}/health`).catch(() => null))?.ok ?? false;
    });
  };
  await startAgain();
  return {
    url,
    ca: '',
    program: () => program,
    startAgain,
    async close() {
      await program.kill();
      remove();
    },
  };
}
