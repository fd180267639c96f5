/** What an operator says of a flag platform in `headgate.yaml`, as far as it is the same for all of them. */
import { z } from 'zod';
import { access, token } from '../../outgoing/access.ts';

/** What stands in a path of the platform's API. */
export const key = (what: string) => z.string().regex(/^[A-Za-z0-9._~:-]{1,200}$/, `${what} of letters, digits and . _ ~ : -`);

export const routeName = z.string().min(1).max(100);

export const flagRoute = {
  /** The slot that those who get the flag are on; the second one of the target where it is left out. */
  on: z.string().min(1).max(60).optional(),
  /** The flag only says which slot, for ever: a later release may take it back down. */
  swap: z.boolean().default(false),
};

/** How a platform is reached; each has a token of its own kind. */
export const reached = {
  headers: access.headers,
  tls: access.tls,
  timeoutMs: access.timeoutMs.default(2_000),
  /** Another token for taking a flag back, one that needs no approval. */
  rollbackToken: token.optional(),
};
