/**
 * The form with server weights: one backend, whose servers belong to two slots. Steps are coarse (a weight is a whole
 * number up to 256), there is no place for the number of a write, and a change takes several commands. They go in one
 * line, the ones that raise first, so that there is never a moment without a server.
 */
import { ALL, NONE, Weight } from '../../../domain/ids.ts';
import type { NodeReading } from '../../../ports/traffic-router.ts';
import type { Node, Written } from '../nodes.ts';
import { bootOf, statsOf } from './cli.ts';
import type { Ask } from './cli.ts';
import { unreachable } from './map.ts';

export type WeightsPlace = {
  readonly node: string;
  readonly backend: string;
  /** Servers of the first slot, and of the second. */
  readonly servers: readonly [readonly string[], readonly string[]];
  readonly table: Table;
};

/** The weight of each server of the first slot, and of the second. */
type Pair = readonly [first: number, second: number];

const MOST = 256;

export function weightsNode({ node, backend, servers, table }: WeightsPlace, ask: Ask): Node {
  const show = [`show stat ${backend} 4 -1`, 'show info'];
  return {
    node,
    async read(signal) {
      const answer = await ask(node, show, signal);
      return answer.ok ? readingOf(node, { backend, servers }, answer.value) : unreachable(node, answer.error);
    },
    async write({ secondShare, evict }, signal): Promise<Written> {
      const pair = pairFor(table, secondShare);
      const answer = await ask(node, [...commands(backend, servers, pair, evict), ...show], signal);
      if (!answer.ok) return { reading: unreachable(node, answer.error), refused: null };
      const said = (answer.value.split('# pxname,')[0] ?? '').trim();
      return {
        reading: readingOf(node, { backend, servers }, answer.value),
        refused: said === '' ? null : (said.split('\n')[0] ?? said),
      };
    },
  };
}

/** Raises before it lowers. At nothing, `maint` moves those whom a cookie ties to the server, which weight 0 does not. */
function commands(backend: string, servers: WeightsPlace['servers'], pair: Pair, evict: boolean): readonly string[] {
  const lines = (slot: 0 | 1): readonly string[] =>
    servers[slot].flatMap((server) => {
      const place = `${backend}/${server}`;
      const weight = `set server ${place} weight ${pair[slot]}`;
      if (pair[slot] > 0) return [`set server ${place} state ready`, weight];
      return evict ? [weight, `set server ${place} state maint`] : [weight];
    });
  return pair[0] > 0 && pair[1] > 0
    ? [...lines(0), ...lines(1)]
    : pair[0] > 0
      ? [...lines(0), ...lines(1)]
      : [...lines(1), ...lines(0)];
}

const SENDS_NOTHING = /^(MAINT|DRAIN|NOLB)/;

function readingOf(node: string, { backend, servers }: Pick<WeightsPlace, 'backend' | 'servers'>, answer: string): NodeReading {
  const base = { node, reachable: true, boot: bootOf(answer), secondShare: null, seq: null };
  const stats = statsOf(answer).filter(({ pxname }) => pxname === backend);
  if (stats.length === 0) return { ...base, detail: `its configuration has no backend ${backend}` };
  let missing: string | null = null;
  const sum = (names: readonly string[]): number =>
    names.reduce((total, name) => {
      const stat = stats.find(({ svname }) => svname === name);
      if (!stat) missing = name;
      return stat && !SENDS_NOTHING.test(stat['status'] ?? '') ? total + Number(stat['weight'] ?? 0) : total;
    }, 0);
  const [first, second] = [sum(servers[0]), sum(servers[1])];
  if (missing !== null) return { ...base, detail: `the backend ${backend} has no server ${String(missing)}` };
  if (first + second === 0) return { ...base, detail: `no server of ${backend} gets anything` };
  return { ...base, secondShare: shareOf(first, second), detail: null };
}

const shareOf = (first: number, second: number): Weight => Weight(Math.round((second / (first + second)) * ALL));

/** Every share that the two numbers of servers can make, once, rising; nothing and everything are first and last. */
export function pairs(firsts: number, seconds: number): readonly { readonly share: Weight; readonly pair: Pair }[] {
  const byShare = new Map<Weight, Pair>([
    [NONE, [MOST, 0]],
    [ALL, [0, MOST]],
  ]);
  for (let first = MOST; first > 0; first--)
    for (let second = MOST; second > 0; second--) {
      const share = shareOf(first * firsts, second * seconds);
      if (NONE < share && share < ALL && !byShare.has(share)) byShare.set(share, [first, second]);
    }
  return [...byShare].map(([share, pair]) => ({ share, pair })).toSorted((a, b) => a.share - b.share);
}

export type Table = ReturnType<typeof pairs>;

/** The nearest share there is on that side; little is never nothing, and much is never everything. */
export function quantizeBy(table: Table, share: Weight, towards: 'down' | 'up'): Weight {
  if (share === NONE || share === ALL) return share;
  const between = table.slice(1, -1).map((one) => one.share);
  const first = between[0] ?? share;
  const last = between.at(-1) ?? share;
  return towards === 'down' ? (between.findLast((one) => one <= share) ?? first) : (between.find((one) => share <= one) ?? last);
}

/** A share that was quantised is in the table; any other gets the nearest below, as lowering would. */
const pairFor = (table: Table, share: Weight): Pair =>
  (table.find((one) => one.share === quantizeBy(table, share, 'down')) ?? table[0])?.pair ?? [MOST, 0];
