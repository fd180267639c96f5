/** `headgate.yaml` as operators write it: shape only. Options of routers, providers and notifiers belong to their adapters. */
import { z } from 'zod';
import { oidcOptions } from './adapters/identity/options.ts';
import { duration, name, strict } from './contract/values.ts';

/** What goes out is signed with these: one, or several while receivers change theirs. */
const secrets = { secret: z.string().optional(), secrets: z.array(z.string()).min(1).max(4).optional() };

const secretOrUrl = z.string({ error: 'an address, or env:NAME or file:PATH' }).min(1);

const typed = z.looseObject({ type: z.string({ error: 'a type as text, such as edge' }) });

const target = strict({
  router: name,
  route: z.string({ error: 'the route inside the router' }).min(1).max(100),
  cell: name.default('default'),
  slots: z.tuple([name, name], { error: 'two slots, such as [blue, green]' }).default(['blue', 'green']),
  /** Left out: enforce, and adopt where the router belongs to other people between releases. */
  manage: z.enum(['enforce', 'adopt'], 'enforce or adopt').optional(),
});

const promotion = z.union(
  [
    z.enum(['swap', 'replace']),
    strict({
      replace: strict({
        within: duration.optional(),
        otherwise: z.enum(['rollback', 'hold'], 'rollback or hold').optional(),
      }),
    }),
  ],
  { error: 'swap, replace, or { replace: { within: 30m, otherwise: hold } }' },
);

/** A change of the flag starts a release, of a version that is named after it. */
const flagStart = strict({
  plan: name,
  version: z
    .string()
    .min(1)
    .max(100)
    .refine(
      (text) => /\{\{(revision|variation|percent)\}\}/.test(text),
      'a version that differs with the flag: {{revision}}, {{variation}} or {{percent}} in it',
    )
    .refine(
      (text) =>
        [...text.matchAll(/\{\{([^{}]*)\}\}/g)].every(([, place = '']) =>
          ['revision', 'variation', 'percent', 'flag'].includes(place),
        ),
      'known places: {{revision}}, {{variation}}, {{percent}}, {{flag}}',
    ),
});

const flag = strict({
  source: name,
  flag: z.string({ error: 'the key of the flag' }).min(1).max(200),
  onChange: strict({ start: flagStart }).optional(),
});

const service = strict({
  team: z.string().max(100).optional(),
  environment: z.string().max(100).optional(),
  provider: name.optional(),
  versionLabel: z.string().max(100).default('version'),
  promotion: promotion.default('swap'),
  targets: z.array(target).max(50, '50 targets at most').default([]),
  notify: z.array(name).default([]),
  /** Flags of other platforms that decide what its users see. */
  flags: z.array(flag).max(50, '50 flags at most').default([]),
  hooks: strict({
    ...secrets,
    beforeStart: secretOrUrl.optional(),
    replaceStable: secretOrUrl.optional(),
    afterPromote: secretOrUrl.optional(),
    afterRollback: secretOrUrl.optional(),
  }).default({}),
});

const settings = strict({
  lease: duration.optional(),
  readTimeout: duration.optional(),
  applyTimeout: duration.optional(),
  measureTimeout: duration.optional(),
  hookTimeout: duration.optional(),
  deliverTimeout: duration.optional(),
  reconcileEvery: duration.optional(),
  settleMin: duration.optional(),
  concurrency: z.number().int('a whole number').min(1, 'at least 1').max(1_000, '1000 at most').optional(),
  retain: duration.optional(),
  deliverFor: duration.optional(),
  flagPoll: duration.optional(),
});

export const configDocument = strict({
  server: strict({
    listen: z
      .string()
      .regex(/^[^\s:]+:\d{1,5}$/, 'host:port, such as 127.0.0.1:8080')
      .default('127.0.0.1:8080'),
    url: z.url({ error: 'the address that people use, such as https://headgate.example' }).optional(),
  }).prefault({}),
  store: strict({
    sqlite: z.string().min(1).default('./headgate.db'),
    reserveMb: z.number().int('whole megabytes').min(0, 'none is 0').max(10_000, '10000 at most').default(64),
  }).prefault({}),
  access: strict({ oidc: z.array(oidcOptions).max(20, '20 identity providers at most').default([]) }).prefault({}),
  routers: z.record(name, typed).default({}),
  providers: z.record(name, typed).default({}),
  notify: z.record(name, typed).default({}),
  /** For hooks of services that have no secret of their own. */
  signing: strict(secrets).default({}),
  webhooks: z.record(name, typed).default({}),
  services: z.record(name, service).default({}),
  settings: settings.default({}),
});

export type ConfigDocument = z.output<typeof configDocument>;
