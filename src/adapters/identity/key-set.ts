/** A set of public keys as an identity provider gives it, made into what is used of it: nothing private, nothing shared. */
import { z } from 'zod';
import type { JWK } from 'jose';
import { parsed } from '../outgoing/json.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import { ALGORITHMS } from './options.ts';

const MOST_KEYS = 100;

/** Members that a public key has; whatever else is there is left out. */
const publicKey = z.object({
  kid: z.string().min(1).max(500),
  kty: z.enum(['RSA', 'EC', 'OKP']),
  use: z.string().optional(),
  alg: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
});
const keySet = z.looseObject({ keys: z.array(z.unknown()).min(1).max(MOST_KEYS) });

export type KeySet = ReadonlyMap<string, JWK>;

export function keySetOf(text: string): Result<KeySet, string> {
  const set = keySet.safeParse(parsed(text));
  if (!set.success) return err('what it gave is no set of keys');
  const keys = new Map<string, JWK>();
  const twice = new Set<string>();
  for (const each of set.data.keys) {
    const key = publicKey.safeParse(each);
    if (!key.success || !isForSigning(key.data)) continue;
    // A name for two keys is a name for none.
    if (keys.has(key.data.kid)) twice.add(key.data.kid);
    keys.set(key.data.kid, Object.fromEntries(Object.entries(key.data).filter(([, value]) => value !== undefined)));
  }
  for (const kid of twice) keys.delete(kid);
  return keys.size > 0 ? ok(keys) : err('none of its keys can be used');
}

const isForSigning = ({ use, alg }: z.output<typeof publicKey>): boolean =>
  (use === undefined || use === 'sig') && (alg === undefined || ALGORITHMS.some((each) => each === alg));

export const textOfKeys = (keys: KeySet): string => JSON.stringify({ keys: [...keys.values()] });
