/**
 * The built-in edge: a reverse proxy in this process, for first runs, development and small installations. It splits by
 * request, or by a sticky key, and counts what each slot answered. It dies with Headgate, and says so (`independent: false`).
 */
import { NONE, ALL } from '../../../domain/ids.ts';
import type { Weight } from '../../../domain/ids.ts';
import { isBehind } from '../../../domain/target.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Clock, Random } from '../../../ports/clock.ts';
import type { InitialShare } from '../../../ports/flag-server.ts';
import type {
  Applied,
  Capabilities,
  NodeReading,
  Route,
  RouterError,
  SlotHealth,
  TrafficRouter,
} from '../../../ports/traffic-router.ts';
import { answerTo } from '../../outgoing/client.ts';
import type { Send } from '../../outgoing/client.ts';
import type { RouteCounts } from './counters.ts';
import type { EdgeOptions, EdgeRoute } from './options.ts';
import { edgeServer } from './server.ts';
import { edgeTable, setShare } from './table.ts';
import type { EdgeEntry, EdgeTable } from './table.ts';

export type Edge = TrafficRouter & {
  readonly type: 'edge';
  /** Takes requests from now on, with these shares from the very first one; the answer is its URL. */
  start(initial: readonly InitialShare[]): Promise<string>;
  counts(route: string): RouteCounts | null;
  /** Its URL, once it was started. */
  address(): string | null;
};

export type EdgeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: Send;
};

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
  sticky: 'hash-monotone',
  zeroEvictsSticky: true,
  headerOverride: false,
  independent: false,
  applyTimeoutMs: 1_000,
};

const CLOSE_GRACE_MS = 3_000;

export function edge(name: string, options: EdgeOptions, { clock, random, send }: EdgeDeps): Edge {
  const table = edgeTable(options, clock.now());
  const boot = random.id();
  const server = edgeServer(table, options, {
    random: random.next,
    monotonicMs: clock.monotonicMs,
    sleep: (ms) => clock.sleep(ms),
  });
  let url: string | null = null;
  const reading = (entry: EdgeEntry): NodeReading => ({
    node: name,
    reachable: true,
    secondShare: entry.secondShare,
    seq: entry.seq,
    boot,
    detail: null,
  });

  const { find, set } = access(name, table, reading);

  return {
    name,
    type: 'edge',
    capabilities: { ...CAPABILITIES, headerOverride: Object.values(options.routes).some(takesOverride) },
    quantize: (_, share) => share,
    async preflight(route, signal) {
      const found = find(route);
      if (!found.ok) return found;
      const slots = await Promise.all(route.slots.map((slot) => health(found.value, slot, { send, signal })));
      return ok({ nodes: [reading(found.value)], slots });
    },
    async apply({ route, secondShare, seq }, signal) {
      if (signal.aborted) return fail('timeout', `edge ${name}: the call was cancelled before it began`);
      if (!isBasisPoints(secondShare))
        return fail('rejected', `edge ${name}: ${String(secondShare)} is no whole number of basis points`);
      return set(route, seq, secondShare);
    },
    async read(route) {
      const found = find(route);
      return found.ok ? ok([reading(found.value)]) : found;
    },
    async cutOff(route, slot, seq) {
      if (!route.slots.includes(slot)) return fail('not_found', `route ${route.name} has no slot ${slot}`);
      const done = set(route, seq, slot === route.slots[1] ? NONE : ALL);
      if (done.ok) table.get(route.name)?.cut.add(slot);
      return done;
    },
    residue: async () => ({ routes: table.size }),
    address: () => url,
    counts: (route) => table.get(route)?.counts ?? null,
    async start(initial) {
      for (const { route, ...share } of initial) {
        const entry = table.get(route);
        if (entry) setShare(entry, share);
      }
      url = await server.listen();
      return url;
    },
    close: async () => (url !== null ? server.close(CLOSE_GRACE_MS) : undefined),
  };
}

/** How calls reach an entry: by a route that is known, with slots that are, and never behind a newer write. */
function access(name: string, table: EdgeTable, reading: (entry: EdgeEntry) => NodeReading) {
  /** The entry that a call means, or why there is none. */
  const find = (route: Route): Result<EdgeEntry, RouterError> => {
    const entry = table.get(route.name);
    if (!entry) return fail('not_found', `edge ${name} has no route ${route.name}; it has ${[...table.keys()].join(', ')}`);
    const strange = route.slots.find((slot) => !(slot in entry.options.slots));
    return strange === undefined
      ? ok(entry)
      : fail(
          'not_found',
          `route ${route.name} of edge ${name} has no slot ${strange}; it has ${Object.keys(entry.options.slots).join(', ')}`,
        );
  };

  const set = (route: Route, seq: number, secondShare: Weight): Result<Applied, RouterError> => {
    const found = find(route);
    if (!found.ok) return found;
    if (isBehind(seq, found.value.seq))
      return fail('stale', `edge ${name} has seen write ${found.value.seq} of ${route.name}, and this one is ${seq}`, [
        reading(found.value),
      ]);
    const changed = setShare(found.value, { slots: route.slots, secondShare, seq });
    return ok({ changed, nodes: [reading(found.value)] });
  };
  return { find, set };
}

const takesOverride = ({ overrideHeader }: EdgeRoute): boolean => overrideHeader !== undefined;

const isBasisPoints = (share: number): boolean => Number.isInteger(share) && 0 <= share && share <= 10_000;

const fail = (kind: RouterError['kind'], detail: string, nodes: readonly NodeReading[] = []) => err({ kind, detail, nodes });

async function health(
  entry: EdgeEntry,
  slot: string,
  { send, signal }: { send: Send; signal: AbortSignal },
): Promise<SlotHealth> {
  const options = entry.options.slots[slot];
  if (!options) return { slot, healthy: false, detail: 'not configured' };
  const worst = options.health === undefined ? 499 : 399;
  const url = new URL(options.health ?? '/', options.url).href;
  const answer = await answerTo(send, { method: 'GET', url, upTo: 0 }, signal);
  if (!answer.ok) return { slot, healthy: false, detail: answer.error };
  const { status } = answer.value;
  return { slot, healthy: status <= worst, detail: `answers ${status}` };
}
