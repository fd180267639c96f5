/**
 * The world that a run takes place in, tick by tick: Poisson arrivals split between canary and stable, failures drawn per
 * instance and route, latencies and gauges per instance. One seed, one world; every judge of the run sees the same one.
 */
import { prng } from '../../src/lib/prng.ts';
import { binomial, normals, poisson } from '../../src/lib/draws.ts';
import type { Uniform } from '../../src/lib/draws.ts';
import { clustered } from './clusters.ts';
import { bucketOf, noBuckets, STABLE_INSTANCES, TICK_S, TICKS_PER_MINUTE } from './tick.ts';
import type { Arm, Arms, Buckets, CountTick, GaugeTick, LatencyTick, Tick } from './tick.ts';

/** A quantity that may change with the time of the run, in seconds. */
export type Course = (atS: number) => number;

export type Route = {
  /** Part of all requests. */
  readonly part: number;
  /** The canary's weight on this route over its weight overall. */
  readonly lean: number;
  readonly stable: Course;
  readonly canary: Course;
};

export type CountWorld = {
  readonly kind: 'counts';
  readonly rps: number;
  readonly routes: readonly Route[];
  /** Mean size of a cluster of failures; 1 is none. */
  readonly cluster: number;
};

export type LatencyWorld = {
  readonly kind: 'latency';
  readonly rps: number;
  /** Times the usual median of 100 ms. */
  readonly stable: Course;
  readonly canary: Course;
  /** Part of the canary's requests that takes a second longer. */
  readonly stalled: number;
};

export type GaugeWorld = {
  readonly kind: 'gauge';
  /** Times the level of stable. */
  readonly canary: Course;
  /** Spread between instances that lasts. */
  readonly betweenInstances: number;
};

export type World = CountWorld | LatencyWorld | GaugeWorld;

/** The interval that ends at `atS`, with this weight. */
export type NextTick = (atS: number, weight: number) => Tick;

/** Both parts of a run draw from chance of their own, so asking for the history changes nothing in the run. */
export type Run = { readonly next: NextTick; readonly history: () => readonly Tick[] };

/** How long stable was watched before the canary came. */
const HISTORY_S = 3600;

export function openRun(world: World, seed: number): Run {
  const levels = normals(prng(seed ^ 0x5bd1e995));
  const offsets = Array.from({ length: STABLE_INSTANCES + 1 }, () => levels());
  const open = (random: Uniform): NextTick => {
    switch (world.kind) {
      case 'counts':
        return countTicks(world, random);
      case 'latency':
        return latencyTicks(world, random);
      case 'gauge':
        return gaugeTicks(world, offsets, random);
    }
  };
  let past: readonly Tick[] | null = null;
  return {
    next: open(prng(seed)),
    history: () => (past ??= historyOf(open(prng(seed ^ 0x2545f491)))),
  };
}

const historyOf = (next: NextTick): readonly Tick[] =>
  Array.from({ length: HISTORY_S / TICK_S }, (_, index) => next((index + 1) * TICK_S - HISTORY_S, 0));

/** Every sixth tick closes a minute; what has been added up since the last one is handed out. */
const closesMinute = (atS: number): boolean => atS % (TICK_S * TICKS_PER_MINUTE) === 0;

function countTicks(world: CountWorld, random: Uniform): NextTick {
  const draw = (mean: number, share: number): Arm => {
    const n = poisson(random, mean);
    return { n, bad: world.cluster > 1 ? clustered(random, n, share, world.cluster) : binomial(random, n, share) };
  };
  let minute = { canary: NONE, stable: NONE, baseline: NONE };
  return (atS, weight): CountTick => {
    const instances: Arm[] = Array.from({ length: STABLE_INSTANCES }, () => NONE);
    const routes = world.routes.map((route): Arms => {
      const requests = world.rps * TICK_S * route.part;
      const own = Math.min(1, weight * route.lean);
      const stable = instances.map((instance, index) => {
        const arm = draw((requests * (1 - own)) / STABLE_INSTANCES, route.stable(atS));
        instances[index] = plus(instance, arm);
        return arm;
      });
      return { canary: draw(requests * own, route.canary(atS)), stable: stable.reduce(plus) };
    });
    const canary = routes.map((route) => route.canary).reduce(plus);
    const stable = routes.map((route) => route.stable).reduce(plus);
    minute = {
      canary: plus(minute.canary, canary),
      stable: plus(minute.stable, stable),
      baseline: plus(minute.baseline, instances[0] ?? NONE),
    };
    const closed = closesMinute(atS) ? minute : null;
    if (closed) minute = { canary: NONE, stable: NONE, baseline: NONE };
    const strata = world.routes.length > 1 ? Object.fromEntries(routes.map((arms, index) => [`route-${index}`, arms])) : null;
    const truth = truthOf(world, atS, weight);
    return { kind: 'counts', atS, weight, canary, stable, instances, strata, truth, minute: closed };
  };
}

