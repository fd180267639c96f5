/** The edge's own counters as a metric provider: errors and latency per slot, with nothing else to run. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { HistogramSeries, Measurement, Role } from '../../domain/analysis/measurement.ts';
import type { CounterSeries } from '../../domain/analysis/measurement.ts';
import { err } from '../../lib/result.ts';
import { kindsServed } from '../../ports/metric-provider.ts';
import type { MetricProvider, Question } from '../../ports/metric-provider.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import type { Edge } from '../traffic/edge/edge.ts';
import { BOUNDS_MS } from '../traffic/edge/counters.ts';
import type { SlotCounts, RouteCounts } from '../traffic/edge/counters.ts';

export const edgeProviderOptions = strict({
  type: z.literal('edge'),
  /** Name of the edge router whose counters are read; every edge of the service when it is left out. */
  router: z.string().optional(),
});

export const isEdge = (router: TrafficRouter): router is Edge => router.type === 'edge';

export type EdgeCounters = { readonly name: string; counts(route: string): RouteCounts | null };

const OFFERS: MetricProvider['offers'] = {
  errors: { kind: 'ratio', query: { offered: 'errors' } },
  latency: { kind: 'latency', query: { offered: 'latency' } },
};

export function edgeProvider(name: string, edges: readonly EdgeCounters[]): MetricProvider {
  return {
    name,
    type: 'edge',
    offers: OFFERS,
    refuses({ kind, query }) {
      const offered = query['offered'] ?? Object.values(query).join(', ');
      const known = OFFERS[offered];
      if (!known) return `the edge does not know "${offered}"; it offers ${Object.keys(OFFERS).join(' and ')}`;
      const label = query['by'] ?? query['version'];
      if (label !== undefined) return `the edge counts by slot, and knows no label "${label}"`;
      const kinds = kindsServed(known.kind);
      return kinds.includes(kind) ? null : `the edge answers ${offered} for checks of kind ${kinds.join(', ')}, not ${kind}`;
    },
    measure: async (question) => measure(name, edges, question),
    history: async () => err(`${name}: an edge keeps no history of what it counted`),
    close: async () => {},
  };
}

function measure(name: string, edges: readonly EdgeCounters[], question: Question): Measurement {
  const { now, check } = question;
  const found = question.routes.flatMap(({ router, route }) => {
    const counts = edges.find((edge) => edge.name === router)?.counts(route) ?? null;
    return counts ? [{ key: `${router}/${route}`, counts }] : [];
  });
  if (found.length === 0) return { kind: 'failed', at: now, detail: `${name}: no edge serves ${question.service}` };
  const series = <T>(make: (counts: SlotCounts, identity: Identity) => T): T[] =>
    found.flatMap(({ key, counts }) =>
      rolesOf(question).flatMap(({ role, slot }) => {
        const slotCounts = counts.slots.get(slot);
        return slotCounts ? [make(slotCounts, { key: `${key}/${slot}`, role, startedAt: counts.startedAt })] : [];
      }),
    );
  if (check.kind === 'latency')
    return {
      kind: 'histogram',
      at: now,
      boundsMs: BOUNDS_MS,
      series: series((counts, identity): HistogramSeries => ({ ...identity, counts: [...counts.buckets] })),
    };
  return {
    kind: 'counters',
    at: now,
    series: series((counts, identity): CounterSeries => ({
      ...identity,
      total: counts.requests,
      bad: counts.errors,
    })),
  };
}

type Identity = Pick<CounterSeries, 'key' | 'role' | 'startedAt'>;

const rolesOf = ({ canarySlot, stableSlot }: Question): readonly { readonly role: Role; readonly slot: string }[] => [
  { role: 'canary', slot: canarySlot },
  { role: 'stable', slot: stableSlot },
];
