/**
 * What of `headgate.yaml` names something else in it, and every such name that leads nowhere. It is read part by part, so
 * that a mistake in one place hides nothing of another; what cannot be read is null, and nothing is said of it here.
 */
import { z } from 'zod';
import { routerKinds } from './adapters/traffic/index.ts';
import { nearest, unknownName } from './contract/nearest.ts';
import { pointerOf } from './contract/problem.ts';
import type { Path } from './contract/problem.ts';
import { name } from './contract/values.ts';

type Complain = (path: Path, message: string) => void;

const maybe = <S extends z.ZodType>(schema: S) => schema.nullable().default(null).catch(null);
const each = <S extends z.ZodType>(schema: S) => z.array(maybe(schema)).default([]).catch([]);
/** Null: nothing is known of what it has. */
const section = z
  .record(z.string(), z.looseObject({ type: maybe(z.string()) }).catch({ type: null }))
  .default({})
  .nullable()
  .catch(null);

const target = z.object({
  router: maybe(name),
  route: maybe(z.string()),
  slots: z.array(maybe(name)).length(2).default(['blue', 'green']).catch([null, null]),
});
const service = z
  .object({
    provider: maybe(name),
    notify: each(name),
    targets: each(target),
    flags: each(z.object({ source: maybe(name), flag: maybe(z.string()) })),
  })
  .catch({ provider: null, notify: [], targets: [], flags: [] });

const rule = z.object({ services: each(name) });
const named = z.object({
  access: maybe(z.object({ oidc: each(z.object({ rules: each(rule) })) })),
  routers: section,
  providers: section,
  notify: section,
  webhooks: section,
  services: z.record(z.string(), service).default({}).nullable().catch(null),
});

type Named = z.output<typeof named>;
type Section = Named['routers'];
type Target = NonNullable<NonNullable<Named['services']>[string]['targets'][number]>;

/** `isLost`: a part that is there under another name, of which nothing could be read. */
export function judgeNames(document: unknown, isLost: (path: Path) => boolean, complain: Complain): void {
  const read = named.safeParse(document);
  if (!read.success) return; // it is no map at all, which is told already
  const sections = Object.fromEntries(
    (['routers', 'providers', 'notify', 'webhooks', 'services'] as const).map((key) => [
      key,
      isLost([key]) ? null : read.data[key],
    ]),
  );
  const places: Named = { ...read.data, ...sections };
  const told: Complain = (path, message) => {
    if (!isLost(path)) complain(path, message);
  };
  judgeRouters(places, told);
  judgeProviders(places, told);
  judgeRules(places, told);
  const routes = new Map<string, Path>();
  for (const [own, { provider, notify, targets, flags }] of Object.entries(places.services ?? {})) {
    const path = ['services', own];
    leads([...path, 'provider'], { kind: 'provider', word: provider, places: places.providers }, told);
    for (const [index, notifier] of notify.entries())
      leads([...path, 'notify', index], { kind: 'notifier', word: notifier, places: places.notify }, told);
    judgeTargets(targets, { path: [...path, 'targets'], routers: places.routers, routes }, told);
    judgeFlags(flags, { path: [...path, 'flags'], webhooks: places.webhooks }, told);
  }
}

type Reference = {
  readonly kind: string;
  readonly word: string | null;
  readonly places: Readonly<Record<string, unknown>> | null;
};

/** What the word leads to; where it leads nowhere, what was probably meant. */
function leads(path: Path, { kind, word, places }: Reference, complain: Complain): string | null {
  if (word === null || places === null) return null;
  if (Object.hasOwn(places, word)) return word;
  complain(path, unknownName(kind, word, Object.keys(places)));
  return nearest(word, Object.keys(places));
}

function judgeRouters({ routers, webhooks }: Named, complain: Complain): void {
  const [, ...more] = Object.entries(routers ?? {}).filter(([, { type }]) => type === 'ofrep');
  for (const [own] of more) complain(['routers', own, 'type'], 'flags are served under one address: one router of type ofrep');
  for (const [own, { type, routes }] of Object.entries(routers ?? {}))
    for (const [route, of] of Object.entries(type === 'http-flag' ? keysOf(routes) : {})) {
      const source = keysOf(of)['source'];
      if (typeof source === 'string')
        leads(['routers', own, 'routes', route, 'source'], { kind: 'webhook', word: source, places: webhooks }, complain);
    }
}

