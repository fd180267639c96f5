/**
 * `headgate.yaml` and the environment to one typed configuration, or every reason why not, each with its line. Secret
 * references (`env:NAME`, `file:PATH`) are resolved here and nowhere else: over the API they would read any secret.
 */
import type { OidcOptions } from './adapters/identity/options.ts';
import { providerKinds } from './adapters/metrics/index.ts';
import { notifierKinds } from './adapters/notify/index.ts';
import { hookSecretsOf, unsigned } from './config-signing.ts';
import { routerKinds } from './adapters/traffic/index.ts';
import { webhookKinds } from './adapters/webhooks/index.ts';
import { configDocument } from './config-document.ts';
import type { ConfigDocument } from './config-document.ts';
import { checkShape, readDocument } from './contract/document.ts';
import { unknownName } from './contract/nearest.ts';
import { pointerOf } from './contract/problem.ts';
import type { Path, Problem } from './contract/problem.ts';
import type { ServiceSettings, Settings } from './controller/context.ts';
import { DEFAULT_SETTINGS } from './controller/context.ts';
import type { Promotion } from './domain/release.ts';
import { TargetId } from './domain/ids.ts';
import { err, ok } from './lib/result.ts';
import type { Result } from './lib/result.ts';
import type { TargetSpec } from './ports/store.ts';

export type Config = {
  readonly listen: string;
  readonly publicUrl: string | null;
  readonly sqliteFile: string;
  /** Room on the disk that is kept for what runs when it is full. */
  readonly reserveBytes: number;
  readonly routers: Readonly<Record<string, TypedOptions>>;
  readonly providers: Readonly<Record<string, TypedOptions>>;
  readonly notifiers: Readonly<Record<string, TypedOptions>>;
  readonly webhooks: Readonly<Record<string, TypedOptions>>;
  readonly services: readonly ServiceSettings[];
  readonly hooks: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the hooks of each service are signed with; none for some. */
  readonly hookSecrets: Readonly<Record<string, readonly string[]>>;
  readonly targets: readonly TargetSpec[];
  readonly settings: Settings;
  readonly retainMs: number;
  readonly oidc: readonly OidcOptions[];
  readonly dev: boolean;
  /** What works and should not stay so, one sentence each. */
  readonly warnings: readonly string[];
};

export type TypedOptions = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Where secrets come from; tests hand in their own. */
export type Secrets = { env(name: string): string | undefined; file(path: string): string | undefined };

export type ConfigInput = { readonly text: string; readonly secrets: Secrets; readonly dev: boolean };

const RETAIN_MS = 90 * 86_400_000;
const REPLACE_WITHIN_MS = 3_600_000;

export function parseConfig({ text, secrets, dev }: ConfigInput): Result<Config, readonly Problem[]> {
  const read = readDocument(text.trim() === '' ? '{}' : text);
  if (!read.ok) return read;
  const shape = checkShape(configDocument, read.value);
  if (!shape.ok) return shape;
  const problems: Problem[] = [];
  const complain = (path: Path, message: string): void => void problems.push(read.value.problem(path, message));
  const document = resolved(shape.value, secrets, complain);
  const config = configOf(document, dev, complain);
  return problems.length > 0 ? err(problems) : ok(config);
}

type Complain = (path: Path, message: string) => void;

/** The same document with every reference replaced by what it refers to. */
function resolved(document: ConfigDocument, secrets: Secrets, complain: Complain): ConfigDocument {
  const visit = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return secretOf(value, path);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  const secretOf = (value: string, path: Path): string => {
    const [, kind, name = ''] = /^(env|file):(.+)$/.exec(value) ?? [];
    if (kind === undefined) return value;
    const found = kind === 'env' ? secrets.env(name) : secrets.file(name);
    if (found === undefined)
      complain(path, kind === 'env' ? `the environment has no ${name}` : `the file ${name} cannot be read`);
    return (found ?? '').trim();
  };
  // Only strings are exchanged for strings: the shape stays what it was checked to be.
  return visit(document, []) as ConfigDocument;
}

