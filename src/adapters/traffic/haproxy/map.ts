/**
 * The form with a map: the frontend compares a random number, or a hash, with the map's value for the route. One value
 * holds both the share of the second slot and the write that set it, `seq * 100000 + share`, so that a change is one
 * command, in one step, and shows whose it was. What a person sets by hand is the share alone, by write 0.
 */
import { ALL, NONE, Weight } from '../../../domain/ids.ts';
import type { NodeReading } from '../../../ports/traffic-router.ts';
import type { Node, Written } from '../nodes.ts';
import { bootOf } from './cli.ts';
import type { Ask } from './cli.ts';

const SEQ_UNIT = 100_000;

export const valueOf = (share: Weight, seq: number): number => seq * SEQ_UNIT + share;

export type MapPlace = { readonly node: string; readonly map: string; readonly key: string };

export function mapNode({ node, map, key }: MapPlace, ask: Ask): Node {
  const show = [`get map ${map} ${key}`, 'show info'];
  return {
    node,
    async read(signal) {
      const answer = await ask(node, show, signal);
      return answer.ok ? readingOf(node, map, answer.value) : unreachable(node, answer.error);
    },
    async write({ secondShare, seq }, signal): Promise<Written> {
      const value = valueOf(secondShare, seq);
      const set = await ask(node, [`set map ${map} ${key} ${value}`, ...show], signal);
      if (!set.ok) return { reading: unreachable(node, set.error), refused: null };
      // `add` on a key that is there makes a second entry, so it is tried only when this says that there is none.
      const said = refusalIn(set.value);
      if (said !== 'entry not found.') return { reading: readingOf(node, map, set.value), refused: said };
      const added = await ask(node, [`add map ${map} ${key} ${value}`, ...show], signal);
      if (!added.ok) return { reading: unreachable(node, added.error), refused: null };
      return { reading: readingOf(node, map, added.value), refused: refusalIn(added.value) };
    },
  };
}

/** What came before the answer to `get map`: nothing, when the write was taken. */
function refusalIn(answer: string): string | null {
  const before = answer.split(/^(?:type=|Unknown map)/m)[0] ?? '';
  return before.trim() === '' ? null : (before.trim().split('\n')[0] ?? null);
}

const found = /^type=.*, found=(yes|no)(?:.*?value="([^"]*)")?/m;

function readingOf(node: string, map: string, answer: string): NodeReading {
  const base = { node, reachable: true, boot: bootOf(answer), secondShare: null, seq: null };
  const [, isThere, value] = found.exec(answer) ?? [];
  if (isThere === undefined) return { ...base, detail: refusalText(map, answer) };
  // Without an entry the frontend takes 0, as it does at its start.
  if (isThere === 'no') return { ...base, secondShare: NONE, seq: 0, detail: `its map ${map} has no entry for the route` };
  if (value === undefined || !/^-?\d{1,18}$/.test(value)) return { ...base, detail: `the map's value is "${value ?? ''}"` };
  const number = Number(value);
  if (!Number.isSafeInteger(number)) return { ...base, detail: `the map's value is ${value}` };
  // As the frontend takes it: what is below nothing is nothing, and what is above everything is everything.
  const share = Weight(Math.min(ALL, Math.max(NONE, number % SEQ_UNIT)));
  return { ...base, secondShare: share, seq: Math.max(0, Math.floor(number / SEQ_UNIT)), detail: null };
}

const refusalText = (map: string, answer: string): string =>
  answer.includes('Unknown map')
    ? `its configuration has no map ${map}`
    : `an answer that is none: ${answer.slice(0, 80).trim()}`;

export const unreachable = (node: string, detail: string): NodeReading => ({
  node,
  reachable: false,
  secondShare: null,
  seq: null,
  boot: null,
  detail,
});
