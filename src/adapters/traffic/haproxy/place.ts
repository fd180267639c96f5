/** A route of HAProxy: where it is split, in which of the two forms, and how healthy its slots are. */
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Route, RouterError, SlotHealth } from '../../../ports/traffic-router.ts';
import type { Stat } from './cli.ts';
import { isWord } from './options.ts';
import { pairs } from './weights.ts';
import type { Table } from './weights.ts';
import type { HaproxyOptions, HaproxyRoute } from './options.ts';

export type Place = {
  readonly key: string;
  readonly slots: readonly [string, string];
  readonly options: HaproxyRoute | null;
  readonly form:
    | { readonly kind: 'map'; readonly map: string; readonly backends: Readonly<Record<string, string>> }
    | {
        readonly kind: 'weights';
        readonly backend: string;
        readonly servers: readonly [readonly string[], readonly string[]];
        readonly table: Table;
      };
};

/** Where a route is split: as the operator listed it, or by the map and the names that go without saying. */
export function findPlace(
  name: string,
  { routes, map }: HaproxyOptions,
  { name: key, slots }: Route,
): Result<Place, RouterError> {
  const options = routes[key];
  if (!options && (Object.keys(routes).length > 0 || map === undefined || ![key, ...slots].every(isWord)))
    return fail(
      'not_found',
      `haproxy ${name} has no route ${key}; it has ${Object.keys(routes).join(', ') || 'those of its map'}`,
    );
  const strange = options && slots.find((slot) => !(slot in options.slots));
  if (strange !== undefined)
    return fail(
      'not_found',
      `route ${key} of haproxy ${name} has no slot ${strange}; it has ${Object.keys(options?.slots ?? {}).join(', ')}`,
    );
  const serversOf = (slot: string): readonly string[] => options?.slots[slot]?.servers ?? [];
  const place = { key, slots, options: options ?? null };
  if (options?.backend !== undefined) {
    const servers = [serversOf(slots[0]), serversOf(slots[1])] as const;
    const table = pairs(servers[0].length, servers[1].length);
    return ok({ ...place, form: { kind: 'weights', backend: options.backend, servers, table } });
  }
  const backends = Object.fromEntries(slots.map((slot) => [slot, options?.slots[slot]?.backend ?? `${key}_${slot}`]));
  return ok({ ...place, form: { kind: 'map', map: map ?? '', backends } });
}

export const checkSlots = (name: string, place: Place, { slots }: Route): Result<Place, RouterError> =>
  slots.every((slot, index) => slot === place.slots[index])
    ? ok(place)
    : fail('not_found', `route ${place.key} of haproxy ${name} has the slots ${place.slots.join(', ')}, not ${slots.join(', ')}`);

/** A slot is healthy when it is up on every node that answers. */
export function healthOf(
  { form, slots }: Place,
  slot: string,
  nodes: readonly { readonly node: string; readonly stats: readonly Stat[] }[],
): SlotHealth {
  const problems = nodes.flatMap(({ node, stats }) => {
    const where = nodes.length > 1 ? ` on ${node}` : '';
    if (form.kind === 'map') {
      const backend = form.backends[slot] ?? '';
      const stat = stats.find(({ pxname, svname }) => pxname === backend && svname === 'BACKEND');
      if (!stat) return [`there is no backend ${backend}${where}`];
      return stat['status'] === 'UP' ? [] : [`backend ${backend} is ${stat['status'] ?? 'unknown'}${where}`];
    }
    const names = form.servers[slot === slots[0] ? 0 : 1];
    const up = names.filter((server) => {
      const status = stats.find(({ pxname, svname }) => pxname === form.backend && svname === server)?.['status'] ?? '';
      return /^(UP|no check|MAINT|DRAIN)/.test(status);
    });
    return up.length > 0 ? [] : [`no server of ${names.join(', ')} is up${where}`];
  });
  if (nodes.length === 0) return { slot, healthy: false, detail: 'no node answered' };
  return { slot, healthy: problems.length === 0, detail: problems.join(', ') || 'up' };
}

const fail = (kind: RouterError['kind'], detail: string) => err({ kind, detail, nodes: [] });
