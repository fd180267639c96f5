/**
 * Signatures of the Standard Webhooks 1.0: an HMAC over `id.timestamp.body`, one for every secret while secrets are changed.
 * Who sends and who receives use the same; only bytes and keys are in here, no clock and no network.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type SignedMessage = {
  /** The same for every try; a full stop in it would blur where the time begins. */
  readonly id: string;
  /** Seconds since 1970 of this try. */
  readonly atSeconds: number;
  /** As it goes over the wire, byte by byte. */
  readonly body: string | Uint8Array;
};

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const FEWEST_BYTES = 24;
const MOST_BYTES = 64;

/** What is wrong with a secret, without telling it; null for one that can be signed with. */
export function secretProblem(secret: string): string | null {
  const [, text] = SECRET.exec(secret) ?? [];
  if (text === undefined) return 'a secret is whsec_ and base64: openssl rand -base64 32 makes one';
  const { length } = Buffer.from(text, 'base64');
  if (length < FEWEST_BYTES) return `a secret has ${FEWEST_BYTES} bytes at least, and this one has ${length}`;
  return length > MOST_BYTES ? `a secret has ${MOST_BYTES} bytes at most, and this one has ${length}` : null;
}

/** The value of `webhook-signature`: one signature for each secret, so that receivers may change theirs at their leisure. */
export const sign = (message: SignedMessage, secrets: readonly string[]): string =>
  secrets.map((secret) => `v1,${digest(message, keyOf(secret)).toString('base64')}`).join(' ');

/** What is signed with: what stands behind `whsec_`, decoded. */
export const keyOf = (secret: string): Uint8Array => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

const MOST_SIGNATURES = 8;

/** Whether one of the signatures was made with one of the keys. How old the message may be is the caller's to say. */
export function verify(message: SignedMessage, signatures: string, keys: readonly Uint8Array[]): boolean {
  // As they are written: what is decoded leniently would be more than one text for one signature.
  const given = signatures.split(' ', MOST_SIGNATURES).map((each) => Buffer.from(each));
  // Every pair is looked at, so that the time it takes tells nothing.
  return keys
    .map((key) => Buffer.from(`v1,${digest(message, key).toString('base64')}`))
    .map((wanted) => given.map((one) => one.length === wanted.length && timingSafeEqual(one, wanted)).includes(true))
    .includes(true);
}

const digest = ({ id, atSeconds, body }: SignedMessage, key: Uint8Array): Buffer =>
  createHmac('sha256', key).update(`${id}.${atSeconds}.`).update(body).digest();