function configOf(document: ConfigDocument, dev: boolean, complain: Complain): Config {
  const routers = kinds(document.routers, {
    known: routerKinds,
    section: 'routers',
    what: 'router',
    complain,
  });
  const providers = kinds(document.providers, {
    known: providerKinds,
    section: 'providers',
    what: 'provider',
    complain,
  });
  const notifiers = kinds(document.notify, {
    known: notifierKinds,
    section: 'notify',
    what: 'notifier',
    complain,
  });
  const webhooks = kinds(document.webhooks, {
    known: webhookKinds,
    section: 'webhooks',
    what: 'webhook',
    complain,
  });
  judgeNames(document, complain);
  if (dev && !isLoopback(document.server.listen))
    complain(
      ['server', 'listen'],
      `with --dev everybody is admin, so it listens on loopback only, not on ${document.server.listen}`,
    );
  judgeFlags(document, complain);
  const { settings } = document;
  return {
    listen: document.server.listen,
    publicUrl: document.server.url ?? null,
    sqliteFile: document.store.sqlite,
    reserveBytes: document.store.reserveMb * 1_048_576,
    routers,
    providers,
    notifiers,
    webhooks,
    services: Object.entries(document.services).map(([name, service]) => settingsOf(name, service)),
    hooks: hooksOf(document),
    hookSecrets: hookSecretsOf(document, complain),
    targets: Object.entries(document.services).flatMap(([name, service]) =>
      service.targets.map((target) => specOf(name, target, document.routers[target.router]?.type)),
    ),
    settings: overridden(settings),
    retainMs: settings.retain ?? RETAIN_MS,
    oidc: document.access.oidc,
    dev,
    warnings: unsigned(document),
  };
}

const isLoopback = (listen: string): boolean => /^(127(\.\d{1,3}){3}|localhost):\d+$/.test(listen);

type KindSetting = {
  readonly known: Readonly<
    Record<
      string,
      {
        readonly options: {
          safeParse(value: unknown): {
            success: boolean;
            error?: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } | undefined;
          };
        };
      }
    >
  >;
  readonly section: string;
  readonly what: string;
  readonly complain: Complain;
};

function kinds(
  entries: Readonly<Record<string, TypedOptions>>,
  { known, section, what, complain }: KindSetting,
): Readonly<Record<string, TypedOptions>> {
  for (const [name, options] of Object.entries(entries)) {
    const kind = Object.hasOwn(known, options.type) ? known[options.type] : undefined;
    if (!kind) {
      complain([section, name, 'type'], unknownName(`${what} type`, options.type, Object.keys(known)));
      continue;
    }
    const checked = kind.options.safeParse(options);
    for (const issue of checked.success ? [] : (checked.error?.issues ?? []))
      complain([section, name, ...issue.path.filter((key) => typeof key !== 'symbol')], issue.message);
  }
  return entries;
}

/** Every name that is used is defined. */
function judgeNames(document: ConfigDocument, complain: Complain): void {
  const [, ...more] = Object.entries(document.routers).filter(([, { type }]) => type === 'ofrep');
  for (const [name] of more) complain(['routers', name, 'type'], 'flags are served under one address: one router of type ofrep');
  for (const [provider, { rules }] of document.access.oidc.entries())
    for (const [index, { services = [] }] of rules.entries())
      for (const [place, service] of services.entries())
        if (!(service in document.services))
          complain(
            ['access', 'oidc', provider, 'rules', index, 'services', place],
            unknownName('service', service, Object.keys(document.services)),
          );
  const routes = new Map<string, Path>();
  for (const [name, service] of Object.entries(document.services)) {
    const path = ['services', name];
    if (service.provider !== undefined && !(service.provider in document.providers))
      complain([...path, 'provider'], unknownName('provider', service.provider, Object.keys(document.providers)));
    for (const [index, notifier] of service.notify.entries())
      if (!(notifier in document.notify))
        complain([...path, 'notify', index], unknownName('notifier', notifier, Object.keys(document.notify)));
    for (const [index, { router, route, slots }] of service.targets.entries()) {
      const place = [...path, 'targets', index];
      if (!(router in document.routers))
        complain([...place, 'router'], unknownName('router', router, Object.keys(document.routers)));
      if (slots[0] === slots[1]) complain([...place, 'slots'], `the two slots are two different ones, not ${slots[0]} twice`);
      const first = service.targets[0]?.slots ?? slots;
      if (first[0] !== slots[0] || first[1] !== slots[1])
        complain([...place, 'slots'], `all targets of a service name the same two slots in the same order: ${first.join(', ')}`);
      const taken = routes.get(`${router}/${route}`);
      if (taken) complain([...place, 'route'], `the route ${route} of ${router} is managed by ${pointerOf(taken)} already`);
      routes.set(`${router}/${route}`, place);
      judgeRoute(document, { router, route, slots, place }, complain);
    }
  }
}

/** A flag is watched once for each service, and its changes are told by somebody. */
function judgeFlags({ services, webhooks, routers }: ConfigDocument, complain: Complain): void {
  for (const [name, { type, routes }] of Object.entries(routers))
    for (const [route, own] of Object.entries(
      type === 'http-flag' && typeof routes === 'object' && routes !== null ? routes : {},
    )) {
      const source: unknown = typeof own === 'object' && own !== null && 'source' in own ? own.source : undefined;
      if (typeof source === 'string' && !(source in webhooks))
        complain(['routers', name, 'routes', route, 'source'], unknownName('webhook', source, Object.keys(webhooks)));
    }
  for (const [name, service] of Object.entries(services)) {
    const seen = new Set<string>();
    for (const [index, { source, flag }] of service.flags.entries()) {
      const path = ['services', name, 'flags', index];
      if (!(source in webhooks)) complain([...path, 'source'], unknownName('webhook', source, Object.keys(webhooks)));
      if (seen.has(`${source}/${flag}`)) complain([...path, 'flag'], `the flag ${flag} of ${source} is named twice`);
      seen.add(`${source}/${flag}`);
    }
  }
}

