/** The metric providers there are: a name in `headgate.yaml` to its options and its factory. */
import type { z } from 'zod';
import type { MetricProvider } from '../../ports/metric-provider.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import { sender } from '../outgoing/access.ts';
import { edgeProvider, edgeProviderOptions, isEdge } from './edge.ts';
import { graphite } from './graphite/graphite.ts';
import { graphiteOptions } from './graphite/options.ts';
import { haproxyProvider, haproxyProviderOptions, isHaproxy } from './haproxy.ts';
import { accessOf } from './influxdb/client.ts';
import { influxdb } from './influxdb/influxdb.ts';
import { influxdbOptions } from './influxdb/options.ts';
import { client, prometheusSender } from './prometheus/client.ts';
import { prometheusOptions } from './prometheus/options.ts';
import { prometheus } from './prometheus/prometheus.ts';
import { pushOptions } from './push/options.ts';
import { push } from './push/push.ts';
import type { PushedOf } from './push/push.ts';
import { webOptions } from './web/options.ts';
import { web } from './web/web.ts';

export type ProviderDeps = {
  /** Those that count what they send. */
  readonly routers: readonly TrafficRouter[];
  readonly monotonicMs: () => number;
  /** What applications pushed. */
  readonly pushed: PushedOf;
};

export type ProviderKind = {
  readonly options: z.ZodType;
  /** What it offers by name, known before it is made, so that plans can be validated offline. */
  create(name: string, options: unknown, deps: ProviderDeps): MetricProvider;
};

export const providerKinds: Readonly<Record<string, ProviderKind>> = {
  edge: {
    options: edgeProviderOptions,
    create(name, options, { routers }) {
      const { router } = edgeProviderOptions.parse(options);
      return edgeProvider(name, named(routers.filter(isEdge), router));
    },
  },
  haproxy: {
    options: haproxyProviderOptions,
    create(name, options, { routers }) {
      const { router } = haproxyProviderOptions.parse(options);
      return haproxyProvider(name, named(routers.filter(isHaproxy), router));
    },
  },
  prometheus: {
    options: prometheusOptions,
    create(name, options, { monotonicMs }) {
      const parsed = prometheusOptions.parse(options);
      return prometheus(name, parsed, client(parsed, { send: prometheusSender(parsed), monotonicMs }));
    },
  },
  push: {
    options: pushOptions,
    create: (name, options, { pushed }) => push(name, pushOptions.parse(options), pushed),
  },
  web: {
    options: webOptions,
    create(name, options) {
      const parsed = webOptions.parse(options);
      return web(name, parsed, sender(parsed));
    },
  },
  influxdb: {
    options: influxdbOptions,
    create(name, options) {
      const parsed = influxdbOptions.parse(options);
      return influxdb(name, parsed, sender(accessOf(parsed)));
    },
  },
  graphite: {
    options: graphiteOptions,
    create(name, options) {
      const parsed = graphiteOptions.parse(options);
      return graphite(name, parsed, sender(parsed));
    },
  },
};

const named = <T extends { readonly name: string }>(routers: readonly T[], name: string | undefined): readonly T[] =>
  name === undefined ? routers : routers.filter((router) => router.name === name);
