import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { call, onUnknown } from './client.ts';
import { signedOut, whoAmI } from './session.ts';
import type { Identity } from './session.ts';

const REVOKED = { type: 'urn:headgate:problem:unknown-caller', title: 'Say who you are', detail: 'the session was revoked' };
let answer = (): Response => Response.json({});
const heard: (string | null)[] = [];
let stop = (): void => {};

beforeEach(() => {
  heard.length = 0;
  vi.stubGlobal('fetch', async () => answer());
  stop = onUnknown((why) => heard.push(why));
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

it('tells that the session is over, and why, whichever question it was that heard so', async () => {
  answer = () => Response.json(REVOKED, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } });
  await call('/v1/releases');
  expect(heard).toEqual(['the session was revoked']);
  expect(await whoAmI()).toBe(null);
  expect(heard).toHaveLength(2);
});

it('gives no reason where there was nothing that could be over', async () => {
  answer = () => Response.json({ ...REVOKED, detail: 'no token' }, { status: 401, headers: { 'www-authenticate': 'Bearer' } });
  await call('/v1/releases');
  expect(heard).toEqual([null]);
});

it('hears it from the refusal of too many tries, too, which comes instead of one more 401', async () => {
  answer = () => Response.json({ ...REVOKED, type: 'urn:headgate:problem:too-many' }, { status: 429 });
  await call('/v1/releases');
  expect(heard).toEqual(['the session was revoked']);
});

it('is not signed out by a right that is missing, by a limit of somebody else, or by a service that is away', async () => {
  for (const status of [403, 429, 503]) {
    answer = () => Response.json({ detail: 'no' }, { status });
    await call('/v1/releases');
  }
  answer = () => Response.json({ detail: 'the store is away' }, { status: 503 });
  expect(await whoAmI()).toBe(null);
  expect(heard).toEqual([]);
});

it('says that a session is over also where the browser dropped its cookie, and keeps the first reason', () => {
  const known = { kind: 'known', session: {} } as Identity;
  expect(signedOut(known, null)).toMatchObject({ why: expect.stringContaining('has expired') });
  const revoked = signedOut(known, 'the session was revoked');
  expect(revoked).toEqual({ kind: 'signed-out', why: 'the session was revoked' });
  expect(signedOut(revoked, 'this token is not known here')).toBe(revoked);
  // Who comes for the first time has lost nothing.
  expect(signedOut(null, null)).toEqual({ kind: 'signed-out', why: null });
});
