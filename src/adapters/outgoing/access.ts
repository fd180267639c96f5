/** What an operator says in `headgate.yaml` of a place that is asked over HTTP, and who asks it then. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import { client } from './client.ts';
import type { Limits, Send } from './client.ts';

/** How a place is reached, the same for all of them. */
export const access = {
  auth: z
    .union(
      [strict({ bearer: z.string().min(1) }), strict({ basic: strict({ user: z.string().min(1), password: z.string() }) })],
      { error: '{ bearer: ... } or { basic: { user, password } }' },
    )
    .optional(),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]+$/, 'a header is written with letters, digits and -'),
      z.string().regex(/^[^\r\n]*$/, 'a header has one line'),
    )
    .default({}),
  /** PEM text, as `file:/path/ca.pem` gives it. */
  tls: strict({ ca: z.string().optional(), cert: z.string().optional(), key: z.string().optional() }).default({}),
  timeoutMs: z.number().int().min(100).max(60_000).default(4_000),
};

export const address = z.url({ protocol: /^https?$/, error: 'an address such as http://127.0.0.1:8086' });

/** An address that paths are put behind. */
export const baseAddress = address.transform((url) => url.replace(/\/+$/, ''));

export const token = z.string({ error: 'a token, as env:NAME or file:PATH' }).trim().min(1, 'the token is empty');

/** A whole secret for the `Authorization` header: `Token ...`, where a place has a scheme of its own. */
export type Access = Limits & {
  readonly auth?:
    | { readonly bearer: string }
    | { readonly basic: { readonly user: string; readonly password: string } }
    | undefined;
  readonly authorization?: string | undefined;
};

/** Asks for JSON as whoever the operator says. */
export function sender({ auth, authorization = authorizationOf(auth), headers, ...limits }: Access): Send {
  const own = authorization === undefined ? {} : { authorization };
  return client({ ...limits, headers: { ...headers, ...own, accept: 'application/json' } });
}

function authorizationOf(auth: Access['auth']): string | undefined {
  if (!auth) return undefined;
  if ('bearer' in auth) return `Bearer ${auth.bearer.trim()}`;
  return `Basic ${Buffer.from(`${auth.basic.user}:${auth.basic.password.trim()}`).toString('base64')}`;
}
