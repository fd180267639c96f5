import { afterEach, expect, it, vi } from 'vitest';
import type { ReleaseView } from '../../../src/contract/wire.ts';
import { commandLine, saidOf, sendCommand } from './commands.ts';
import type { Offer } from './commands.ts';

const offer = (verb: string, option: Offer['option'] = null): Offer => ({
  verb,
  option,
  accepted: true,
  reason: null,
  effect: 'does it',
  needsReason: false,
  past: null,
});
const release = { id: 'R1', stateVersion: 12 } as ReleaseView;
afterEach(() => vi.unstubAllGlobals());

it('writes the line that does the same, safe to paste whatever the reason is', () => {
  expect(commandLine('R1', offer('rollback'), '')).toBe('headgate release rollback R1');
  expect(commandLine('R1', offer('promote', 'force'), "it's $(fine)")).toBe(
    String.raw`headgate release promote R1 --force --reason 'it'\''s $(fine)'`,
  );
  vi.stubGlobal('location', { origin: 'http://headgate:8080' });
  expect(commandLine('R1', offer('confirmReplaced'), '')).toBe(
    `curl -X POST -H 'if-match: *' -H "authorization: Bearer $HEADGATE_TOKEN" http://headgate:8080/v1/releases/R1/stable-replaced`,
  );
});

it('has a name for each verb, and shows one that it does not know by its own', () => {
  expect(saidOf(offer('promote', 'full')).name).toBe('Promote fully');
  expect(saidOf(offer('teleport')).name).toBe('teleport');
});

it('says which state it saw with everything but pausing and rolling back', async () => {
  const asked: [string, RequestInit][] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push([path, init]);
    return Response.json({});
  });
  await sendCommand(release, offer('rollback'), { reason: ' bad ', key: 'k' });
  await sendCommand(release, offer('promote', 'full'), { reason: '', key: 'k' });
  await sendCommand(release, offer('confirmReplaced'), { reason: '', key: 'k' });
  expect(asked.map(([path]) => path)).toEqual([
    '/v1/releases/R1/commands/rollback',
    '/v1/releases/R1/commands/promote',
    '/v1/releases/R1/stable-replaced',
  ]);
  expect(asked.map(([, { body }]) => body)).toEqual(['{"reason":"bad"}', '{"full":true}', '{}']);
  const headers = asked.map(([, init]) => new Headers(init.headers));
  expect(headers.map((each) => each.get('if-match'))).toEqual([null, '"12"', '"12"']);
  expect(headers.map((each) => each.get('idempotency-key'))).toEqual([null, 'k', 'k']);
});

it('names what force leaves out as the service says it', () => {
  expect(saidOf({ ...offer('promote', 'force'), past: 'without its approval' }).name).toBe('Go on without its approval');
  expect(saidOf(offer('promote')).name).toBe('Go on');
});
