import { expect, it } from 'vitest';
import { matchPath, withSearch } from './router.ts';

it('tells which page an address is of, and what its parts stand for', () => {
  expect(matchPath('/releases/:id', '/releases/a%20b')).toEqual({ id: 'a b' });
  expect(matchPath('/releases/:id', '/releases/a/')).toEqual({ id: 'a' });
  expect(matchPath('/', '/')).toEqual({});
  expect(matchPath('/releases/:id', '/releases')).toBeNull();
  expect(matchPath('/releases/:id', '/releases/a/b')).toBeNull();
  expect(matchPath('/releases/:id', '/releases/%E0%A4%A')).toBeNull();
});

it('changes what is searched for in the address, and leaves the rest', () => {
  const place = { path: '/', search: new URLSearchParams('q=shop&cursor=abc') };
  expect(withSearch(place, { service: 'a&b', cursor: null })).toBe('/?q=shop&service=a%26b');
  expect(withSearch(place, { q: '', cursor: null })).toBe('/');
});
