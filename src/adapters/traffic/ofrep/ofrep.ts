/**
 * Flags that Headgate serves itself, as a router: the share is a row of a table in this process, which `http/ofrep.ts`
 * answers from. Like the edge it starts with what was promised last, and dies with Headgate (`independent: false`).
 */
import { ALL, NONE, Weight } from '../../../domain/ids.ts';
import { isBehind } from '../../../domain/target.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { FlagEntry, FlagServer, InitialShare, JsonValue } from '../../../ports/flag-server.ts';
import type { Applied, Capabilities, NodeReading, Route, RouterError, TrafficRouter } from '../../../ports/traffic-router.ts';
import type { OfrepOptions } from './options.ts';

type Entry = Omit<FlagEntry, 'secondShare'> & {
  readonly known: readonly string[] | null;
  secondShare: Weight;
  seq: number;
};

const CAPABILITIES: Capabilities = {
  minStepBp: 1,
  minNonZeroBp: 1,
  tooLittle: 'least',
  distribution: 'deterministic',
  atomic: 'single-op',
  hitless: true,
  seq: 'fence',
  readBack: 'authoritative',
  persistence: 'none',
  sticky: 'hash-monotone',
  zeroEvictsSticky: true,
  headerOverride: false,
  independent: false,
  applyTimeoutMs: 1_000,
};

export const isFlagServer = (router: TrafficRouter): router is FlagServer => router.type === 'ofrep';

export function ofrep(name: string, options: OfrepOptions, boot: string): FlagServer {
  const table = tableOf(options);
  const reading = ({ secondShare, seq }: Entry): NodeReading => ({
    node: name,
    reachable: true,
    secondShare,
    seq,
    boot,
    detail: null,
  });
  const find = (route: Route): Result<Entry, RouterError> => {
    const entry = table.get(route.name);
    if (!entry) return fail('not_found', `ofrep ${name} has no route ${route.name}; it has ${[...table.keys()].join(', ')}`);
    const strange = route.slots.find((slot) => entry.known !== null && !entry.known.includes(slot));
    return strange === undefined ? ok(entry) : fail('not_found', `route ${route.name} of ofrep ${name} has no slot ${strange}`);
  };
  const set = (route: Route, seq: number, secondShare: Weight): Result<Applied, RouterError> => {
    const found = find(route);
    if (!found.ok) return found;
    const entry = found.value;
    if (isBehind(seq, entry.seq))
      return fail('stale', `ofrep ${name} has seen write ${entry.seq} of ${route.name}, and this one is ${seq}`, [
        reading(entry),
      ]);
    const changed = entry.secondShare !== secondShare;
    Object.assign(entry, { secondShare, seq });
    return ok({ changed, nodes: [reading(entry)] });
  };

  return {
    name,
    type: 'ofrep',
    capabilities: CAPABILITIES,
    quantize: (_, share) => share,
    async preflight(route) {
      const found = find(route);
      if (!found.ok) return found;
      const slots = route.slots.map((slot) => ({ slot, healthy: true, detail: 'whoever asks decides what it is' }));
      return ok({ nodes: [reading(found.value)], slots });
    },
    async apply({ route, secondShare, seq }, signal) {
      if (signal.aborted) return fail('timeout', `ofrep ${name}: the call was cancelled before it began`);
      if (!Number.isInteger(secondShare) || secondShare < NONE || ALL < secondShare)
        return fail('rejected', `ofrep ${name}: ${String(secondShare)} is no whole number of basis points`);
      return set(route, seq, secondShare);
    },
    async read(route) {
      const found = find(route);
      return found.ok ? ok([reading(found.value)]) : found;
    },
    async cutOff(route, slot, seq) {
      if (!route.slots.includes(slot)) return fail('not_found', `route ${route.name} has no slot ${slot}`);
      return set(route, seq, slot === route.slots[1] ? NONE : ALL);
    },
    flags: () => [...table.values()],
    entry: (route) => table.get(route) ?? null,
    put({ route, slots, secondShare, seq }: InitialShare) {
      set({ name: route, slots }, seq, secondShare);
    },
    residue: async () => ({ routes: table.size }),
    close: async () => {},
  };
}

const tableOf = ({ routes }: OfrepOptions): ReadonlyMap<string, Entry> =>
  new Map(
    Object.entries(routes).map(([route, { key, slots }]) => [
      route,
      {
        key: key ?? route,
        route,
        // What `z.json` takes is JSON.
        values: Object.fromEntries(Object.entries(slots ?? {}).map(([slot, { value }]) => [slot, value as JsonValue])),
        known: slots ? Object.keys(slots) : null,
        secondShare: NONE,
        seq: 0,
      },
    ]),
  );

const fail = (kind: RouterError['kind'], detail: string, nodes: readonly NodeReading[] = []) => err({ kind, detail, nodes });