const NONE: Arm = { n: 0, bad: 0 };
const plus = (some: Arm, more: Arm): Arm => ({ n: some.n + more.n, bad: some.bad + more.bad });

function truthOf({ routes }: CountWorld, atS: number, weight: number): { canary: number; stable: number } {
  const [only] = routes;
  if (only && routes.length === 1) return { canary: only.canary(atS), stable: only.stable(atS) };
  const mean = (part: (route: Route) => number, share: (route: Route) => Course): number =>
    routes.reduce((sum, route) => sum + part(route) * share(route)(atS), 0) /
    Math.max(
      Number.MIN_VALUE,
      routes.reduce((sum, route) => sum + part(route), 0),
    );
  return {
    canary: mean(
      ({ part, lean }) => part * lean * weight,
      ({ canary }) => canary,
    ),
    stable: mean(
      ({ part, lean }) => part * (1 - lean * weight),
      ({ stable }) => stable,
    ),
  };
}

/** Log-normal around 100 ms with a 99th percentile of 404 ms. */
const MEDIAN_LOG2 = Math.log2(100);
const SPREAD_LOG2 = 0.6 / Math.LN2;

function latencyTicks(world: LatencyWorld, random: Uniform): NextTick {
  const normal = normals(random);
  const draw = (mean: number, factor: number, stalled: number): Buckets => {
    const buckets = noBuckets();
    const middle = MEDIAN_LOG2 + Math.log2(factor);
    for (let left = poisson(random, mean); left > 0; left--) {
      const log2Ms = middle + SPREAD_LOG2 * normal();
      const late = stalled > 0 && random() < stalled;
      buckets[bucketOf(late ? Math.log2(2 ** log2Ms + 1000) : log2Ms)]! += 1;
    }
    return buckets;
  };
  let minute = { canary: noBuckets(), stable: noBuckets(), baseline: noBuckets() };
  return (atS, weight): LatencyTick => {
    const requests = world.rps * TICK_S;
    const canary = draw(requests * weight, world.canary(atS), world.stalled);
    const perInstance = (requests * (1 - weight)) / STABLE_INSTANCES;
    const instances = Array.from({ length: STABLE_INSTANCES }, () => draw(perInstance, world.stable(atS), 0));
    const stable = noBuckets();
    for (const instance of instances) addTo(stable, instance);
    addTo(minute.canary, canary);
    addTo(minute.stable, stable);
    addTo(minute.baseline, instances[0] ?? noBuckets());
    const closed = closesMinute(atS) ? minute : null;
    if (closed) minute = { canary: noBuckets(), stable: noBuckets(), baseline: noBuckets() };
    return { kind: 'latency', atS, weight, canary, stable, instances, minute: closed };
  };
}

function addTo(sums: Buckets, more: Buckets): void {
  for (let index = 0; index < sums.length; index++) sums[index]! += more[index]!;
}

/** An instance's own noise: 5 %, and what it was 15 seconds ago is still half there. */
const NOISE = 0.05;
const MEMORY = 0.5 ** (TICK_S / 15);

/** Levels are multiplied: 1 is what stable usually uses. */
function gaugeTicks(world: GaugeWorld, offsets: readonly number[], random: Uniform): NextTick {
  const normal = normals(random);
  const noise = offsets.map(() => normal());
  const shaken = (): number[] =>
    offsets.map((offset, index) => {
      noise[index] = MEMORY * noise[index]! + Math.sqrt(1 - MEMORY ** 2) * normal();
      return Math.exp(world.betweenInstances * offset + NOISE * noise[index]);
    });
  let sums = { canary: 0, stable: 0, baseline: 0, ticks: 0 };
  return (atS, weight): GaugeTick => {
    const [first = 1, ...stable] = shaken();
    const canary = [first * world.canary(atS)];
    sums = {
      canary: sums.canary + canary[0]!,
      stable: sums.stable + stable.reduce((sum, value) => sum + value, 0) / stable.length,
      baseline: sums.baseline + stable[0]!,
      ticks: sums.ticks + 1,
    };
    const { ticks } = sums;
    const closed = closesMinute(atS)
      ? { canary: sums.canary / ticks, stable: sums.stable / ticks, baseline: sums.baseline / ticks }
      : null;
    if (closed) sums = { canary: 0, stable: 0, baseline: 0, ticks: 0 };
    return { kind: 'gauge', atS, weight, canary: weight === 0 ? [] : canary, stable, minute: closed };
  };
}
