/**
 * A simulated router: a few nodes, each with a weight of its own, behind a network that loses, delays and repeats. A
 * write that was sent goes on in the world, whatever became of the process that sent it.
 */
import { ALL, NONE } from '../../src/domain/ids.ts';
import type { TargetId, Weight } from '../../src/domain/ids.ts';
import type { Slots } from '../../src/domain/target.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { Result } from '../../src/lib/result.ts';
import type { Applied, NodeReading, RouterError, TrafficRouter, WeightWrite } from '../../src/ports/traffic-router.ts';
import type { Chance } from './chance.ts';
import type { Faults } from './faults.ts';
import type { TargetSpecification } from './spec.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Why a node serves another share than before. */
export type Cause = 'write' | 'late' | 'hand' | 'restart';

/** How a write got there, and when it was sent. */
type Arrival = { readonly cause: Cause; readonly sentAtMs: number };
export type Change = Arrival & { readonly node: Node; readonly seq: number | null; readonly before: Weight };

export type Node = {
  readonly name: string;
  share: Weight;
  /** Highest seq it has taken since it started. */
  seq: number;
  boot: number;
  isUp: boolean;
  /** When something other than a timely write last touched it, in world time. */
  disturbedAtMs: number;
};

export type SimRouter = {
  readonly port: TrafficRouter;
  readonly target: TargetId;
  readonly slots: Slots;
  readonly nodes: readonly Node[];
  change(node: Node, share: Weight, cause: Cause): void;
  restart(node: Node, share: Weight): void;
  setUp(node: Node, isUp: boolean): void;
};

export type RouterWorld = {
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly draw: Chance;
  /** A call of the controller reaches the wire with this order. */
  onOrder(target: TargetId, order: { readonly share: Weight; readonly seq: number }): void;
  isNewest(target: TargetId, seq: number): boolean;
  /** A write that was the newest when it was sent has landed after its call was given up. */
  onLate(target: TargetId, order: { readonly share: Weight; readonly seq: number }): void;
  onChanging(target: TargetId): void;
  onChanged(target: TargetId, change: Change): void;
  /** Something went wrong between the controller and this router, or a node came or went. */
  onDisturbed(target: TargetId): void;
  isHealthy(slot: string): boolean;
  readonly applyTimeoutMs: number;
  readonly settleMs: number;
};

export type RouterSpec = {
  readonly target: TargetId;
  readonly name: string;
  readonly slots: Slots;
  readonly spec: TargetSpecification;
};

type Fate = 'well' | 'request_lost' | 'reply_lost' | 'applied_then_error' | 'late_write' | 'false_ack' | 'slow_router';

type Touch = Arrival & { readonly share: Weight; readonly seq: number | null };
type Order<T> = { readonly share: Weight; readonly seq: number; acknowledge(): Result<T, RouterError> };

/** One of its own for each call: a shared one would keep every world that ever waited for it. */
const never = (): Promise<never> => new Promise(() => {});

