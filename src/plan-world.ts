/** What plans are checked against: the configuration for offline validation, the running parts in the service. */
import { providerKinds } from './adapters/metrics/index.ts';
import { routerKinds } from './adapters/traffic/index.ts';
import type { Config } from './config.ts';
import type { CoarseTarget, PlanWorld } from './contract/plan-world.ts';
import type { Context } from './controller/context.ts';
import { settleMs } from './controller/settle.ts';

export function planWorldOf(config: Config, running: Pick<Context, 'providers' | 'routers'> | null): PlanWorld {
  const providers =
    running?.providers ??
    new Map(
      Object.entries(config.providers).flatMap(([name, options]) => {
        const kind = providerKinds[options.type];
        return kind
          ? [[name, kind.create(name, options, { routers: [], monotonicMs: () => 0, pushed: async () => [] })] as const]
          : [];
      }),
    );
  const coarsest = (service: string): number =>
    Math.max(
      1,
      ...config.targets
        .filter((target) => target.service === service)
        .map(({ router }) => running?.routers.get(router)?.capabilities)
        .map((can) => (can?.tooLittle === 'least' ? can.minNonZeroBp : 1)),
    );
  const targetsOf = (service: string) => config.targets.filter((target) => target.service === service);
  const coarseOf = (service: string): readonly CoarseTarget[] =>
    targetsOf(service).flatMap(({ router, route }) => {
      const options = config.routers[router];
      const stepBp = options ? routerKinds[options.type]?.stepBp?.(options) : undefined;
      return stepBp === undefined || stepBp === 1 ? [] : [{ target: `${router}/${route}`, stepBp }];
    });
  return {
    services: new Map(
      config.services.map(({ name, provider, promotion }) => [
        name,
        {
          provider,
          promotion: promotion.kind,
          minNonZeroBp: coarsest(name),
          coarse: coarseOf(name),
          targets: targetsOf(name).length,
          settleMs: settleMs(
            config.settings,
            targetsOf(name).map(({ router }) => running?.routers.get(router)?.capabilities.applyTimeoutMs ?? 0),
          ),
        },
      ]),
    ),
    providers,
    notifiers: new Set(Object.keys(config.notifiers)),
  };
}
