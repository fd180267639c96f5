/** `headgate.yaml` as operators write it: shape only. Options of routers, providers and notifiers belong to their adapters. */
import { z } from 'zod';
import { duration, name, strict } from './contract/values.ts';

const secretOrUrl = z.string({ error: 'an address, or env:NAME or file:PATH' }).min(1);

const typed = z.looseObject({ type: z.string({ error: 'a type is missing, such as edge' }) });

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

const service = strict({
  team: z.string().max(100).optional(),
  environment: z.string().max(100).optional(),
  provider: name.optional(),
  versionLabel: z.string().max(100).default('version'),
  promotion: promotion.default('swap'),
  targets: z.array(target).max(50, '50 targets at most').default([]),
  notify: z.array(name).default([]),
  hooks: strict({
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
  routers: z.record(name, typed).default({}),
  providers: z.record(name, typed).default({}),
  notify: z.record(name, typed).default({}),
  services: z.record(name, service).default({}),
  settings: settings.default({}),
});

export type ConfigDocument = z.output<typeof configDocument>;