export function simRouter({ target, name, slots, spec }: RouterSpec, world: RouterWorld): SimRouter {
  const { clock, faults, draw } = world;
  const nodes: Node[] = Array.from({ length: spec.nodes }, (_, index) => ({
    name: `${name}-n${index}`,
    share: NONE,
    seq: 0,
    boot: 1,
    isUp: true,
    disturbedAtMs: -1e9,
  }));
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

  const readings = (): NodeReading[] =>
    nodes.map((node) =>
      node.isUp
        ? {
            node: node.name,
            reachable: true,
            secondShare: node.share,
            seq: spec.seq === 'none' ? null : node.seq,
            boot: spec.isMarked ? `boot-${node.boot}` : null,
            detail: null,
          }
        : { node: node.name, reachable: false, secondShare: null, seq: null, boot: null, detail: 'connection refused' },
    );
  const change: SimRouter['change'] = (node, share, cause) => touch(node, { share, cause, seq: null, sentAtMs: clock.nowMs() });
  const touch = (node: Node, { share, cause, seq, sentAtMs }: Touch): void => {
    if (cause !== 'write') node.disturbedAtMs = clock.nowMs();
    world.onChanging(target);
    const before = node.share;
    node.share = share;
    if (seq !== null) node.seq = Math.max(node.seq, seq);
    world.onChanged(target, { node, cause, seq, before, sentAtMs });
  };

  const write = (order: Omit<WeightWrite, 'route'>, { cause, sentAtMs }: Arrival): Result<Applied, RouterError> => {
    const { secondShare, seq, direction } = order;
    const isStale = (node: Node): boolean => spec.seq === 'fence' && seq < node.seq;
    const down = nodes.filter((node) => !node.isUp);
    const fail = (kind: RouterError['kind'], detail: string) => err({ kind, detail, nodes: readings() });
    if (direction === 'raise' && down.length > 0) return fail('unreachable', `${down[0]?.name} refused the connection`);
    if (direction === 'raise' && nodes.some(isStale)) return fail('stale', 'a newer seq is there');
    let changed = false;
    for (const node of nodes) {
      if (!node.isUp || isStale(node)) continue;
      changed ||= node.share !== secondShare;
      touch(node, { share: secondShare, cause, seq, sentAtMs });
    }
    if (down.length > 0) return fail('unreachable', `${down[0]?.name} refused the connection`);
    if (nodes.some(isStale)) return fail('stale', 'a newer seq is there');
    return ok({ changed, nodes: readings() });
  };

  const acknowledge = (): Result<Applied, RouterError> => ok({ changed: true, nodes: readings() });

  const fateOf = (isWrite: boolean): Fate => {
    const kinds: readonly Exclude<Fate, 'well'>[] = isWrite
      ? ['request_lost', 'reply_lost', 'applied_then_error', 'late_write', 'false_ack', 'slow_router']
      : ['request_lost', 'slow_router'];
    return kinds.find((kind) => faults.hits(kind)) ?? 'well';
  };

  /** One exchange with the router; `act` is what happens there, when the request arrives in time. */
  const exchange = async <T>(
    signal: AbortSignal,
    act: (arrival: Arrival) => Result<T, RouterError>,
    order: Order<T> | null,
  ): Promise<Result<T, RouterError>> => {
    const sentAtMs = clock.nowMs();
    const fate = fateOf(order !== null);
    if (fate !== 'well') world.onDisturbed(target);
    if (fate === 'request_lost') return never();
    if (fate === 'late_write') {
      const latestMs = Math.min(world.applyTimeoutMs + 4_000, world.settleMs - 2_000);
      const wasNewest = order !== null && world.isNewest(target, order.seq);
      clock.after(draw.int(world.applyTimeoutMs, latestMs), () => {
        act({ cause: 'late', sentAtMs });
        if (order && wasNewest) world.onLate(target, order);
      });
      return never();
    }
    await pause(fate === 'slow_router' ? draw.int(500, 2 * world.applyTimeoutMs) : draw.int(1, 40));
    if (signal.aborted) return err({ kind: 'timeout', detail: 'gave up waiting', nodes: [] });
    // It says yes and does nothing; what it serves is in its answer, for those who look.
    if (fate === 'false_ack' && order) return order.acknowledge();
    const answer = act({ cause: 'write', sentAtMs });
    if (fate === 'reply_lost') return never();
    if (fate === 'applied_then_error') return err({ kind: 'unreachable', detail: 'connection reset', nodes: [] });
    return answer;
  };

  const port: TrafficRouter = {
    name,
    type: 'simulated',
    capabilities: {
      minStepBp: 1,
      minNonZeroBp: 1,
      tooLittle: 'least',
      distribution: 'random',
      atomic: 'single-op',
      hitless: true,
      seq: spec.seq,
      readBack: 'authoritative',
      persistence: 'none',
      sticky: 'none',
      zeroEvictsSticky: true,
      headerOverride: false,
      independent: true,
      applyTimeoutMs: world.applyTimeoutMs,
    },
    quantize: (_, share) => share,
    preflight: (_route, signal) =>
      exchange(
        signal,
        () =>
          ok({
            nodes: readings(),
            slots: slots.map((slot) => ({
              slot,
              healthy: world.isHealthy(slot),
              detail: world.isHealthy(slot) ? 'up' : 'no server is up',
            })),
          }),
        null,
      ),
    read: (_route, signal) => exchange(signal, () => ok(readings()), null),
    apply: ({ secondShare, seq, direction }, signal) => {
      world.onOrder(target, { share: secondShare, seq });
      return exchange(signal, (arrival) => write({ secondShare, seq, direction }, arrival), {
        share: secondShare,
        seq,
        acknowledge,
      });
    },
    cutOff: (_route, slot, seq, signal) => {
      const secondShare = slot === slots[1] ? NONE : ALL;
      world.onOrder(target, { share: secondShare, seq });
      return exchange(signal, (arrival) => write({ secondShare, seq, direction: 'lower' }, arrival), {
        share: secondShare,
        seq,
        acknowledge,
      });
    },
    residue: async () => ({}),
    close: async () => {},
  };
  return {
    port,
    target,
    slots,
    nodes,
    change,
    restart(node, share) {
      node.boot++;
      node.seq = 0;
      change(node, share, 'restart');
    },
    setUp(node, isUp) {
      if (node.isUp === isUp) return;
      world.onChanging(target);
      node.isUp = isUp;
      node.disturbedAtMs = clock.nowMs();
      world.onDisturbed(target);
    },
  };
}
