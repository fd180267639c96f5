/**
 * HAProxy, driven over its stats sockets: one node, or several that serve as one target. The weight lives in the running
 * process, so a change drops nobody, and it is gone after a reload: HAProxy then serves its boot state, which is the
 * stable one, and the difference is drift that is put right. Every write is read back, because HAProxy acknowledges some
 * that it did not make.
 */
import { ALL, NONE } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type {
  Applied,
  Capabilities,
  NodeReading,
  Preflight,
  Route,
  RouterError,
  TrafficRouter,
} from '../../../ports/traffic-router.ts';
import type { Send } from '../../outgoing/client.ts';
import { applyToNodes } from '../nodes.ts';
import type { Node } from '../nodes.ts';
import { canKeepIn, keepInFile } from './boot-file.ts';
import { askBy, statsOf } from './cli.ts';
import type { Ask } from './cli.ts';
import { countsOf } from './counters.ts';
import type { ServerCounts } from './counters.ts';
import { fencing } from './fence.ts';
import { mapNode } from './map.ts';
import type { HaproxyOptions } from './options.ts';
import { checkSlots, findPlace, healthOf } from './place.ts';
import type { Place } from './place.ts';
import { pairs, quantizeBy, weightsNode } from './weights.ts';

export type HaproxyDeps = { readonly send: Send };

export type Haproxy = TrafficRouter & {
  readonly type: 'haproxy';
  /** What each server of a route's slots was asked, and what it failed, since the process began. */
  counts(route: Route, signal: AbortSignal): Promise<Result<readonly ServerCounts[], RouterError>>;
};

export function haproxy(name: string, options: HaproxyOptions, { send }: HaproxyDeps): Haproxy {
  const ask = askBy(options.nodeTimeoutMs);
  const places = new Map<string, Place>();
  const placeOf = (route: Route): Result<Place, RouterError> => {
    const known = places.get(route.name);
    const found = known ? checkSlots(name, known, route) : findPlace(name, options, route);
    if (found.ok && !known) places.set(route.name, found.value);
    return found;
  };
  const nodesOf = ({ key, form }: Place): readonly Node[] =>
    options.nodes.map((node) =>
      form.kind === 'map' ? mapNode({ node, map: form.map, key }, ask) : weightsNode({ node, ...form }, ask),
    );
  const fence = fencing(send);

  const read = async (place: Place, signal: AbortSignal): Promise<readonly NodeReading[]> =>
    Promise.all(nodesOf(place).map((node) => node.read(signal)));

  return {
    name,
    type: 'haproxy',
    capabilities: capabilitiesOf(options),
    quantize(route, share, towards) {
      const place = placeOf(route);
      return place.ok && place.value.form.kind === 'weights' ? quantizeBy(place.value.form.table, share, towards) : share;
    },
    async preflight(route, signal) {
      const place = placeOf(route);
      return place.ok ? preflight(place.value, await read(place.value, signal), { route, options, ask, signal }) : place;
    },
    async apply({ route, ...write }, signal) {
      const place = placeOf(route);
      if (!place.ok) return place;
      const applied = await applyToNodes(nodesOf(place.value), write, signal);
      if (applied.ok) await fence(place.value, route, write.secondShare, false);
      return applied;
    },
    async read(route, signal) {
      const place = placeOf(route);
      return place.ok ? ok(await read(place.value, signal)) : place;
    },
    async counts(route, signal) {
      const place = placeOf(route);
      return place.ok ? countsOf(place.value, options.nodes, ask, signal) : place;
    },
    async cutOff(route, slot, seq, signal) {
      if (!route.slots.includes(slot)) return fail('not_found', `route ${route.name} has no slot ${slot}`);
      const place = placeOf(route);
      if (!place.ok) return place;
      const secondShare = slot === route.slots[1] ? NONE : ALL;
      const done = await applyToNodes(nodesOf(place.value), { secondShare, seq, direction: 'lower', evict: true }, signal);
      return fenced(done, await fence(place.value, route, secondShare, !done.ok && done.error.kind !== 'stale'));
    },
    ...(options.bootFile === undefined ? {} : { setBootShare: bootShare(options.bootFile, placeOf) }),
    // Places are routes that were asked for and exist: as many as there are targets.
    residue: async () => ({ routes: places.size }),
    close: async () => {},
  };
}

const bootShare =
  (file: string, placeOf: (route: Route) => Result<Place, RouterError>): NonNullable<TrafficRouter['setBootShare']> =>
  async (route, secondShare) => {
    const place = placeOf(route);
    if (!place.ok) return place;
    const kept = await keepInFile(file, place.value.key, secondShare);
    return kept.ok ? kept : fail('rejected', kept.error);
  };

type Checked = {
  readonly route: Route;
  readonly options: HaproxyOptions;
  readonly ask: Ask;
  readonly signal: AbortSignal;
};

async function preflight(
  place: Place,
  nodes: readonly NodeReading[],
  { route, options, ask, signal }: Checked,
): Promise<Result<Preflight, RouterError>> {
  // A route that the map does not know is one that the frontend does not ask for: writing it would change nothing.
  const deaf = nodes.find(({ reachable, detail }) => reachable && detail !== null);
  if (deaf) return fail('not_found', `${deaf.node}: ${deaf.detail ?? 'does not tell its weight'}`, nodes);
  const kept = options.bootFile === undefined ? ok(undefined) : await canKeepIn(options.bootFile);
  if (!kept.ok) return fail('rejected', kept.error, nodes);
  const stats = await Promise.all(
    options.nodes.map(async (node) => {
      const answer = await ask(node, ['show stat'], signal);
      return answer.ok ? [{ node, stats: statsOf(answer.value) }] : [];
    }),
  );
  return ok({ nodes, slots: route.slots.map((slot) => healthOf(place, slot, stats.flat())) });
}

function fenced(done: Result<Applied, RouterError>, told: string | null): Result<Applied, RouterError> {
  if (done.ok || told === null) return done;
  return err({ ...done.error, detail: `${done.error.detail}; ${told}` });
}

/** The smallest share above nothing that every route with server weights can give either slot. */
function smallestOf({ routes }: HaproxyOptions): number {
  const smallest = Object.values(routes).map(({ backend, slots }) => {
    const [first = 1, second = 1] = Object.values(slots).map(({ servers = [] }) => servers.length);
    return backend === undefined ? 1 : Math.max(pairs(first, second)[1]?.share ?? 1, pairs(second, first)[1]?.share ?? 1);
  });
  return Math.max(1, ...smallest);
}

function capabilitiesOf(options: HaproxyOptions): Capabilities {
  const isCoarse = Object.values(options.routes).some(({ backend }) => backend !== undefined);
  return {
    minStepBp: isCoarse ? 100 : 1,
    minNonZeroBp: isCoarse ? smallestOf(options) : 1,
    tooLittle: 'least',
    distribution: isCoarse ? 'deterministic' : 'random',
    atomic: isCoarse ? 'ordered-ops' : 'single-op',
    hitless: true,
    seq: isCoarse ? 'none' : 'reports',
    readBack: 'authoritative',
    persistence: 'none',
    sticky: options.sticky === 'hash' ? 'hash-monotone' : options.sticky,
    zeroEvictsSticky: true,
    headerOverride: false,
    independent: true,
    // Reading, writing, and putting back what one node refused.
    applyTimeoutMs: 4 * options.nodeTimeoutMs + 1_000,
  };
}

const fail = (kind: RouterError['kind'], detail: string, nodes: readonly NodeReading[] = []) => err({ kind, detail, nodes });
