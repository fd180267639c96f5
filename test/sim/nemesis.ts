/** The faults that come by the clock: processes die and freeze, nodes restart and vanish, somebody turns a router by hand. */
import { Weight } from '../../src/domain/ids.ts';
import { secondShare } from '../../src/domain/target.ts';
import type { Chance } from './chance.ts';
import type { FaultKind, Faults } from './faults.ts';
import type { Incarnation } from './incarnation.ts';
import type { SimNotifier } from './receivers.ts';
import type { Node, SimRouter } from './router.ts';
import { METRIC_FAULTS } from './traffic.ts';
import type { SimProvider } from './traffic.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type NemesisWorld = {
  readonly clock: VirtualClock;
  readonly draw: Chance;
  readonly faults: Faults;
  readonly routers: readonly SimRouter[];
  readonly providers: readonly SimProvider[];
  readonly notifiers: readonly SimNotifier[];
  readonly workers: () => readonly Incarnation[];
  readonly unhealthySlots: Set<string>;
  /** Times the gap between two strikes. */
  readonly pace: number;
  stableSlotOf(router: SimRouter): string;
  stepWallClock(ms: number): void;
  onDisturbed(): void;
};

type Strike = (world: NemesisWorld, lastsMs: number) => void;

export function nemesis(world: NemesisWorld): void {
  for (const [kind, strike] of STRIKES) haunt(world, kind, strike);
}

/** Mean time between two strikes of a kind at its most eager; a milder world waits longer. */
const EAGER_MS = 40_000;
const EAGER_RATE = 0.08;

function haunt(world: NemesisWorld, kind: FaultKind, strike: Strike): void {
  const { clock, draw, faults, pace } = world;
  const rate = faults.rate(kind);
  if (rate === 0) return;
  const gapMs = (): number => -Math.log(1 - draw.next()) * pace * Math.min(1_200_000, (EAGER_MS * EAGER_RATE) / rate);
  const next = (): void =>
    clock.after(gapMs(), () => {
      if (faults.isHealed()) return;
      faults.count(kind);
      strike(world, (draw.hits(0.1) ? draw.int(60, 600) : draw.int(1, 60)) * 1_000);
      next();
    });
  next();
}

const anyNode = ({ draw, routers }: NemesisWorld): { readonly router: SimRouter; readonly node: Node } => {
  const router = draw.pick(routers);
  return { router, node: draw.pick(router.nodes) };
};

const STRIKES: readonly (readonly [FaultKind, Strike])[] = [
  [
    'node_restart',
    (world) => {
      const { router, node } = anyNode(world);
      router.restart(node, secondShare(router.slots, world.stableSlotOf(router), Weight(0)));
    },
  ],
  [
    'node_down',
    (world, lastsMs) => {
      const { router, node } = anyNode(world);
      router.setUp(node, false);
      world.clock.after(lastsMs, () => router.setUp(node, true));
    },
  ],
  [
    'hand',
    (world) => {
      const { router, node } = anyNode(world);
      const share = Weight(world.draw.pick([0, 10_000, world.draw.int(0, 10_000)]));
      const nodes = world.draw.hits(0.5) ? router.nodes : [node];
      for (const one of nodes) if (one.isUp) router.change(one, share, 'hand');
    },
  ],
  [
    'slot_unhealthy',
    (world, lastsMs) => {
      const slot = world.draw.pick(world.draw.pick(world.routers).slots);
      world.unhealthySlots.add(slot);
      world.clock.after(lastsMs, () => world.unhealthySlots.delete(slot));
    },
  ],
  ...METRIC_FAULTS.map((fault): readonly [FaultKind, Strike] => [
    fault,
    (world, lastsMs) => {
      const provider = world.draw.pick(world.providers);
      provider.setFault(fault);
      world.clock.after(lastsMs, () => provider.setFault(null));
    },
  ]),
  ['crash', (world) => world.draw.pick(world.workers()).crash()],
  [
    'crash_at_call',
    (world) => world.draw.pick(world.workers()).crashAtCall(world.draw.int(0, 25), world.draw.pick(['before', 'after'])),
  ],
  [
    'pause',
    (world, lastsMs) => {
      const worker = world.draw.pick(world.workers());
      worker.pause();
      world.onDisturbed();
      world.clock.after(lastsMs, () => {
        worker.resume();
        world.onDisturbed();
      });
    },
  ],
  ['clock_step', (world) => world.stepWallClock(world.draw.pick([-86_400_000, -60_000, 30_000, 3_600_000, 86_400_000]))],
  [
    'notifier_down',
    (world, lastsMs) => {
      const notifier = world.draw.pick(world.notifiers);
      notifier.setDown(true);
      world.clock.after(4 * lastsMs, () => notifier.setDown(false));
    },
  ],
];
