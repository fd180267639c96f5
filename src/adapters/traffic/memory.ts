/**
 * The reference router: the whole contract over plain maps, with several nodes, a fence and boot markers. What the suite
 * asks of every router is easiest to read here. `controls` is the world that does things to it.
 */
import { ALL, NONE, Weight } from '../../domain/ids.ts';
import { isBehind } from '../../domain/target.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type {
  Applied,
  Capabilities,
  NodeReading,
  Route,
  RouterError,
  TrafficRouter,
  WeightWrite,
} from '../../ports/traffic-router.ts';

export type MemoryRouterOptions = {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly routes: readonly string[];
};

export type MemoryControls = {
  setUp(node: string, isUp: boolean): void;
  /** A hand on the router: past every fence. */
  edit(node: string, route: string, secondShare: Weight, seq?: number): void;
  /** Comes back with its boot weight, which is nothing on the second slot, and has forgotten every seq. */
  restart(node: string): void;
};

type Entry = { secondShare: Weight; seq: number };
type Node = { isUp: boolean; boots: number; readonly entries: Map<string, Entry> };

const CAPABILITIES: Capabilities = {
  minStepBp: 1,
  minNonZeroBp: 1,
  tooLittle: 'least',
  distribution: 'random',
  atomic: 'single-op',
  hitless: true,
  seq: 'fence',
  readBack: 'authoritative',
  persistence: 'none',
  sticky: 'none',
  zeroEvictsSticky: true,
  headerOverride: false,
  independent: true,
  applyTimeoutMs: 1_000,
};

export function memoryRouter({
  name,
  nodes: names,
  routes,
}: MemoryRouterOptions): TrafficRouter & { readonly controls: MemoryControls } {
  const nodes = new Map<string, Node>(names.map((node) => [node, { isUp: true, boots: 1, entries: freshEntries(routes) }]));
  const readings = (route: string): readonly NodeReading[] => [...nodes].map(([node, state]) => reading(node, state, route));
  const nodeOf = (node: string): Node => nodes.get(node) ?? { isUp: false, boots: 0, entries: new Map() };

  return {
    name,
    type: 'memory',
    capabilities: CAPABILITIES,
    quantize: (_, share) => share,
    preflight: async (route) =>
      guarded(routes, route) ??
      ok({ nodes: readings(route.name), slots: route.slots.map((slot) => ({ slot, healthy: true, detail: 'in memory' })) }),
    apply: async (write, signal) => {
      if (signal.aborted) return fail('timeout', `${name}: the call was cancelled before it began`, []);
      return guarded(routes, write.route) ?? apply(name, nodes, write, readings);
    },
    read: async (route) => guarded(routes, route) ?? ok(readings(route.name)),
    cutOff: async (route, slot, seq, signal) => {
      if (signal.aborted) return fail('timeout', `${name}: the call was cancelled before it began`, []);
      if (!route.slots.includes(slot)) return fail('not_found', `${name}: no slot ${slot}`, []);
      const secondShare = slot === route.slots[1] ? NONE : ALL;
      return guarded(routes, route) ?? apply(name, nodes, { route, secondShare, seq, direction: 'lower' }, readings);
    },
    residue: async () => ({ entries: [...nodes.values()].reduce((sum, { entries }) => sum + entries.size, 0) }),
    close: async () => {},
    controls: {
      setUp: (node, isUp) => void (nodeOf(node).isUp = isUp),
      edit: (node, route, secondShare, seq = nodeOf(node).entries.get(route)?.seq ?? 0) =>
        void nodeOf(node).entries.set(route, { secondShare, seq }),
      restart(node) {
        const state = nodeOf(node);
        state.boots += 1;
        for (const route of state.entries.keys()) state.entries.set(route, { secondShare: NONE, seq: 0 });
      },
    },
  };
}

const freshEntries = (routes: readonly string[]): Map<string, Entry> =>
  new Map(routes.map((route) => [route, { secondShare: NONE, seq: 0 }]));

const fail = (kind: RouterError['kind'], detail: string, nodes: readonly NodeReading[]) => err({ kind, detail, nodes });

const guarded = (routes: readonly string[], route: Route) =>
  routes.includes(route.name) ? null : fail('not_found', `no route ${route.name}; there is ${routes.join(', ')}`, []);

function reading(node: string, { isUp, boots, entries }: Node, route: string): NodeReading {
  const entry = entries.get(route);
  if (!isUp || !entry) return { node, reachable: false, secondShare: null, seq: null, boot: null, detail: 'connection refused' };
  return { node, reachable: true, secondShare: entry.secondShare, seq: entry.seq, boot: `boot ${boots}`, detail: null };
}

/** Raising is all or nothing; lowering goes wherever it can, and names the rest. */
function apply(
  name: string,
  nodes: ReadonlyMap<string, Node>,
  write: WeightWrite,
  readings: (route: string) => readonly NodeReading[],
): Result<Applied, RouterError> {
  const { route, secondShare, seq, direction } = write;
  const before = readings(route.name);
  if (!Number.isInteger(secondShare) || secondShare < 0 || 10_000 < secondShare)
    return fail('rejected', `${name}: ${String(secondShare)} is no whole number of basis points`, before);
  const newer = before.find((node) => isBehind(seq, node.seq));
  if (newer) return fail('stale', `${newer.node} has seen write ${newer.seq}, and this one is ${seq}`, before);
  const down = before.filter(({ reachable }) => !reachable).map(({ node }) => node);
  if (direction === 'raise' && down.length > 0)
    return fail('unreachable', `${down.join(', ')}: connection refused; nothing was written`, before);
  for (const state of nodes.values()) if (state.isUp) state.entries.set(route.name, { secondShare: Weight(secondShare), seq });
  const after = readings(route.name);
  if (down.length > 0) return fail('unreachable', `${down.join(', ')}: connection refused; the others are lowered`, after);
  return ok({ changed: before.some((node) => node.secondShare !== secondShare), nodes: after });
}