/** A router that lists its routes must have this one, with these slots. */
function judgeRoute(
  document: ConfigDocument,
  target: { router: string; route: string; slots: readonly string[]; place: Path },
  complain: Complain,
): void {
  const routes = document.routers[target.router]?.['routes'];
  if (typeof routes !== 'object' || routes === null) return;
  const found = Object.entries(routes).find(([route]) => route === target.route)?.[1];
  if (found === undefined)
    return complain([...target.place, 'route'], unknownName(`route in ${target.router}`, target.route, Object.keys(routes)));
  const slots =
    typeof found === 'object' && found !== null && 'slots' in found && typeof found.slots === 'object' && found.slots !== null
      ? Object.keys(found.slots)
      : null;
  for (const [index, slot] of target.slots.entries())
    if (slots && !slots.includes(slot))
      complain([...target.place, 'slots', index], unknownName(`slot in ${target.router}/${target.route}`, slot, slots));
}

type ServiceDocument = ConfigDocument['services'][string];

function settingsOf(name: string, service: ServiceDocument): ServiceSettings {
  const { team = null, environment = null, provider = null, versionLabel } = service;
  const hooked = service.hooks.afterPromote || service.hooks.afterRollback ? [hookNotifier(name)] : [];
  return {
    name,
    team,
    environment,
    provider,
    versionLabel,
    promotion: promotionOf(service),
    notify: [...service.notify, ...hooked],
    flags: service.flags.map(({ source, flag, onChange }) => ({ source, flag, start: onChange?.start ?? null })),
  };
}

/** `afterPromote` and `afterRollback` are heard through the outbox like any notifier, so they are called at least once. */
export const hookNotifier = (service: string): string => `hooks of ${service}`;

function promotionOf({ promotion, hooks }: ServiceDocument): Promotion {
  if (promotion === 'swap') return { kind: 'swap' };
  const { within = REPLACE_WITHIN_MS, otherwise = 'hold' } = promotion === 'replace' ? {} : promotion.replace;
  return { kind: 'replace', withinMs: within, otherwise, hook: hooks.replaceStable !== undefined };
}

const urlsOf = ({ secret: _one, secrets: _several, ...urls }: ServiceDocument['hooks']): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(urls).filter((entry): entry is [string, string] => entry[1] !== undefined));

const hooksOf = ({ services }: ConfigDocument): Config['hooks'] =>
  Object.fromEntries(Object.entries(services).map(([name, { hooks }]) => [name, urlsOf(hooks)]));

function specOf(service: string, target: ServiceDocument['targets'][number], type: string | undefined): TargetSpec {
  const { router, route, cell, slots } = target;
  const isShared = type !== undefined && routerKinds[type]?.isShared === true;
  return {
    id: TargetId(`${service}/${router}/${route}`),
    service,
    router,
    route,
    cell,
    slots,
    management: target.manage ?? (isShared ? 'adopt' : 'enforce'),
  };
}

function overridden(settings: ConfigDocument['settings']): Settings {
  return {
    ...DEFAULT_SETTINGS,
    leaseMs: settings.lease ?? DEFAULT_SETTINGS.leaseMs,
    readTimeoutMs: settings.readTimeout ?? DEFAULT_SETTINGS.readTimeoutMs,
    applyTimeoutMs: settings.applyTimeout ?? DEFAULT_SETTINGS.applyTimeoutMs,
    measureTimeoutMs: settings.measureTimeout ?? DEFAULT_SETTINGS.measureTimeoutMs,
    hookTimeoutMs: settings.hookTimeout ?? DEFAULT_SETTINGS.hookTimeoutMs,
    deliverTimeoutMs: settings.deliverTimeout ?? DEFAULT_SETTINGS.deliverTimeoutMs,
    reconcileEveryMs: settings.reconcileEvery ?? DEFAULT_SETTINGS.reconcileEveryMs,
    settleMinMs: settings.settleMin ?? DEFAULT_SETTINGS.settleMinMs,
    concurrency: settings.concurrency ?? DEFAULT_SETTINGS.concurrency,
    deliverForMs: settings.deliverFor ?? DEFAULT_SETTINGS.deliverForMs,
    flagPollMs: settings.flagPoll ?? DEFAULT_SETTINGS.flagPollMs,
  };
}
