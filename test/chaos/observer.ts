/** Looks at what HAProxy serves, by itself and past everything that Headgate says: every 100 ms, on every node. */
import type { RealHaproxy } from '../real/haproxy.ts';

export type Sighting = { readonly node: number; readonly at: number; readonly secondShare: number };

export type Observer = {
  /** Changes since the beginning: a node, when by the wall clock, and the share of the second slot from then on. */
  readonly sightings: readonly Sighting[];
  now(node: number): number | null;
  stop(): void;
};

const EVERY_MS = 100;

export function observer(nodes: readonly RealHaproxy[]): Observer {
  const sightings: Sighting[] = [];
  const last = new Map<number, number>();
  const over = { isOver: false };
  const look = async (node: number, real: RealHaproxy): Promise<void> => {
    while (!over.isOver) {
      const answer = await real.ask(`get map ${real.map} app`).catch(() => '');
      const value = /value="(\d+)"/.exec(answer)?.[1];
      const share = value === undefined ? null : Number(value) % 100_000;
      if (share === null) last.delete(node);
      else if (last.get(node) !== share) {
        last.set(node, share);
        sightings.push({ node, at: Date.now(), secondShare: share });
      }
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  };
  nodes.forEach((real, node) => void look(node, real));
  return { sightings, now: (node) => last.get(node) ?? null, stop: () => void (over.isOver = true) };
}
