/** The routers there are: a name in `headgate.yaml` to its options and its factory. Adding one adds a file and a line here. */
import type { z } from 'zod';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import { edge } from './edge/edge.ts';
import type { EdgeDeps } from './edge/edge.ts';
import { edgeOptions } from './edge/options.ts';
import { httpFlag, httpFlagOptions, httpFlagStepBp } from './flags/http-flag.ts';
import { launchdarkly, launchdarklyOptions } from './flags/launchdarkly.ts';
import { unleash, UNLEASH_STEP_BP, unleashOptions } from './flags/unleash.ts';
import { haproxy } from './haproxy/haproxy.ts';
import { haproxyOptions } from './haproxy/options.ts';
import { ofrep } from './ofrep/ofrep.ts';
import { ofrepOptions } from './ofrep/options.ts';

export type RouterKind = {
  /** Checks and completes what the operator wrote. */
  readonly options: z.ZodType;
  create(name: string, options: unknown, deps: EdgeDeps): TrafficRouter;
  /** Steps in which it can be moved, in basis points, where those are coarser than a plan may ask for. */
  stepBp?(options: unknown): number;
  /** Between releases it belongs to other people: what they set is taken over, and not put right. */
  readonly isShared?: boolean;
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
  ofrep: {
    options: ofrepOptions,
    create: (name, options, { random }) => ofrep(name, ofrepOptions.parse(options), random.id()),
  },
  unleash: {
    options: unleashOptions,
    create: (name, options) => unleash(name, unleashOptions.parse(options)),
    stepBp: () => UNLEASH_STEP_BP,
    isShared: true,
  },
  launchdarkly: {
    options: launchdarklyOptions,
    create: (name, options) => launchdarkly(name, launchdarklyOptions.parse(options)),
    isShared: true,
  },
  'http-flag': {
    options: httpFlagOptions,
    create: (name, options) => httpFlag(name, httpFlagOptions.parse(options)),
    stepBp: (options) => httpFlagStepBp(httpFlagOptions.parse(options)),
    isShared: true,
  },
};
