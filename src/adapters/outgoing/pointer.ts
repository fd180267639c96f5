/** JSON pointers (RFC 6901): the way to one value in what was sent to us, and where on it nothing was found. */
import { z } from 'zod';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';

export const pointer = z.string().refine((text) => /^(\/([^~/]|~[01])*)*$/.test(text) && text.length <= 500, {
  error: 'a JSON pointer such as /data/0/value (/ in a name is ~1, ~ is ~0)',
  abort: true,
});

/** What the pointer leads to; null and what is not there are different things. */
export function at(document: unknown, pointer: string): Result<unknown, string> {
  let value = document;
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const next = child(value, key);
    if (!next.ok) return err(`the answer has no ${pointer}: ${path === '' ? 'it' : path} ${next.error}`);
    value = next.value;
    path += `/${part}`;
  }
  return ok(value);
}

function child(value: unknown, key: string): Result<unknown, string> {
  if (Array.isArray(value)) {
    if (!/^(0|[1-9]\d{0,8})$/.test(key)) return err(`is a list, and "${key.slice(0, 40)}" is no place in it`);
    return Number(key) < value.length ? ok(value[Number(key)]) : err(`has ${value.length} values only`);
  }
  if (typeof value !== 'object' || value === null) return err(`is ${kindOf(value)}`);
  if (Object.hasOwn(value, key)) return ok((value as Readonly<Record<string, unknown>>)[key]);
  return err(`has ${Object.keys(value).slice(0, 5).join(', ').slice(0, 100) || 'nothing'}`);
}

/** A kind of value, for sentences. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === 'number') return Number.isFinite(value) ? `the number ${value}` : 'a number too large';
  return typeof value === 'boolean' ? String(value) : 'an object';
}
