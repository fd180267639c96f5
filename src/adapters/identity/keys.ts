/**
 * The public keys of an identity provider, by their id. Asked for seldom: kept for an hour, asked again for an id that is not
 * known at most once a minute. While the provider is away they are used for a day, after a restart, too, and then no longer.
 */
import { z } from 'zod';
import type { JWK } from 'jose';
import { parsed } from '../outgoing/json.ts';
import type { Instant } from '../../domain/ids.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { KeyStore } from '../../ports/key-store.ts';
import type { Log } from '../../ports/log.ts';
import { keySetOf, textOfKeys } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import type { OidcOptions } from './options.ts';

export type Keys = { find(kid: string): Promise<Result<JWK, string>> };

export type KeyWorld = {
  monotonicMs(): number;
  now(): Instant;
  /** One GET, bounded in time and size, that follows no redirect; the text of an answer 200. */
  get(url: string): Promise<Result<string, string>>;
  readonly store: KeyStore;
  readonly log: Log;
};

const FRESH_MS = 3_600_000;
const AGAIN_MS = 60_000;
/** While there are none of this process's own asking it is worth asking sooner. */
const AGAIN_WITHOUT_MS = 5_000;
/** A provider that did not answer so short a time ago keeps nobody waiting whose key is known. */
const AWAY_MS = 5 * 60_000;
/** The machine's clock may have been put right by so much since they were kept. */
const SKEW_MS = 60_000;

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });

type Place = Pick<OidcOptions, 'issuer' | 'jwks' | 'keepKeys'>;
/** `isAway`: nothing was heard from it; what it says wrongly is another matter. */
type Failure = { readonly isAway: boolean; readonly detail: string };
/** `isOld`: kept by the process before, and not heard from the provider since. */
type Held = { readonly keys: KeySet; readonly atMs: number; readonly isOld: boolean };

export function keysOf(place: Place, world: KeyWorld): Keys {
  let held: Held | null = null;
  let triedMs: number | null = null;
  let failure: string | null = null;
  let underway: Promise<void> | null = null;
  const age = (): number => (held === null ? Number.POSITIVE_INFINITY : world.monotonicMs() - held.atMs);
  const refresh = async (): Promise<void> => {
    triedMs = world.monotonicMs();
    const found = await fetched(place, world);
    failure = found.ok ? null : found.error.detail;
    if (found.ok) {
      held = { keys: found.value, atMs: world.monotonicMs(), isOld: false };
      await keep(place, found.value, world);
    } else if (held === null && found.error.isAway) held = await kept(place, world);
  };
  /** Whoever asks meanwhile waits for the same answer. */
  const refreshed = async (): Promise<void> => {
    const pauseMs = held === null || held.isOld ? AGAIN_WITHOUT_MS : AGAIN_MS;
    if (underway === null && triedMs !== null && world.monotonicMs() - triedMs < pauseMs) return;
    underway ??= refresh().finally(() => (underway = null));
    await underway;
  };
  return {
    async find(kid) {
      const isHeld = held?.keys.has(kid) === true;
      if (FRESH_MS <= age() || !isHeld || held?.isOld === true) {
        const isAway = failure !== null && triedMs !== null && world.monotonicMs() - triedMs < AWAY_MS;
        const asking = refreshed();
        if (isHeld && isAway) asking.catch(() => {}); // whoever has to wait hears of it
        else await asking;
      }
      if (place.keepKeys <= age()) return err(`the keys of ${place.issuer} cannot be had: ${failure ?? 'not now'}`);
      const key = held?.keys.get(kid);
      return key ? ok(key) : err(`${place.issuer} has no such key`);
    },
  };
}

const ownerOf = ({ issuer, jwks = '' }: Place) => ({ issuer, jwks });

/** For the process after this one. Nobody is kept out because it could not be written. */
async function keep(place: Place, keys: KeySet, { store, log }: KeyWorld): Promise<void> {
  try {
    await store.keepKeys({ ...ownerOf(place), keys: textOfKeys(keys) });
  } catch (error) {
    log.warn({ issuer: place.issuer }, `the keys of ${place.issuer} could not be kept for a restart: ${String(error)}`);
  }
}

async function kept(place: Place, { store, log, now, monotonicMs }: KeyWorld): Promise<Held | null> {
  try {
    const found = await store.keptKeys(ownerOf(place));
    const ageMs = found ? now() - found.at : 0;
    if (!found || ageMs < -SKEW_MS || place.keepKeys <= ageMs) return null;
    const keys = keySetOf(found.keys);
    if (!keys.ok) return null;
    log.warn({ issuer: place.issuer }, `${place.issuer} cannot be reached: its jobs are let in by the keys that it had`);
    return { keys: keys.value, atMs: monotonicMs() - Math.max(0, ageMs), isOld: true };
  } catch (error) {
    log.warn({ issuer: place.issuer }, `the keys that ${place.issuer} had cannot be read: ${String(error)}`);
    return null;
  }
}

async function fetched({ issuer, jwks }: Place, world: KeyWorld): Promise<Result<KeySet, Failure>> {
  const url = jwks === undefined ? await discovered(issuer, world) : ok(jwks);
  if (!url.ok) return url;
  const text = await world.get(url.value);
  if (!text.ok) return away(text.error);
  const keys = keySetOf(text.value);
  return keys.ok ? keys : wrong(keys.error);
}

/** The provider says where its keys are, and that is at the provider: elsewhere only when the operator says so. */
async function discovered(issuer: string, world: KeyWorld): Promise<Result<string, Failure>> {
  const text = await world.get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!text.ok) return away(text.error);
  const found = discovery.safeParse(parsed(text.value));
  if (!found.success) return wrong('its openid-configuration cannot be read');
  if (found.data.issuer !== issuer) return wrong('its openid-configuration is of another issuer');
  const { jwks_uri: url } = found.data;
  return new URL(url).origin === new URL(issuer).origin ? ok(url) : wrong('its keys are said to be on another host');
}

const away = (detail: string) => err<Failure>({ isAway: true, detail });
const wrong = (detail: string) => err<Failure>({ isAway: false, detail });
