/**
 * Requests that may come again: an `Idempotency-Key` names one, and whoever sends it again gets the answer of the first
 * time, also when the service was killed between doing it and saying so. What is refused is not kept: it may be put right.
 */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Once, Store } from '../ports/store.ts';
import { ofAnyRoute, problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

/** Spread into the headers of a route that takes a key. */
export const keyHeader = {
  'idempotency-key': z.string().optional().describe('the same for every try of one request; known again for 7 days'),
};

export type Kept = {
  readonly status: 200 | 201 | 202;
  readonly body: unknown;
  readonly location?: string;
  /** The ETag. */
  readonly tag?: string;
};

/** What a handler gives to the store along with its effect; null for a request without a key. */
export type Keep = <T>(answer: (done: T) => Kept) => Once<T> | null;

/** Keys that are being worked on; the store knows those that are done. */
const underWay = new WeakMap<Store, Set<string>>();

const KEY = /^[\x21-\x7e]{1,255}$/;
const NOTHING: Keep = () => null;

type Asked = {
  readonly store: Store;
  readonly isLowering?: boolean;
  /** What a repetition is told; the answer that was kept, unless there is more to say. */
  readonly again?: (c: Context, kept: Kept) => ProblemResponse;
};

/** What lowers exposure is done whatever is wrong with its key, as if it had none. */
export async function once<R>(
  c: Context,
  { store, isLowering = false, again = replayed }: Asked,
  work: (keep: Keep) => Promise<R>,
): Promise<R | ProblemResponse> {
  const key = keyOf(c);
  if (key === null) return work(NOTHING);
  const refusal = (refused: () => ProblemResponse): Promise<R> | ProblemResponse => (isLowering ? work(NOTHING) : refused());
  if (!KEY.test(key)) return refusal(() => unfit(c));
  const { kind, name } = c.get('principal');
  const principal = `${kind}:${name}`;
  const running = underWay.get(store) ?? new Set<string>();
  underWay.set(store, running);
  const mine = `${principal} ${key}`;
  if (running.has(mine))
    return refusal(() => problem(c, 'in_flight', `the request ${key} is being worked on: ask again in a moment`));
  running.add(mine);
  try {
    const digest = await digestOf(c);
    const found = await store.answered(principal, key);
    if (!found) return await work((answer) => ({ principal, key, digest, answer }));
    if (found.digest === digest) return again(c, found.answer as Kept); // it was written as one
    return await refusal(() => another(c, key));
  } finally {
    running.delete(mine);
  }
}

/** With or without the quotes that the draft standard puts around it. */
function keyOf(c: Context): string | null {
  const header = c.req.header('idempotency-key');
  if (header === undefined || c.req.query('validate_only') === 'true') return null;
  return /^"(.+)"$/.exec(header)?.[1] ?? header;
}

async function digestOf(c: Context): Promise<string> {
  const hash = createHash('sha256').update(`${c.req.method} ${c.req.path}\n`);
  return hash.update(await c.req.text()).digest('hex');
}

function unfit(c: Context): ProblemResponse {
  const message = 'an Idempotency-Key has 1 to 255 visible characters';
  return problem(c, 'invalid', message, [{ path: '/idempotency-key', message, line: null, column: null }]);
}

const another = (c: Context, key: string): ProblemResponse =>
  problem(c, 'invalid', `the Idempotency-Key ${key} was used for another request: a new request takes a new key`);

function replayed(c: Context, { status, body, location, tag }: Kept): ProblemResponse {
  const headers = {
    'content-type': 'application/json',
    'idempotency-replayed': 'true',
    ...(location === undefined ? {} : { location }),
    ...(tag === undefined ? {} : { etag: tag }),
  };
  // Its body fitted the route's own schema when it was kept.
  return ofAnyRoute(c.body(JSON.stringify(body), status, headers));
}