/** Those that read what a router counts name one of its type. */
function judgeProviders({ providers, routers }: Named, complain: Complain): void {
  for (const [own, { type: said, router }] of Object.entries(providers ?? {})) {
    const type = said === null ? null : nearest(said, ['edge', 'haproxy']);
    if (type === null || typeof router !== 'string') continue;
    const path = ['providers', own, 'router'];
    leads(path, { kind: 'router', word: router, places: routers }, complain);
    const other = routers && Object.hasOwn(routers, router) ? routers[router]?.type : null;
    if (other != null && other !== type && Object.hasOwn(routerKinds, other))
      complain(path, `it reads what a router of type ${type} counts, and ${router} is of type ${other}`);
  }
}

function judgeRules({ access, services }: Named, complain: Complain): void {
  for (const [provider, vouched] of (access?.oidc ?? []).entries())
    for (const [index, of] of (vouched?.rules ?? []).entries())
      for (const [place, service] of (of?.services ?? []).entries())
        leads(
          ['access', 'oidc', provider, 'rules', index, 'services', place],
          { kind: 'service', word: service, places: services },
          complain,
        );
}

type Targets = NonNullable<Named['services']>[string]['targets'];
type Around = {
  readonly path: Path;
  readonly routers: Section;
  /** Which are managed already, and by which target. */
  readonly routes: Map<string, Path>;
};

function judgeTargets(targets: Targets, around: Around, complain: Complain): void {
  const [first, ...others] = targets.map((target, index) =>
    target === null ? null : soundSlots(target, { ...around, path: [...around.path, index] }, complain),
  );
  for (const [before, slots] of others.entries())
    if (first && slots && (first[0] !== slots[0] || first[1] !== slots[1]))
      complain(
        [...around.path, before + 1, 'slots'],
        `all targets of a service name the same two slots in the same order: ${first.join(', ')}`,
      );
}

/** Its slots; null when they are wrong by themselves or cannot be read. */
function soundSlots(target: Target, { path, routers, routes }: Around, complain: Complain): readonly string[] | null {
  const { route, slots } = target;
  const router = leads([...path, 'router'], { kind: 'router', word: target.router, places: routers }, complain);
  if (target.router !== null && route !== null) {
    const key = `${target.router}/${route}`;
    const taken = routes.get(key);
    if (taken) complain([...path, 'route'], `the route ${route} of ${target.router} is managed by ${pointerOf(taken)} already`);
    routes.set(key, path);
  }
  const there = router === null ? null : slotsOf(routers?.[router], { router, route, path }, complain);
  const strange = [...slots.entries()].filter(([, slot]) => there && slot !== null && !there.slots.includes(slot));
  for (const [index, slot] of strange)
    complain([...path, 'slots', index], unknownName(`slot in ${there?.name ?? ''}`, slot ?? '', there?.slots ?? []));
  const isTwice = slots[0] !== null && slots[0] === slots[1];
  if (isTwice) complain([...path, 'slots'], `the two slots are two different ones, not ${slots[0] ?? ''} twice`);
  const whole = slots.filter((slot) => slot !== null);
  return isTwice || strange.length > 0 || whole.length < slots.length ? null : whole;
}

type Way = { readonly router: string; readonly route: string | null; readonly path: Path };

/** What a router that lists its routes has for this one; null when it does not say. */
function slotsOf(
  options: unknown,
  { router, route: word, path }: Way,
  complain: Complain,
): { readonly name: string; readonly slots: readonly string[] } | null {
  const { routes } = keysOf(options);
  if (!isMap(routes)) return null;
  const route = leads([...path, 'route'], { kind: `route in ${router}`, word, places: keysOf(routes) }, complain);
  const { slots } = keysOf(route === null ? null : keysOf(routes)[route]);
  return isMap(slots) ? { name: `${router}/${route ?? ''}`, slots: Object.keys(slots) } : null;
}

type Watched = { readonly path: Path; readonly webhooks: Section };

/** A flag is watched once for each service, and its changes are told by somebody. */
function judgeFlags(
  flags: NonNullable<Named['services']>[string]['flags'],
  { path, webhooks }: Watched,
  complain: Complain,
): void {
  const seen = new Set<string>();
  for (const [index, one] of flags.entries()) {
    if (!one) continue;
    const { source, flag } = one;
    leads([...path, index, 'source'], { kind: 'webhook', word: source, places: webhooks }, complain);
    if (source === null || flag === null) continue;
    if (seen.has(`${source}/${flag}`)) complain([...path, index, 'flag'], `the flag ${flag} of ${source} is named twice`);
    seen.add(`${source}/${flag}`);
  }
}

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
const keysOf = (value: unknown): Readonly<Record<string, unknown>> => (isMap(value) ? { ...value } : {});
