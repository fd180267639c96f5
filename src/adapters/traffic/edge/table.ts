/** The running state of an edge: who gets which share. Requests read it, `apply` writes it, and reading back reads the same. */
import { assignRandom, assignSticky } from '../../../domain/assign.ts';
import { complement, NONE, Weight } from '../../../domain/ids.ts';
import type { Instant } from '../../../domain/ids.ts';
import type { Slots } from '../../../domain/target.ts';
import { routeCounts } from './counters.ts';
import type { RouteCounts } from './counters.ts';
import type { EdgeOptions, EdgeRoute } from './options.ts';

export type EdgeEntry = {
  readonly name: string;
  readonly options: EdgeRoute;
  readonly counts: RouteCounts;
  /** In the order of the target that manages it; in that of the options until then. */
  slots: Slots;
  secondShare: Weight;
  seq: number;
  /** Slots that nobody is sent to, not even by the override header. */
  readonly cut: Set<string>;
};

export type EdgeTable = ReadonlyMap<string, EdgeEntry>;

export function edgeTable(options: EdgeOptions, startedAt: Instant): EdgeTable {
  return new Map(
    Object.entries(options.routes).map(([name, route]) => {
      const [first = '', second = ''] = Object.keys(route.slots);
      const entry: EdgeEntry = {
        name,
        options: route,
        counts: routeCounts([first, second], startedAt),
        slots: [first, second],
        secondShare: Weight(0),
        seq: 0,
        cut: new Set(),
      };
      return [name, entry];
    }),
  );
}

/** Sets shares in one synchronous step: no request sees half of it. */
export function setShare(
  entry: EdgeEntry,
  { slots, secondShare, seq }: { readonly slots: Slots; readonly secondShare: Weight; readonly seq: number },
): boolean {
  const changed = entry.secondShare !== secondShare || entry.slots[1] !== slots[1];
  entry.slots = slots;
  entry.secondShare = secondShare;
  entry.seq = seq;
  if (secondShare > NONE) entry.cut.delete(slots[1]);
  if (complement(secondShare) > NONE) entry.cut.delete(slots[0]);
  return changed;
}

export type Asking = { readonly host: string; readonly path: string; header(name: string): string | null };

export function routeFor(table: EdgeTable, { host, path }: Asking): EdgeEntry | null {
  const matching = [...table.values()].filter(
    ({ options: { match } }) =>
      (match?.host === undefined || match.host === host) && (match?.path === undefined || path.startsWith(match.path)),
  );
  // The most particular one: who names the host before who does not, and then the longest path.
  const rank = ({ options: { match } }: EdgeEntry): number =>
    (match?.host === undefined ? 0 : LONGEST_PATH) + Math.min(match?.path?.length ?? 0, LONGEST_PATH - 1);
  return matching.toSorted((a, b) => rank(b) - rank(a))[0] ?? null;
}

const LONGEST_PATH = 100_000;

/** `byName`: it asked for the slot itself, so it is no sample of those who are sent there. */
export type Chosen = { readonly slot: string; readonly byName: boolean };

export function slotFor(entry: EdgeEntry, asking: Asking, random: () => number): Chosen {
  const { overrideHeader, sticky } = entry.options;
  const named = overrideHeader === undefined ? null : asking.header(overrideHeader);
  if (named !== null && entry.slots.includes(named) && !entry.cut.has(named)) return { slot: named, byName: true };
  const key = stickyKey(sticky, asking);
  const index = key === null ? assignRandom(entry.secondShare, random()) : assignSticky(entry.name, key, entry.secondShare);
  return { slot: entry.slots[index], byName: false };
}

function stickyKey(sticky: EdgeRoute['sticky'], asking: Asking): string | null {
  if (!sticky) return null;
  if ('header' in sticky) return asking.header(sticky.header);
  const cookies = asking.header('cookie') ?? '';
  const found = cookies
    .split(';')
    .map((cookie) => cookie.trim().split('='))
    .find(([name]) => name === sticky.cookie);
  return found?.[1] ?? null;
}
