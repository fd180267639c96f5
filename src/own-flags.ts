/**
 * Flags whose traffic Headgate splits itself: what it writes there is no news when the platform tells of it. That holds for
 * the one platform, project and environment that the router writes to, and not for a flag of the same name elsewhere.
 */
import { routerKinds } from './adapters/traffic/index.ts';
import { webhookKinds } from './adapters/webhooks/index.ts';
import type { Config, TypedOptions } from './config.ts';
import type { FlagDeps } from './controller/flag-changes.ts';

type Options = Readonly<Record<string, unknown>>;
type Typed = TypedOptions & Options;

export function ownTargetsOf({ targets, ...config }: Pick<Config, 'targets' | 'routers' | 'webhooks'>): FlagDeps['ownTargets'] {
  const routers = new Map(Object.entries(config.routers).map(([name, options]) => [name, whole(routerKinds, options)]));
  const tellers = new Map(Object.entries(config.webhooks).map(([name, options]) => [name, whole(webhookKinds, options)]));
  return (source, flag) => {
    const teller = tellers.get(source);
    return targets
      .filter(({ router: name, route }) => {
        const router = routers.get(name);
        return teller && router && writesTo(router, { route, flag, source, teller });
      })
      .map(({ id }) => id);
  };
}

/** With everything that an operator may leave out. */
function whole(
  kinds: Readonly<Record<string, { readonly options: { safeParse(value: unknown): { data?: unknown } } }>>,
  options: TypedOptions,
): Typed {
  const { data } = kinds[options.type]?.options.safeParse(options) ?? {};
  return { ...options, ...(typeof data === 'object' ? data : {}) };
}

type Told = { readonly route: string; readonly flag: string; readonly source: string; readonly teller: Typed };

function writesTo(router: Typed, { route, flag, source, teller }: Told): boolean {
  const own = objectIn(objectIn(router, 'routes'), route);
  // A route may say that it is a flag of another name.
  if ((textIn(own, 'flag') ?? route) !== flag) return false;
  const api = objectIn(teller, 'api');
  if (router.type !== 'http-flag') return router.type === teller.type && (api === null || isSamePlace(router, api));
  const told = textIn(own, 'source');
  // Unless somebody says who tells of it, it is a flag of the platform that it is read from.
  return told === null ? isSameHost(textIn(objectIn(own, 'read'), 'url'), textIn(api, 'url')) : told === source;
}

const PLACE = ['project', 'environment'] as const;

const isSamePlace = (router: Options, api: Options): boolean =>
  trimmed(textIn(router, 'url')) === trimmed(textIn(api, 'url')) &&
  PLACE.every((key) => textIn(router, key) === textIn(api, key));

const isSameHost = (read: string | null, api: string | null): boolean =>
  read !== null && api !== null && URL.canParse(read) && URL.canParse(api) && new URL(read).host === new URL(api).host;

const trimmed = (url: string | null): string | null => url?.replace(/\/+$/, '') ?? null;

function objectIn(from: Options | null, key: string): Options | null {
  const found = from && Object.hasOwn(from, key) ? from[key] : null;
  return typeof found === 'object' && found !== null ? { ...found } : null;
}

function textIn(from: Options | null, key: string): string | null {
  const found = from && Object.hasOwn(from, key) ? from[key] : null;
  return typeof found === 'string' ? found : null;
}
