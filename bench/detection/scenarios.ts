/**
 * The releases that the judges are asked about. `good`: the canary is as good as stable, so every rollback is a false
 * one. `tolerated`: it is worse by exactly what a tolerance of 10 % and 0.01 percentage points lets pass. `bad`: it is
 * worse, and the sooner that is seen the better; each bad one has a good twin with the same traffic, which says how often
 * a judge would have rolled back there for nothing.
 */
import type { CountWorld, Course, Route, World } from './traffic.ts';
import type { Uniform } from '../../src/lib/draws.ts';
import type { Kind } from './tick.ts';

export type Group = 'good' | 'tolerated' | 'bad' | 'twin';

export type Scenario = {
  readonly name: string;
  readonly group: Group;
  readonly kind: Kind;
  readonly minutes: number;
  /** When it starts to be bad. */
  readonly onsetS: number;
  readonly weight: Course;
  /** The two shares of a clairvoyant operator, where there are two: what is right and what it will become. */
  readonly known: { readonly right: number; readonly wrong: number } | null;
  /** Chance here decides what differs from run to run: when an incident starts, where in its day a service is. */
  readonly world: (random: Uniform) => World;
};

const always =
  (value: number): Course =>
  () =>
    value;

/** 10 % of 100 requests a second, unless said otherwise. */
const RPS = 100;
const WEIGHT = 0.1;
const TOLERATED = (share: number): number => 1.1 * share + 0.0001;

const HOUR_S = 3600;
const route = (stable: Course, canary: Course): Route => ({ part: 1, lean: 1, stable, canary });
const counts = (routes: readonly Route[], more: Partial<CountWorld> = {}): CountWorld => ({
  kind: 'counts',
  rps: RPS,
  routes,
  cluster: 1,
  ...more,
});

/** A world without a difference yet: the canary's share is made from stable's. */
type Base = {
  readonly name: string;
  readonly weight?: Course;
  readonly world: (random: Uniform, canary: (stable: Course) => Course) => CountWorld;
};

const steady = (name: string, share: number, more: Partial<CountWorld> = {}): Base => ({
  name,
  world: (_, canary) => counts([route(always(share), canary(always(share)))], more),
});

const diurnal: Base = {
  name: 'diurnal 0.5..3%',
  world: (random, canary) => {
    const phase = 2 * Math.PI * random();
    const share: Course = (atS) => 0.0175 + 0.0125 * Math.sin((2 * Math.PI * atS) / HOUR_S + phase);
    return counts([route(share, canary(share))]);
  },
};

/** Six minutes in which a fifth of all requests fails on both sides; the canary may be scraped a tick earlier. */
const incident = (name: string, aheadS: number): Base => ({
  name,
  world: (random, canary) => {
    const startS = 600 + 10 * Math.floor(180 * random());
    const share: Course = (atS) => (startS < atS && atS <= startS + 360 ? 0.2 : 0.001);
    return counts([
      route(
        share,
        canary((atS) => share(atS + aheadS)),
      ),
    ]);
  },
});

/** 5 % more each minute up to half, while what both suffer from grows sixfold. */
const rampAndDrift: Base = {
  name: 'ramp 5..50% + drift 0.5..3%',
  weight: (atS) => Math.min(0.5, 0.05 * Math.ceil(atS / 60)),
  world: (_, canary) => {
    const share: Course = (atS) => 0.005 + 0.025 * Math.min(1, atS / 600);
    return counts([route(share, canary(share))]);
  },
};

/** The canary gets 10 % of a route that hardly fails and 30 % of one that does. */
const routeMix: Base = {
  name: 'route mix 10/30%',
  weight: always(0.2),
  world: (_, canary) =>
    counts([
      { part: 0.5, lean: 0.5, stable: always(0.001), canary: canary(always(0.001)) },
      { part: 0.5, lean: 1.5, stable: always(0.02), canary: canary(always(0.02)) },
    ]),
};

const BASES: readonly Base[] = [
  steady('0.1%', 0.001),
  steady('1%', 0.01),
  steady('5%', 0.05),
  diurnal,
  incident('incident 20%', 0),
  incident('incident 20%, skewed', 10),
  steady('1 rps, 1%', 0.01, { rps: 1 }),
  steady('bursts of 2, 1%', 0.01, { cluster: 2 }),
  steady('bursts of 3, 1%', 0.01, { cluster: 3 }),
  steady('bursts of 6, 1%', 0.01, { cluster: 6 }),
  rampAndDrift,
  routeMix,
];

const common = { minutes: 60, onsetS: 0, known: null } as const;

const good = BASES.map(({ name, weight = always(WEIGHT), world }): Scenario => ({
  ...common,
  name,
  group: 'good',
  kind: 'counts',
  weight,
  world: (random) => world(random, (stable) => stable),
}));

const tolerated = BASES.map(({ name, weight = always(WEIGHT), world }): Scenario => ({
  ...common,
  name: `${name}, at the limit`,
  group: 'tolerated',
  kind: 'counts',
  weight,
  world: (random) => world(random, (stable) => (atS) => TOLERATED(stable(atS))),
}));

