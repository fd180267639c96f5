/** A refusal is said at the values that it means, once, and what means none of them is said on its own. */
import { expect, it } from 'vitest';
import type { Failure } from '../api/client.ts';
import { failureText } from '../api/client.ts';
import { beside, errorAt } from './field.tsx';

const refused = (...pointers: readonly string[]): Failure => ({
  kind: 'refused',
  status: 422,
  problem: {
    type: 'about:blank',
    title: 'The document has problems',
    status: 422,
    detail: 'the body has problems',
    errors: pointers.map((pointer) => ({ pointer, detail: `wrong at ${pointer}`, line: null, column: null })),
  },
});

it('finds what is said of a value and of what is in it, and of nothing that only begins alike', () => {
  const failure = refused('/services/0', '/servicesOf', '/name');
  expect(errorAt(failure, '/services')).toBe('wrong at /services/0');
  expect(errorAt(failure, '/name')).toBe('wrong at /name');
  expect(errorAt(failure, '/expires')).toBeNull();
  expect(errorAt(null, '/name')).toBeNull();
  expect(errorAt({ kind: 'unreachable', detail: 'gone' }, '/name')).toBeNull();
});

it('says beside the fields what they do not say, and nothing when they say it all', () => {
  expect(beside(refused('/name'), ['/name'])).toBeNull();
  const left = beside(refused('/name', '/kind'), ['/name']);
  expect(left && failureText(left)).toContain('wrong at /kind');
  expect(left && failureText(left)).not.toContain('wrong at /name');
  expect(beside(refused(), ['/name'])).not.toBeNull();
  expect(beside({ kind: 'unreachable', detail: 'gone' }, ['/name'])).toEqual({ kind: 'unreachable', detail: 'gone' });
});
