/** The console's pages as the service serves them: built files under a strict policy, the pages' own addresses, nothing else. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld } from '../src/demo/world.ts';
import type { World } from '../src/demo/world.ts';
import { consoleRoutes } from '../src/http/console.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-console-'));
let world: World;
beforeAll(async () => {
  world = await openWorld({ folder, perSecond: 1 });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${world.url}${path}`, { headers });

test('every page is the same document, asked for anew each time, under a policy that allows nothing foreign', async () => {
  const first = await (await get('/')).text();
  for (const path of [
    '/',
    '/releases/01a1fe19-b6f9-791c',
    '/new',
    '/history',
    '/audit',
    '/connections',
    '/deliveries',
    '/tokens',
  ]) {
    const answer = await get(path);
    expect(answer.status, path).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(await answer.text()).toBe(first);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  }
  // What the policy would refuse is not in there to begin with, and nothing is fetched from elsewhere.
  expect(first).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:\/\//);
});

test('what the document names is served for ever, packed where that is understood', async () => {
  const named = [...(await (await get('/')).text()).matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(named.map((path) => path.split('.').at(-1)).toSorted()).toEqual(['css', 'js', 'svg']);
  for (const path of named) {
    const answer = await get(path);
    expect(answer.status, path).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const packed = await answer.text();
    const plain = await get(path, { 'accept-encoding': 'identity' });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(packed);
    // The corner of the demo world is in no build.
    expect(packed).not.toMatch(/\/demo\/|canary bad/);
  }
});

test('an address that is no page stays a problem, and so does one that only looks like a file', async () => {
  for (const path of [
    '/nothing',
    '/releases',
    '/releases/a/b',
    '/console/none.js',
    '/console/../package.json',
    '/console/%2e%2e/index.html',
  ]) {
    const answer = await get(path);
    expect(answer.status, path).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  }
  const posted = await fetch(`${world.url}/history`, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
});

test('without built pages the service says so, and how to have them', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const answer = await consoleRoutes(empty).request('/history', { headers: { accept: 'text/html' } });
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('npm run build:console');
  writeFileSync(join(empty, 'index.html'), 'built');
  expect(await (await consoleRoutes(empty).request('/history')).text()).toBe('built');
});
