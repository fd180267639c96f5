/**
 * The judge on real traffic: services side by side on a real HAProxy and a real Prometheus, a hundred requests a second each
 * and a tenth of it on the canary. Bad releases must be taken back soon, good ones never, and an incident that both versions
 * share is nobody's fault.
 *
 * `npm run bench:live -- [--only gross|slight|good] [--services 20] [--minutes 10]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { line } from '../../test/chaos/statistics.ts';
import { fleet } from './fleet.ts';
import type { ShopWish } from './shops.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    services: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '10' },
  },
});
const count = Number(values.services);
const minutes = Number(values.minutes);
const PER_SECOND = 100;
const plan = `interval: 10s
deadline: { after: ${minutes + 15}m }
hold: ${minutes}m
steps: [10%]
checks: [errors]
`;

type Ended = { readonly name: string; readonly phase: string; readonly seconds: number; readonly sentence: string };

/** Runs one release of every shop to its end; `during` is called every second with the seconds since the start. */
async function course(shops: readonly ShopWish[], during?: (fleetOf: Awaited<ReturnType<typeof fleet>>, second: number) => void) {
  const world = await fleet({ shops, perSecond: PER_SECOND, plan, seed: 7 });
  const ended = new Map<string, Ended>();
  try {
    const startedMs = performance.now();
    const ids = await world.release();
    while (ended.size < shops.length && performance.now() - startedMs < (minutes + 6) * 60_000) {
      const seconds = (performance.now() - startedMs) / 1000;
      during?.(world, seconds);
      for (const [index, { name }] of shops.entries()) {
        if (ended.has(name)) continue;
        const state = await world.state(ids[index] ?? '');
        if (['promoted', 'rolledBack'].includes(state.phase?.kind) || state.rollback)
          ended.set(name, { name, phase: state.rollback ? 'rolledBack' : state.phase.kind, seconds, sentence: state.sentence });
      }
      await sleep(1000);
    }
    const counts = await world.counts();
    const all = counts.reduce((sum, one) => ({ v1: sum.v1 + one.v1, v2: sum.v2 + one.v2, lost: sum.lost + one.lost }), {
      v1: 0,
      v2: 0,
      lost: 0,
    });
    const took = (performance.now() - startedMs) / 1000;
    console.log(
      `  ${Math.round((all.v1 + all.v2) / (took + 30) / shops.length)} requests a second and service, ${all.lost} lost`,
    );
    return { ended, errors: counts.map(({ errorsOfV2 }) => errorsOfV2) };
  } finally {
    await world.close();
  }
}

const named = (prefix: string, wish: Omit<ShopWish, 'name'>, howMany: number): readonly ShopWish[] =>
  Array.from({ length: howMany }, (_, index) => ({ name: `${prefix}${index}`, ...wish }));

const failures: string[] = [];
function judgeThat(what: string, isSo: boolean): void {
  console.log(`  ${isSo ? 'ok    ' : 'BROKEN'} ${what}`);
  if (!isSo) failures.push(what);
}

const secondsOf = (ended: ReadonlyMap<string, Ended>, prefix: string): readonly number[] =>
  [...ended.values()]
    .filter(({ name, phase }) => name.startsWith(prefix) && phase === 'rolledBack')
    .map(({ seconds }) => seconds);

async function gross(): Promise<void> {
  const half = Math.ceil(count / 2);
  console.log(
    `0.1 -> 5 % errors, ${half} services; and ${half} good ones with an incident of 20 % on both versions for two minutes`,
  );
  const shops = [
    ...named('bad', { stable: 0.001, canary: 0.05 }, half),
    ...named('incident', { stable: 0.001, canary: 0.001 }, half),
  ];
  let hasIncident = false;
  const { ended, errors } = await course(shops, (world, second) => {
    const isNow = second > 0.3 * minutes * 60 && second < 0.3 * minutes * 60 + 120;
    if (isNow === hasIncident) return;
    hasIncident = isNow;
    const share = isNow ? 0.2 : 0.001;
    for (const { name } of shops.slice(half)) world.behave({ name, stable: share, canary: share });
  });
  const found = secondsOf(ended, 'bad');
  console.log(
    `  ${line(
      'from the start of the release to its rollback',
      found.map((seconds) => 1000 * seconds),
    )}`,
  );
  console.log(`  bad answers that users got: ${errors.slice(0, half).join(', ')}`);
  console.log(`  such as: ${ended.get('bad0')?.sentence}`);
  judgeThat(
    `${found.filter((seconds) => seconds <= 60).length} of ${half} taken back within a minute`,
    found.length === half && found.every((seconds) => seconds <= 60),
  );
  const innocent = [...ended.values()].filter(({ name, phase }) => name.startsWith('incident') && phase === 'promoted').length;
  judgeThat(`${innocent} of ${half} promoted through an incident that both versions had`, innocent === half);
}

async function slight(): Promise<void> {
  console.log(`1 -> 2 % errors, ${count} services`);
  const { ended, errors } = await course(named('slight', { stable: 0.01, canary: 0.02 }, count));
  const found = secondsOf(ended, 'slight');
  console.log(
    `  ${line(
      'from the start of the release to its rollback',
      found.map((seconds) => 1000 * seconds),
    )}`,
  );
  console.log(`  bad answers that users got: ${errors.join(', ')}`);
  console.log(`  such as: ${ended.get('slight0')?.sentence}`);
  const inTime = found.filter((seconds) => seconds <= 600).length;
  judgeThat(`${inTime} of ${count} taken back within ten minutes`, inTime >= 0.9 * count);
}

async function good(): Promise<void> {
  console.log(`good releases, ${count} services, 0.1 to 1 % errors on both versions`);
  const shops = Array.from({ length: count }, (_, index) => {
    const share = 0.001 * 10 ** (index / Math.max(1, count - 1));
    return { name: `good${index}`, stable: share, canary: share };
  });
  const { ended } = await course(shops);
  const promoted = [...ended.values()].filter(({ phase }) => phase === 'promoted');
  for (const { name, sentence } of [...ended.values()].filter(({ phase }) => phase !== 'promoted'))
    console.log(`  ${name}: ${sentence}`);
  judgeThat(`${promoted.length} of ${count} promoted, ${ended.size - promoted.length} taken back`, promoted.length === count);
}

for (const [name, run] of Object.entries({ gross, slight, good }))
  if (values.only === undefined || values.only === name) await run();
process.exit(failures.length === 0 ? 0 : 1);
