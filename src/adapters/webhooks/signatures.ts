/**
 * Whether a delivery comes from who it says: five ways, each over the raw bytes and in constant time. Several keys are
 * given while one is being exchanged for another; every one of them is tried, so that time tells nobody which it was.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Instant } from '../../domain/ids.ts';
import { verify } from '../../lib/standard-webhooks.ts';

type Keys = readonly string[];

/** How far a sender's clock may be from ours, and how long a delivery that was listened to can be sent again. */
const TOLERANCE_MS = 300_000;

/** Hex HMAC-SHA256 of the body: LaunchDarkly, Flagsmith, GrowthBook, Flipt; with `sha256=` before it, GitHub. */
export function isHexSigned(body: Uint8Array, signature: string | undefined, keys: Keys, prefix = ''): boolean {
  return any(keys, (key) => isEqual(`${prefix}${createHmac('sha256', key).update(body).digest('hex')}`, signature ?? ''));
}

export type Stamped = {
  readonly id: string | undefined;
  /** Seconds since 1970. */
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
};

/** Standard Webhooks 1.0: `keys` are the bytes to sign with. Only the symmetric form (`v1`) is known here. */
export function isStandardSigned(body: Uint8Array, stamped: Stamped, keys: readonly Uint8Array[], now: Instant): boolean {
  const { id, timestamp, signature } = stamped;
  if (!id || !isFresh(timestamp, now) || !signature) return false;
  return verify({ id, atSeconds: Number(timestamp), body }, signature, keys);
}

/** ConfigCat: the same three parts with nothing between them, and a key that keeps its prefix. */
export function isConfigcatSigned(body: Uint8Array, stamped: Stamped, keys: Keys, now: Instant): boolean {
  const { id, timestamp, signature } = stamped;
  if (!id || !isFresh(timestamp, now) || !signature) return false;
  const signatures = signature.split(',').slice(0, MOST_SIGNATURES);
  return any(keys, (key) => {
    const expected = createHmac('sha256', key).update(`${id}${timestamp}`).update(body).digest('base64');
    return any(signatures, (given) => isEqual(expected, given.trim()));
  });
}

/** A token that is the same every time: it says who knows it, and nothing of what was sent. */
export const isToken = (given: string | undefined, tokens: Keys): boolean =>
  any(tokens, (token) => timingSafeEqual(digest(token), digest(given ?? '')));

export const digestOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

const MOST_SIGNATURES = 8;

function isFresh(timestamp: string | undefined, now: Instant): boolean {
  // With a zero before it the end of an id that nothing separates from it could be read as its beginning.
  if (timestamp === undefined || !/^[1-9]\d{0,11}$/.test(timestamp)) return false;
  return Math.abs(now - Number(timestamp) * 1_000) <= TOLERANCE_MS;
}

/** Looks at all of them, whichever fits. */
const any = <T>(items: readonly T[], fits: (item: T) => boolean): boolean =>
  items.reduce((found, item) => fits(item) || found, false);

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
