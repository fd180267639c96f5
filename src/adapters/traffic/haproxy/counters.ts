/**
 * What each server of a slot was asked, and what it failed. A request that ended at a server was answered by it
 * (`req_tot`), broke there (`eresp`), never got through (`econ`), or was sent to another one instead (`wredis`).
 */
import { Instant } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { RouterError } from '../../../ports/traffic-router.ts';
import { statsOf } from './cli.ts';
import type { Ask, Stat } from './cli.ts';
import type { Place } from './place.ts';

export type ServerCounts = {
  readonly slot: string;
  /** Node, backend and server. */
  readonly key: string;
  /** Of the process: counting begins anew with every reload. */
  readonly startedAt: Instant | null;
  readonly total: number;
  readonly bad: number;
};

/** Of every node that answers. One that does not is missing, which is not the same as counting nothing. */
export async function countsOf(
  place: Place,
  nodes: readonly string[],
  ask: Ask,
  signal: AbortSignal,
): Promise<Result<readonly ServerCounts[], RouterError>> {
  const answers = await Promise.all(
    nodes.map(async (node) => ({ node, answer: await ask(node, ['show stat', 'show info'], signal) })),
  );
  const silent = answers.flatMap(({ node, answer }) => (answer.ok ? [] : [`${node}: ${answer.error}`]));
  if (silent.length === nodes.length) return err({ kind: 'unreachable', detail: silent.join(', '), nodes: [] });
  return ok(answers.flatMap(({ node, answer }) => (answer.ok ? ofNode(place, node, answer.value) : [])));
}

function ofNode(place: Place, node: string, answer: string): readonly ServerCounts[] {
  const seconds = /^Start_time_sec: (\d{1,12})$/m.exec(answer)?.[1];
  const startedAt = seconds === undefined ? null : Instant(Number(seconds) * 1000);
  return statsOf(answer).flatMap((stat) => {
    const slot = slotOf(place, stat);
    if (slot === null) return [];
    const count = (column: string): number => Number(stat[column] === '' ? 0 : (stat[column] ?? Number.NaN));
    const lost = count('wredis') + count('eresp') + count('econ');
    return [
      {
        slot,
        key: `${node} ${stat['pxname']}/${stat['svname']}`,
        startedAt,
        total: count('req_tot') + lost,
        bad: count('hrsp_5xx') + lost,
      },
    ];
  });
}

/** In the map form a slot's servers are those of its backend that are no backup: a backup answers for the other slot. */
function slotOf({ form, slots }: Place, { pxname, svname, type, bck }: Stat): string | null {
  if (type !== '2') return null;
  if (form.kind === 'map') return bck === '0' ? (slots.find((slot) => form.backends[slot] === pxname) ?? null) : null;
  if (pxname !== form.backend) return null;
  const index = form.servers.findIndex((servers) => servers.includes(svname ?? ''));
  return slots[index] ?? null;
}
