/**
 * CI jobs that prove who they are by the token of their identity provider (OpenID Connect): nothing to store, nothing to
 * steal for long. Who issues, for whom, and how it is signed comes from the configuration and never from the token.
 */
import { decodeJwt, decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose';
import { readDocument } from '../../contract/document.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobIdentity } from '../../ports/job-identity.ts';
import { keysOf } from './keys.ts';
import type { Keys, KeyWorld } from './keys.ts';
import type { OidcOptions } from './options.ts';
import { fitting, principalOf } from './rules.ts';
import type { Claims } from './rules.ts';

const SKEW_S = 60;
/** A job that runs longer than that asks for another one. */
const LONGEST_LIFE_S = 24 * 3_600;
const LONGEST_TOKEN = 16_384;

export type OidcWorld = { readonly clock: Pick<Clock, 'now' | 'monotonicMs'> } & Pick<KeyWorld, 'get' | 'store' | 'log'>;

type Provider = { readonly options: OidcOptions; readonly keys: Keys };

export function oidc(configured: readonly OidcOptions[], { clock, ...world }: OidcWorld): JobIdentity {
  const providers: readonly Provider[] = configured.map((options) => ({
    options,
    keys: keysOf(options, { ...world, now: () => clock.now(), monotonicMs: () => clock.monotonicMs() }),
  }));
  return {
    async identify(token) {
      if (LONGEST_TOKEN < token.length) return err('no token of a job is that long');
      const claimed = issuerOf(token);
      const mine = providers.filter(({ options }) => options.issuer === claimed);
      if (mine.length === 0) return err('this is no token of this service, and of no identity provider that it trusts');
      let why = '';
      for (const provider of mine) {
        const claims = await verified(token, provider, clock.now() / 1_000);
        if (!claims.ok) {
          why ||= claims.error;
          continue;
        }
        const rule = fitting(provider.options.rules, claims.value);
        if (rule) return ok(principalOf(rule, claims.value));
        why = 'the job is who it says it is, and no rule lets it in: look at access.oidc in headgate.yaml';
      }
      return err(why);
    },
  };
}

/** Only to find the settings by; it is checked again with the signature. */
function issuerOf(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

async function verified(token: string, { options, keys }: Provider, nowS: number): Promise<Result<Claims, string>> {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const algorithm = options.algorithms.find((each) => each === alg);
    if (algorithm === undefined) return err('the token is signed in a way that is not allowed');
    if (typeof kid !== 'string') return err('the token does not say by which key it is signed');
    const key = await keys.find(kid);
    if (!key.ok) return key;
    if (key.value.alg !== undefined && key.value.alg !== algorithm) return err('the key is not for this kind of signature');
    const { payload } = await jwtVerify(token, await importJWK(key.value, algorithm), {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: [algorithm],
      clockTolerance: SKEW_S,
      currentDate: new Date(nowS * 1_000),
      requiredClaims: ['iss', 'aud', 'exp', 'iat'],
    });
    const unfit = unfitClaims(token, payload, { options, nowS });
    return unfit === null ? ok(payload) : err(unfit);
  } catch (error) {
    return err(sentenceOf(error));
  }
}

type Checking = { readonly options: OidcOptions; readonly nowS: number };

function unfitClaims(
  token: string,
  { aud, iat = 0, exp = 0 }: Claims & { iat?: number; exp?: number },
  { options, nowS }: Checking,
) {
  // For several audiences it could be sent on to us by any of the others.
  if (aud !== options.audience && !(Array.isArray(aud) && aud.length === 1)) return 'the token is not for this service alone';
  if (nowS + SKEW_S < iat) return 'the token is from the future: look at the clocks';
  if (LONGEST_LIFE_S < exp - iat) return 'the token lives longer than a day';
  // What one reader takes for the last and another for the first of two is no statement.
  const parts = token.split('.').slice(0, 2);
  const isTwice = parts.some((part) => !readDocument(Buffer.from(part, 'base64url').toString()).ok);
  return isTwice ? 'the token says something twice' : null;
}

/** In words of ours: what a library says may hold what was sent. */
function sentenceOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token of the job has expired: ask the identity provider for a new one';
  if (error instanceof errors.JWTClaimValidationFailed) return `the token's ${error.claim} is not right`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is not right';
  return 'the token cannot be read as one of its identity provider';
}
