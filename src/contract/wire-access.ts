/** What goes over the wire about tokens and sessions. A secret is in one answer, once. */
import { z } from '@hono/zod-openapi';
import { ROLES, SCOPES } from '../domain/rights.ts';
import type { Role } from '../domain/rights.ts';
import { duration, name, strict } from './values.ts';

const instant = z.number().int().describe('milliseconds since 1970');
const roleNames = Object.keys(ROLES) as [Role, ...Role[]];
const role = z.enum(roleNames, `a role is one of ${roleNames.join(', ')}`);
const scope = z.enum(SCOPES, `a right is one of ${SCOPES.join(', ')}`);
const services = z.array(name).min(1, 'leave services out for all of them').max(100, '100 services at most');

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;

/** What a token, or a rule for CI jobs, gives: a role or single rights, for some services or all. */
export const grant = {
  role: role.optional(),
  scopes: z.array(scope).min(1).max(SCOPES.length).optional(),
  services: services.optional(),
};

export const tokenBody = strict({
  name: z
    .string({ error: 'whose token it is' })
    .max(100, '100 letters at most')
    .regex(
      /^[\p{L}\p{N}](?: ?[\p{L}\p{N}._@:/+-])*$/u,
      'a name of letters, digits, single spaces between them and . _ @ : / + -',
    ),
  kind: z.enum(['person', 'ci'], 'person or ci').default('person'),
  ...grant,
  expires: duration
    .refine((ms) => 60_000 <= ms && ms <= MOST_DAYS * DAY_MS, `between 1m and ${MOST_DAYS}d`)
    .default(90 * DAY_MS)
    .describe('a duration such as 90d'),
})
  .refine((body) => (body.role === undefined) !== (body.scopes === undefined), {
    error: 'either a role or scopes',
    path: ['role'],
  })
  .openapi('NewToken');

export const tokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['person', 'ci']),
    role: role.nullable(),
    scopes: z.array(scope),
    services: z.array(z.string()).nullable(),
    createdAt: instant,
    createdBy: z.string(),
    expiresAt: instant,
    lastUsedAt: instant.nullable(),
    revokedAt: instant.nullable(),
  })
  .openapi('Token');
export const madeTokenView = z.object({ token: tokenView, secret: z.string().describe('shown once') }).openapi('MadeToken');

export const sessionBody = strict({ token: z.string({ error: 'an API token' }).min(1).max(200) }).openapi('NewSession');
export const sessionView = z
  .object({
    name: z.string(),
    kind: z.enum(['person', 'ci']),
    scopes: z.array(scope),
    services: z.array(z.string()).nullable(),
    dev: z.boolean(),
  })
  .openapi('Session');

export type TokenInput = z.input<typeof tokenBody>;
export type TokenView = z.output<typeof tokenView>;
export type MadeTokenView = z.output<typeof madeTokenView>;
export type SessionView = z.output<typeof sessionView>;
