/** The routers there are: a name in `headgate.yaml` to its options and its factory. Adding one adds a file and a line here. */
import type { z } from 'zod';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import { edge } from './edge/edge.ts';
import type { EdgeDeps } from './edge/edge.ts';
import { edgeOptions } from './edge/options.ts';
import { haproxy } from './haproxy/haproxy.ts';
import { haproxyOptions } from './haproxy/options.ts';

export type RouterKind = {
  /** Checks and completes what the operator wrote. */
  readonly options: z.ZodType;
  create(name: string, options: unknown, deps: EdgeDeps): TrafficRouter;
};

export const routerKinds: Readonly<Record<string, RouterKind>> = {
  edge: {
    options: edgeOptions,
    create: (name, options, deps) => edge(name, edgeOptions.parse(options), deps),
  },
  haproxy: {
    options: haproxyOptions,
    create: (name, options, deps) => haproxy(name, haproxyOptions.parse(options), deps),
  },
};
