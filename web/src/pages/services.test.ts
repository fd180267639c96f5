import { expect, it } from 'vitest';
import type { ServiceView } from '../../../src/contract/wire.ts';
import { matching } from './services.tsx';

const services = [
  { name: 'shop', stableVersion: '1.2.0' },
  { name: 'shop-api', stableVersion: '2.0.0-RC1' },
  { name: 'new', stableVersion: null },
] as unknown as readonly ServiceView[];
const names = (q: string, service = ''): readonly string[] => matching(services, q, service).map(({ name }) => name);

it('follows the filters of the page: a service is that one, a search is part of its name or version', () => {
  expect(names('')).toEqual(['shop', 'shop-api', 'new']);
  expect(names('', 'shop')).toEqual(['shop']);
  expect(names(' SHOP')).toEqual(['shop', 'shop-api']);
  expect(names('rc1')).toEqual(['shop-api']);
  expect(names('shop', 'new')).toEqual([]);
});