type Worse = {
  readonly name: string;
  readonly right: number;
  readonly wrong: number;
  readonly rps?: number;
  readonly onsetS?: number;
  /** From right to wrong over the hour instead of at once. */
  readonly slowly?: boolean;
};

function courseOf({ right, wrong, onsetS = 0, slowly = false }: Worse): Course {
  if (slowly) return (atS) => right + ((wrong - right) * atS) / HOUR_S;
  return (atS) => (onsetS < atS ? wrong : right);
}

const WORSE: readonly Worse[] = [
  { name: '0.1->0.5%', right: 0.001, wrong: 0.005 },
  { name: '1->2%', right: 0.01, wrong: 0.02 },
  { name: '1->1.5%', right: 0.01, wrong: 0.015 },
  { name: '0.1->5%', right: 0.001, wrong: 0.05 },
  { name: '0.1->50%', right: 0.001, wrong: 0.5 },
  { name: '1000 rps, 0.1->0.2%', right: 0.001, wrong: 0.002, rps: 1000 },
  { name: '1 rps, 1->10%', right: 0.01, wrong: 0.1, rps: 1 },
  { name: '0.1->1% at 20 min', right: 0.001, wrong: 0.01, onsetS: 1200 },
  { name: 'leak 0.1->2%/h', right: 0.001, wrong: 0.02, slowly: true },
];

const bad = WORSE.map((worse): Scenario => {
  const { name, right, wrong, rps = RPS, onsetS = 0 } = worse;
  return {
    ...common,
    name,
    group: 'bad',
    kind: 'counts',
    onsetS,
    weight: always(WEIGHT),
    known: { right, wrong },
    world: () => counts([route(always(right), courseOf(worse))], { rps }),
  };
});

const ROUTES = 20;
const oneRouteOf = (broken: number): Scenario => ({
  ...common,
  name: '1 of 20 routes 0.1->10%',
  group: 'bad',
  kind: 'counts',
  weight: always(WEIGHT),
  known: { right: 0.001, wrong: 0.001 + (broken - 0.001) / ROUTES },
  world: () =>
    counts(
      Array.from({ length: ROUTES }, (_, index) => ({
        part: 1 / ROUTES,
        lean: 1,
        stable: always(0.001),
        canary: always(index === 0 ? broken : 0.001),
      })),
    ),
});

const withGoodTwin = (scenario: Scenario): readonly Scenario[] => [
  scenario,
  {
    ...scenario,
    name: twinOf(scenario.name),
    group: 'twin',
    onsetS: 0,
    world: (random) => {
      const world = scenario.world(random);
      if (world.kind !== 'counts') return world;
      return { ...world, routes: world.routes.map((each) => ({ ...each, canary: each.stable })) };
    },
  },
];

/** The good release with the traffic of a bad one. */
export const twinOf = (name: string): string => `${name}, if good`;

type LatencyCase = { readonly factor?: number; readonly stalled?: number; readonly rps?: number; readonly drifts?: boolean };

function latency(name: string, group: Group, { factor = 1, stalled = 0, rps = RPS, drifts = false }: LatencyCase): Scenario {
  return {
    ...common,
    name,
    group,
    kind: 'latency',
    minutes: 30,
    weight: always(WEIGHT),
    world: (random) => {
      const phase = 2 * Math.PI * random();
      const level: Course = drifts ? (atS) => 1 + 0.4 * Math.sin((2 * Math.PI * atS) / 1800 + phase) : always(1);
      return { kind: 'latency', rps, stable: level, canary: (atS) => factor * level(atS), stalled };
    },
  };
}

function gauge(name: string, group: Group, canary: Course, betweenInstances = 0): Scenario {
  return {
    ...common,
    name,
    group,
    kind: 'gauge',
    weight: always(WEIGHT),
    world: () => ({ kind: 'gauge', canary, betweenInstances }),
  };
}

export const SCENARIOS: readonly Scenario[] = [
  ...good,
  ...tolerated,
  ...[...bad, oneRouteOf(0.1)].flatMap(withGoodTwin),
  latency('latency', 'good', {}),
  latency('latency, drift 40%', 'good', { drifts: true }),
  latency('latency +10%', 'bad', { factor: 1.1 }),
  latency('latency +30%', 'bad', { factor: 1.3 }),
  latency('latency, 1.5% +1 s', 'bad', { stalled: 0.015 }),
  latency('1 rps, latency +100%', 'bad', { factor: 2, rps: 1 }),
  gauge('cpu', 'good', always(1)),
  gauge('cpu, instances differ 3%', 'good', always(1), 0.03),
  gauge('cpu +10%', 'bad', always(1.1)),
  gauge('cpu +20%', 'bad', always(1.2)),
  gauge('cpu +20%, instances differ 3%', 'bad', always(1.2), 0.03),
  gauge('memory 0..+50%/h', 'bad', (atS) => 1 + (0.5 * atS) / HOUR_S),
];
