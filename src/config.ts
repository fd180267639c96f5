/**
 * `headgate.yaml` and the environment to one typed configuration, or every reason why not, each with its line: of shape, of
 * the adapters' options, of names that lead nowhere, of secrets that are not there.
 */
import type { OidcOptions } from './adapters/identity/options.ts';
import { providerKinds } from './adapters/metrics/index.ts';
import { notifierKinds } from './adapters/notify/index.ts';
import { hookSecretsOf, judgeSigning, unsigned } from './config-signing.ts';
import { routerKinds } from './adapters/traffic/index.ts';
import { webhookKinds } from './adapters/webhooks/index.ts';
import { configDocument } from './config-document.ts';
import type { ConfigDocument } from './config-document.ts';
import { judgeNames } from './config-names.ts';
import { resolved } from './config-secrets.ts';
import type { Resolved, Secrets } from './config-secrets.ts';
import { readDocument } from './contract/document.ts';
import type { ParsedDocument } from './contract/document.ts';
import { overlaps, partAt, readMended, withPart } from './contract/mend.ts';
import { nearest, unknownName } from './contract/nearest.ts';
import { inOrder } from './contract/problem.ts';
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

export type ConfigInput = { readonly text: string; readonly secrets: Secrets; readonly dev: boolean };

const RETAIN_MS = 90 * 86_400_000;
const REPLACE_WITHIN_MS = 3_600_000;

export function parseConfig({ text, secrets, dev }: ConfigInput): Result<Config, readonly Problem[]> {
  const read = readDocument(text.trim() === '' ? '{}' : text);
  if (!read.ok) return read;
  const shape = readMended(configDocument, read.value);
  const { document } = shape;
  const withSecrets = resolved(document.value, secrets);
  const problems = [...shape.problems];
  const complain = (path: Path, message: string): void => void problems.push(document.problem(path, message));
  for (const { path, message } of withSecrets.missing) complain(path, message);
  judgeOptions(document, withSecrets, (problem) => void problems.push(problem));
  const lost = shape.unread.filter((path) => partAt(document.value, path) === undefined);
  const isLost = (path: Path): boolean => lost.some((part) => part.length <= path.length && overlaps(path, part));
  judgeNames(document.value, isLost, complain);
  judgeSigning(withSecrets.value, complain);
  if (dev) judgeDev(document.value, complain);
  if (shape.rest === null || problems.length > 0) return err(inOrder(problems));
  // Only texts are exchanged for texts: the shape stays what it was checked to be.
  return ok(configOf(resolved(shape.rest, secrets).value as ConfigDocument, dev));
}

type Complain = (path: Path, message: string) => void;

/** What there is, with the part of the document that says so and what one of them is called. */
const KINDS = [
  { section: 'routers', what: 'router', known: routerKinds },
  { section: 'providers', what: 'provider', known: providerKinds },
  { section: 'notify', what: 'notifier', known: notifierKinds },
  { section: 'webhooks', what: 'webhook', known: webhookKinds },
] as const;

/** Whatever the adapters find wrong with their options; those of a misspelt type by the one that was probably meant. */
function judgeOptions(document: ParsedDocument, { value, missing }: Resolved, tell: (problem: Problem) => void): void {
  for (const { section, what, known } of KINDS)
    for (const [name, options] of Object.entries(partAt(value, [section]) ?? {})) {
      const above = [section, name];
      const type = partAt(document.value, [...above, 'type']);
      if (typeof type !== 'string') continue; // which is told already
      const isKnown = Object.hasOwn(known, type);
      if (!isKnown) tell(document.problem([...above, 'type'], unknownName(`${what} type`, type, Object.keys(known))));
      const meant = isKnown ? type : nearest(type, Object.keys(known));
      const kind = meant === null ? undefined : known[meant];
      if (!kind) continue;
      const told = missing.flatMap(({ path }) => (overlaps(path, above) && path.length > 2 ? [path.slice(2)] : []));
      const part: ParsedDocument = {
        value: withPart(options, ['type'], meant),
        problem: (path, message, place) => document.problem([...above, ...path], message, place),
      };
      for (const problem of readMended<unknown>(kind.options, part, { told }).problems) tell(problem);
    }
}

function judgeDev(document: unknown, complain: Complain): void {
  const path = ['server', 'listen'];
  const listen = partAt(document, path);
  if (typeof listen === 'string' && isAddress(listen) && !isLoopback(listen))
    complain(path, `with --dev everybody is admin, so it listens on loopback only, not on ${listen}`);
}

const isAddress = (listen: string): boolean => /:\d{1,5}$/.test(listen);
const isLoopback = (listen: string): boolean => /^(127(\.\d{1,3}){3}|localhost):\d+$/.test(listen);

function configOf(document: ConfigDocument, dev: boolean): Config {
  const { server, store, settings, services, routers, providers, notify: notifiers, webhooks } = document;
  return {
    listen: server.listen,
    publicUrl: server.url ?? null,
    sqliteFile: store.sqlite,
    reserveBytes: store.reserveMb * 1_048_576,
    routers,
    providers,
    notifiers,
    webhooks,
    services: Object.entries(services).map(([name, service]) => settingsOf(name, service)),
    hooks: hooksOf(document),
    hookSecrets: hookSecretsOf(document),
    targets: Object.entries(services).flatMap(([name, service]) =>
      service.targets.map((target) => specOf(name, target, routers[target.router]?.type)),
    ),
    settings: overridden(settings),
    retainMs: settings.retain ?? RETAIN_MS,
    oidc: document.access.oidc,
    dev,
    warnings: unsigned(document),
  };
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
