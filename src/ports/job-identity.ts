/** Whoever can tell a CI job by the token that its identity provider gave it. The error is one sentence, and no secret is in it. */
import type { Principal } from '../domain/rights.ts';
import type { Result } from '../lib/result.ts';

export type JobIdentity = { identify(token: string): Promise<Result<Principal, string>> };
