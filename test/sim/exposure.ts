/**
 * Invariant 16, and with it 3, 5 and 6: a node that can be reached serves no more canary than its target's newest
 * committed intent for longer than the bound, counted from the last time that anything went wrong there. What is wanted
 * is checked where it is committed (`oracle.ts`); this is about what is served.
 */
import type { TargetId, Weight } from '../../src/domain/ids.ts';
import { canaryWeight } from '../../src/domain/target.ts';
import type { Node, SimRouter } from './router.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type Exposure = {
  /** A node, an intent or a role is another one now. */
  look(target: TargetId): void;
  /** A call failed, a process died: what is above has the whole bound again. Null for all targets. */
  disturbed(target: TargetId | null): void;
};

export type ExposureWorld = {
  readonly clock: VirtualClock;
  readonly routers: ReadonlyMap<TargetId, SimRouter>;
  /** What the newest committed intent wants of the target, and which slot is stable by now. */
  wantedOf(target: TargetId): { readonly second: Weight; readonly stableSlot: string };
  isAnybodyRunning(): boolean;
  readonly boundMs: number;
  onTooLong(detail: string): void;
};

export function exposure(world: ExposureWorld): Exposure {
  const watches = new Map<Node, { turn: number; isAbove: boolean }>();

  const watchOf = (node: Node) => {
    const watch = watches.get(node) ?? { turn: 0, isAbove: false };
    watches.set(node, watch);
    return watch;
  };
  const excess = (router: SimRouter, node: Node): { readonly served: Weight; readonly wanted: Weight } | null => {
    const { second, stableSlot } = world.wantedOf(router.target);
    const served = canaryWeight(router.slots, stableSlot, node.share);
    const wanted = canaryWeight(router.slots, stableSlot, second);
    return node.isUp && wanted < served ? { served, wanted } : null;
  };
  const arm = (router: SimRouter, node: Node): void => {
    const watch = watchOf(node);
    const turn = ++watch.turn;
    world.clock.after(world.boundMs, () => {
      if (turn !== watch.turn) return;
      const found = excess(router, node);
      if (!found) return;
      if (!world.isAnybodyRunning()) return arm(router, node);
      world.onTooLong(
        `${node.name} has served ${found.served / 100} % of the canary for ${world.boundMs} ms, wanted ${found.wanted / 100} %`,
      );
    });
  };
  const look = (target: TargetId, isDisturbed: boolean): void => {
    const router = world.routers.get(target);
    for (const node of router?.nodes ?? []) {
      const watch = watchOf(node);
      const isAbove = router !== undefined && excess(router, node) !== null;
      if (router && isAbove && (isDisturbed || !watch.isAbove)) arm(router, node);
      if (!isAbove) watch.turn++;
      watch.isAbove = isAbove;
    }
  };
  return {
    look: (target) => look(target, false),
    disturbed: (target) => (target === null ? [...world.routers.keys()] : [target]).forEach((each) => look(each, true)),
  };
}
