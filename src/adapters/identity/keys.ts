/**
 * The public keys of an identity provider, by their id. Asked for seldom: kept for an hour, asked again for an id that is not
 * known at most once a minute, and used for a day when the provider is away, then no longer.
 */
import { z } from 'zod';
import type { JWK } from 'jose';
import { parsed } from '../outgoing/json.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { OidcOptions } from './options.ts';

export type Keys = { find(kid: string): Promise<Result<JWK, string>> };

export type KeyWorld = {
  monotonicMs(): number;
  /** One GET, bounded in time and size, that follows no redirect; the text of an answer 200. */
  get(url: string): Promise<Result<string, string>>;
};

const FRESH_MS = 3_600_000;
const STALE_MS = 24 * 3_600_000;
const AGAIN_MS = 60_000;
/** While there are none at all nobody can be let in, and it is worth asking sooner. */
const AGAIN_WITHOUT_MS = 5_000;
/** A provider that did not answer so short a time ago keeps nobody waiting whose key is known. */
const AWAY_MS = 5 * 60_000;
const MOST_KEYS = 100;

const publicKey = z.looseObject({
  kid: z.string().min(1).max(500),
  kty: z.enum(['RSA', 'EC', 'OKP']),
  use: z.string().optional(),
});
const keySet = z.looseObject({ keys: z.array(z.unknown()).min(1).max(MOST_KEYS) });
const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });

type Held = { readonly keys: ReadonlyMap<string, JWK>; readonly atMs: number };

export function keysOf(options: Pick<OidcOptions, 'issuer' | 'jwks'>, world: KeyWorld): Keys {
  let held: Held | null = null;
  let triedMs: number | null = null;
  let failure: string | null = null;
  let underway: Promise<void> | null = null;
  const age = (): number => (held === null ? Number.POSITIVE_INFINITY : world.monotonicMs() - held.atMs);
  const refresh = async (): Promise<void> => {
    triedMs = world.monotonicMs();
    const found = await fetched(options, world);
    failure = found.ok ? null : found.error;
    if (found.ok) held = { keys: found.value, atMs: world.monotonicMs() };
  };
  /** Whoever asks meanwhile waits for the same answer. */
  const refreshed = async (): Promise<void> => {
    const pauseMs = held === null ? AGAIN_WITHOUT_MS : AGAIN_MS;
    if (underway === null && triedMs !== null && world.monotonicMs() - triedMs < pauseMs) return;
    underway ??= refresh().finally(() => (underway = null));
    await underway;
  };
  return {
    async find(kid) {
      const isHeld = held?.keys.has(kid) === true;
      if (FRESH_MS <= age() || !isHeld) {
        const isAway = failure !== null && triedMs !== null && world.monotonicMs() - triedMs < AWAY_MS;
        const asking = refreshed();
        if (isHeld && isAway) asking.catch(() => {}); // whoever has to wait hears of it
        else await asking;
      }
      if (STALE_MS <= age()) return err(`the keys of ${options.issuer} cannot be had: ${failure ?? 'not now'}`);
      const key = held?.keys.get(kid);
      return key ? ok(key) : err(`${options.issuer} has no such key`);
    },
  };
}

async function fetched(
  { issuer, jwks }: Pick<OidcOptions, 'issuer' | 'jwks'>,
  world: KeyWorld,
): Promise<Result<Held['keys'], string>> {
  const url = jwks === undefined ? await discovered(issuer, world) : ok(jwks);
  if (!url.ok) return url;
  const text = await world.get(url.value);
  if (!text.ok) return text;
  const set = keySet.safeParse(parsed(text.value));
  if (!set.success) return err('what it gave is no set of keys');
  const keys = new Map<string, JWK>();
  const twice = new Set<string>();
  for (const each of set.data.keys) {
    const key = publicKey.safeParse(each);
    if (!key.success || (key.data.use !== undefined && key.data.use !== 'sig')) continue;
    // A name for two keys is a name for none.
    if (keys.has(key.data.kid)) twice.add(key.data.kid);
    keys.set(key.data.kid, key.data as JWK); // its other members are `jose`'s to look at
  }
  for (const kid of twice) keys.delete(kid);
  return keys.size > 0 ? ok(keys) : err('none of its keys can be used');
}

/** The provider says where its keys are, and that is at the provider: elsewhere only when the operator says so. */
async function discovered(issuer: string, world: KeyWorld): Promise<Result<string, string>> {
  const text = await world.get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!text.ok) return text;
  const found = discovery.safeParse(parsed(text.value));
  if (!found.success) return err('its openid-configuration cannot be read');
  if (found.data.issuer !== issuer) return err('its openid-configuration is of another issuer');
  const { jwks_uri: url } = found.data;
  return new URL(url).origin === new URL(issuer).origin ? ok(url) : err('its keys are said to be on another host');
}
