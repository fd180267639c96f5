/**
 * Several nodes that serve as one target, for every adapter that writes to each by itself. Raising is all or nothing:
 * nobody is raised while one cannot be reached, and those that were raised are put back when another one failed. Lowering
 * goes to every node that answers, and waits for none that does not.
 */
import { ALL, NONE } from '../../domain/ids.ts';
import type { Weight } from '../../domain/ids.ts';
import { isBehind } from '../../domain/target.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { Applied, NodeReading, RouterError, WeightWrite } from '../../ports/traffic-router.ts';

/** One node as its adapter reaches it. No method throws: what goes wrong is in the reading. */
export type Node = {
  readonly node: string;
  read(signal: AbortSignal): Promise<NodeReading>;
  /** Writes, and reads back. `refused` is an answer that says no. */
  write(order: Order, signal: AbortSignal): Promise<Written>;
};

export type Order = {
  readonly secondShare: Weight;
  readonly seq: number;
  /** Also moves those who stick to the slot that gets nothing. */
  readonly evict: boolean;
};

export type Written = { readonly reading: NodeReading; readonly refused: string | null };

/** How long putting back may take, when the time of the call itself is over. */
const PUT_BACK_MS = 1_000;

export async function applyToNodes(
  nodes: readonly Node[],
  write: Omit<WeightWrite, 'route'> & { readonly evict?: boolean },
  signal: AbortSignal,
): Promise<Result<Applied, RouterError>> {
  const { secondShare, direction } = write;
  if (signal.aborted) return fail('timeout', 'the call was cancelled before it began', []);
  if (!Number.isInteger(secondShare) || secondShare < NONE || ALL < secondShare)
    return fail('rejected', `${String(secondShare)} is no whole number of basis points`, []);
  const order: Order = { secondShare, seq: write.seq, evict: write.evict ?? false };
  return direction === 'raise' ? raise(nodes, order, signal) : lower(nodes, order, signal);
}

async function raise(nodes: readonly Node[], order: Order, signal: AbortSignal): Promise<Result<Applied, RouterError>> {
  const before = await Promise.all(nodes.map((node) => node.read(signal)));
  const silent = before.filter(({ reachable, secondShare }) => !reachable || secondShare === null);
  if (silent.length > 0) return fail('unreachable', `${silent.map(trouble).join(', ')}; nothing was written`, before);
  const newer = before.find((reading) => isNewer(reading, order));
  if (newer) return stale(newer, order, before);
  const attempts = await Promise.all(nodes.map((node, index) => attempt(node, before[index], order, signal)));
  const failure = failureOf(attempts, order);
  if (failure === null) return ok(appliedOf(attempts));
  await putBack(nodes, before, attempts);
  const after = await Promise.all(nodes.map((node) => node.read(AbortSignal.timeout(PUT_BACK_MS))));
  return fail(failure.kind, `${failure.detail}; the others were put back`, after);
}

async function putBack(nodes: readonly Node[], before: readonly NodeReading[], attempts: readonly Attempt[]): Promise<void> {
  const signal = AbortSignal.timeout(PUT_BACK_MS);
  await Promise.all(
    nodes.map(async (node, index) => {
      const old = before[index];
      if (!attempts[index]?.changed || old?.secondShare == null) return;
      await node.write({ secondShare: old.secondShare, seq: old.seq ?? 0, evict: false }, signal);
    }),
  );
}

/** Each node on its own, so that one that hangs delays nobody. */
async function lower(nodes: readonly Node[], order: Order, signal: AbortSignal): Promise<Result<Applied, RouterError>> {
  const attempts = await Promise.all(
    nodes.map(async (node): Promise<Attempt> => {
      const before = await node.read(signal);
      if (isNewer(before, order)) return { reading: before, refused: null, changed: false };
      return attempt(node, before, order, signal);
    }),
  );
  const readings = attempts.map(({ reading }) => reading);
  const newer = readings.find((reading) => isNewer(reading, order));
  if (newer) return stale(newer, order, readings);
  const failure = failureOf(attempts, order);
  return failure === null ? ok(appliedOf(attempts)) : fail(failure.kind, `${failure.detail}; the others are lowered`, readings);
}

type Attempt = Written & { readonly changed: boolean };

/** A node that shows the share already, by this very write, is left alone. */
async function attempt(node: Node, before: NodeReading | undefined, order: Order, signal: AbortSignal): Promise<Attempt> {
  const isSo = before?.secondShare === order.secondShare && (before.seq === null || before.seq === order.seq);
  if (before && isSo && !order.evict) return { reading: before, refused: null, changed: false };
  return { ...(await node.write(order, signal)), changed: before?.secondShare !== order.secondShare };
}

const appliedOf = (attempts: readonly Attempt[]): Applied => ({
  changed: attempts.some(({ changed }) => changed),
  nodes: attempts.map(({ reading }) => reading),
});

const isNewer = ({ seq }: NodeReading, order: Order): boolean => isBehind(order.seq, seq);

const stale = (newer: NodeReading, { seq }: Order, nodes: readonly NodeReading[]) =>
  fail('stale', `${newer.node} has seen write ${newer.seq}, and this one is ${seq}`, nodes);

function failureOf(attempts: readonly Attempt[], { secondShare }: Order): Pick<RouterError, 'kind' | 'detail'> | null {
  const refused = attempts.filter((one) => one.refused !== null);
  const silent = attempts.filter(({ reading, refused: no }) => !reading.reachable && no === null);
  const odd = attempts.filter(
    ({ reading, refused: no }) => reading.reachable && no === null && reading.secondShare !== secondShare,
  );
  if (silent.length + refused.length + odd.length === 0) return null;
  const detail = [
    ...silent.map(({ reading }) => trouble(reading)),
    ...refused.map(({ reading, refused: no }) => `${reading.node}: ${no}`),
    ...odd.map(({ reading }) => `${reading.node} acknowledged and serves ${shareText(reading)}`),
  ].join(', ');
  return { kind: silent.length > 0 ? 'unreachable' : refused.length > 0 ? 'rejected' : 'not_effective', detail };
}

const trouble = ({ node, detail }: NodeReading): string => `${node}: ${detail ?? 'does not tell its weight'}`;
const shareText = ({ secondShare }: NodeReading): string =>
  secondShare === null ? 'an unknown share' : `${secondShare / 100} %`;

const fail = (kind: RouterError['kind'], detail: string, nodes: readonly NodeReading[]) => err({ kind, detail, nodes });
