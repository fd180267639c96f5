/** What an operator says of an edge in `headgate.yaml`. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';

const slot = strict({
  url: z.url({ protocol: /^http$/, error: 'an http:// address, such as http://127.0.0.1:3001' }),
  /** Asked before a release starts; any answer below 400 is healthy. Without it `/` is asked, and any below 500. */
  health: z.string().startsWith('/', 'a path such as /healthz').optional(),
});

const route = strict({
  slots: z
    .record(z.string().min(1).max(60), slot)
    .refine((slots) => Object.keys(slots).length === 2, 'exactly two slots, such as blue and green'),
  /** Which requests belong to the route; needed where an edge has several. */
  match: strict({ host: z.string().optional(), path: z.string().startsWith('/', 'a path such as /shop').optional() }).optional(),
  /** Requests with the same key stay on the same slot; raising the weight only moves keys to the canary. */
  sticky: z
    .union([strict({ header: z.string() }), strict({ cookie: z.string() })], { error: '{ header: ... } or { cookie: ... }' })
    .optional(),
  /** A request that names a slot in this header goes there, whatever the weights, and is not counted. */
  overrideHeader: z.string().min(1).max(100).optional(),
});

export const edgeOptions = strict({
  type: z.literal('edge'),
  /** `host:port`; port 0 takes a free one. */
  listen: z.string().regex(/^[^\s:]+:\d{1,5}$/, 'host:port, such as 127.0.0.1:8000'),
  routes: z.record(z.string().min(1).max(100), route).refine((routes) => Object.keys(routes).length > 0, 'at least one route'),
  /** How long a slot may take to begin its answer. */
  upstreamTimeoutMs: z.number().int().min(100).max(600_000).default(60_000),
});

export type EdgeOptions = z.output<typeof edgeOptions>;
export type EdgeRoute = z.output<typeof route>;
