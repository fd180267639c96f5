import { expect, it } from 'vitest';
import { ann, bob } from '../../test/story.ts';
import { isSamePerson, refusesGrant, refusesRight, SCOPES } from './rights.ts';
import type { Principal } from './rights.ts';

const someone = (more: Partial<Principal> = {}): Principal => ({
  kind: 'person',
  name: 'ann',
  scopes: ['read', 'raise'],
  services: ['shop'],
  token: 't',
  behalf: null,
  provenance: null,
  ...more,
});

it('says who has the right that is missing', () => {
  expect(refusesRight(someone(), 'raise', 'shop')).toBeNull();
  expect(refusesRight(someone(), 'admin')).toBe('ann has no right to administer (admin): the role admin has it');
  expect(refusesRight(someone(), 'raise', 'search')).toBe('ann has rights for shop only');
});

it('lets whoever may lower do so for every service', () => {
  expect(refusesRight(someone({ scopes: ['lower'] }), 'lower', 'search')).toBeNull();
});

it('lets nobody give what he has not', () => {
  const admin = someone({ scopes: SCOPES, services: null });
  expect(refusesGrant(admin, { role: 'admin', scopes: [], services: null })).toBeNull();
  expect(refusesGrant(someone(), { role: null, scopes: ['read'], services: ['shop'] })).toBeNull();
  expect(refusesGrant(someone(), { role: 'operator', scopes: [], services: ['shop'] })).toMatch(
    /no right to lower, plan, measure, evaluate and audit/,
  );
  expect(refusesGrant(someone(), { role: null, scopes: ['read'], services: null })).toMatch(/no rights for all services/);
});

it('knows a person by the name of a pipeline that runs for him', () => {
  const job = { kind: 'ci', name: 'acme/shop run 7', behalf: 'Ann' } as const;
  expect(isSamePerson(job, ann)).toBe(true);
  expect(isSamePerson(ann, job)).toBe(true);
  expect(isSamePerson(job, bob)).toBe(false);
  expect(isSamePerson(ann, bob)).toBe(false);
  expect(isSamePerson({ kind: 'ci', name: 'a' }, { kind: 'ci', name: 'b' })).toBe(false);
});
