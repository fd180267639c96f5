/** What an operator says of an identity provider, and of the jobs that it vouches for. */
import { z } from 'zod';
import { grant } from '../../contract/wire-access.ts';
import { duration, strict } from '../../contract/values.ts';
import type { Permission } from '../../domain/rights.ts';
import { scopesOf } from '../../domain/rights.ts';

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;

/** Over plain http anybody on the way could put his own keys in. */
const secure = z
  .url({ error: 'an address such as https://token.actions.githubusercontent.com' })
  .refine(
    (text) => URL.canParse(text) && (text.startsWith('https://') || LOOPBACK.test(new URL(text).hostname)),
    'https, unless it is on this machine',
  )
  .refine(
    (text) => URL.canParse(text) && new URL(text).username === '' && new URL(text).hash === '',
    'an address and nothing else',
  );

const NUMBER = 'the number of it, not its name';

/** Numbers, because names can be given away and taken by somebody else. */
const id = z
  .union([z.number().int().min(1).max(Number.MAX_SAFE_INTEGER), z.string().regex(/^[1-9]\d{0,19}$/, NUMBER)], {
    error: NUMBER,
  })
  .transform(String);
const text = z.string().min(1).max(500);

/** Each key is a claim that has to be exactly this. */
const conditions = {
  repositoryId: id.optional(),
  repositoryOwnerId: id.optional(),
  projectId: id.optional(),
  namespaceId: id.optional(),
  ref: text.optional(),
  refProtected: z.literal(true, { error: 'true, or left out' }).optional(),
  environment: text.optional(),
  workflowRef: text.optional(),
  /** Runs for pull and merge requests, which anybody may open. */
  pullRequests: z.boolean().default(false),
};

const KEPT_AT_LEAST_MS = 3_600_000;
const KEPT_AT_MOST_MS = 7 * 86_400_000;

const rule = strict({ ...grant, ...conditions })
  .refine(({ role, scopes }) => (role === undefined) !== (scopes === undefined), {
    error: 'either a role or scopes',
    path: ['role'],
  })
  .refine(({ repositoryId, projectId }) => (repositoryId === undefined) !== (projectId === undefined), {
    error: 'the number of the repository (GitHub) or of the project (GitLab): any job of the provider would fit otherwise',
    path: ['repositoryId'],
  })
  .refine(
    ({ role = null, scopes = [], ref, refProtected, environment, workflowRef }) =>
      [ref, refProtected, environment, workflowRef].some((each) => each !== undefined) ||
      (scopesOf({ role, scopes }) as readonly Permission[]).every((scope) => scope === 'read'),
    { error: 'a ref, refProtected, an environment or a workflowRef: any branch could do this otherwise', path: ['ref'] },
  );

export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;

export const oidcOptions = strict({
  issuer: secure,
  audience: z.string({ error: 'what the jobs ask their token for, such as the address of this service' }).min(1).max(300),
  algorithms: z.array(z.enum(ALGORITHMS, 'an algorithm with a public key, such as RS256')).min(1).default(['RS256']),
  /** Where its keys are, when it does not say so itself. */
  jwks: secure.optional(),
  /** How long they are used while it cannot be reached, over restarts, too. */
  keepKeys: duration
    .refine((ms) => KEPT_AT_LEAST_MS <= ms && ms <= KEPT_AT_MOST_MS, 'an hour at least, and a week at most')
    .default(24 * 3_600_000),
  rules: z.array(rule).min(1, 'without a rule nobody is let in').max(500),
});

export type OidcOptions = z.output<typeof oidcOptions>;
export type OidcRule = OidcOptions['rules'][number];
