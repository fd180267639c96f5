/**
 * The counters of HAProxy itself as a metric provider. Per server: what it answered, and what was taken away from it
 * because it failed. A canary that dies behind `redispatch` shows no error to anybody but here.
 */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { Measurement } from '../../domain/analysis/measurement.ts';
import { err } from '../../lib/result.ts';
import { kindsServed } from '../../ports/metric-provider.ts';
import type { MetricProvider, Question } from '../../ports/metric-provider.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import type { Haproxy } from '../traffic/haproxy/haproxy.ts';

export const haproxyProviderOptions = strict({
  type: z.literal('haproxy'),
  /** Name of the haproxy router whose counters are read; every one of the service when it is left out. */
  router: z.string().optional(),
});

const OFFERS: MetricProvider['offers'] = { errors: { kind: 'ratio', query: { offered: 'errors' } } };

export const isHaproxy = (router: TrafficRouter): router is Haproxy => router.type === 'haproxy';

export function haproxyProvider(name: string, routers: readonly Haproxy[]): MetricProvider {
  return {
    name,
    type: 'haproxy',
    offers: OFFERS,
    refuses({ kind, query }) {
      const offered = query['offered'] ?? Object.values(query).join(', ');
      if (offered !== 'errors') return `HAProxy does not count "${offered}"; it offers errors, and has no latency histograms`;
      const label = query['by'] ?? query['version'];
      if (label !== undefined) return `HAProxy counts by server, and knows no label "${label}"`;
      const kinds = kindsServed('ratio');
      return kinds.includes(kind) ? null : `HAProxy answers errors for checks of kind ${kinds.join(', ')}, not ${kind}`;
    },
    measure: (question, signal) => measure(name, routers, question, signal),
    history: async () => err(`${name}: HAProxy keeps no history of what it counted`),
    close: async () => {},
  };
}

async function measure(name: string, routers: readonly Haproxy[], question: Question, signal: AbortSignal): Promise<Measurement> {
  const { now, canarySlot, stableSlot } = question;
  const places = question.routes.flatMap(({ router: named, route, slots }) => {
    const router = routers.find((one) => one.name === named);
    return router ? [{ router, route: { name: route, slots } }] : [];
  });
  if (places.length === 0) return { kind: 'failed', at: now, detail: `${name}: no haproxy serves ${question.service}` };
  const answers = await Promise.all(places.map(({ router, route }) => router.counts(route, signal)));
  const counts = answers.flatMap((answer) => (answer.ok ? answer.value : []));
  const troubles = answers.flatMap((answer) => (answer.ok ? [] : [answer.error.detail]));
  if (counts.length === 0) return { kind: 'failed', at: now, detail: `${name}: ${troubles.join(', ') || 'nothing is counted'}` };
  return {
    kind: 'counters',
    at: now,
    series: counts.flatMap(({ slot, key, startedAt, total, bad }) => {
      const role = slot === canarySlot ? 'canary' : slot === stableSlot ? 'stable' : null;
      return role === null ? [] : [{ key, role, startedAt, total, bad }];
    }),
  };
}
