/** What an operator says of a Prometheus, or of anything that answers its HTTP API, in `headgate.yaml`. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { access } from '../../outgoing/access.ts';

const label = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'a label name');
const query = z.string().min(1).max(4_000);

const offered = z.discriminatedUnion(
  'kind',
  [
    strict({ kind: z.literal('ratio'), bad: query, total: query, by: label.optional() }),
    strict({ kind: z.literal('rate'), events: query, per: query.optional() }),
    strict({ kind: z.literal('latency'), histogram: query }),
    strict({ kind: z.literal('gauge'), query }),
    strict({ kind: z.literal('threshold'), query }),
    strict({
      kind: z.literal('mann-whitney'),
      query: query.optional(),
      bad: query.optional(),
      total: query.optional(),
    }),
  ],
  { error: 'a check says its kind: ratio, rate, latency, gauge, threshold or mann-whitney' },
);

export const prometheusOptions = strict({
  type: z.literal('prometheus'),
  /** Up to, and without, `/api/v1`. */
  url: z.url({ protocol: /^https?$/, error: 'an address such as http://127.0.0.1:9090' }),
  /** Headers also for a server that shards by tenant, such as `X-Scope-OrgID`. */
  ...access,
  labels: strict({
    /** Tells canary from stable; a check may name another one. */
    version: label.default('version'),
    /** Tells the processes of one version apart, so that a restart of one is seen. */
    instance: label.default('instance'),
    /** With it the checks below are asked once for all services, by the label that has the service's name. */
    service: label.optional(),
  }).prefault({}),
  /** Checks that plans may name: `checks: [errors, latency]`. */
  checks: z.record(z.string().min(1).max(60), offered).default({}),
  /** An answer so young serves every release that asks the same. */
  shareMs: z.number().int().min(0).max(60_000).default(1_000),
});

export type PrometheusOptions = z.output<typeof prometheusOptions>;
