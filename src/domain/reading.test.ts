import { describe, expect, it } from 'vitest';
import { EDGE, NOON } from '../../test/story.ts';
import { Weight } from './ids.ts';
import { hasRestarted, standingOf } from './reading.ts';
import type { Service, Target } from './target.ts';

const target = (change: Partial<Target> = {}): Target => ({
  id: EDGE,
  service: 'checkout',
  router: 'edge',
  route: 'app',
  cell: 'eu',
  slots: ['blue', 'green'],
  management: 'enforce',
  desiredSecond: Weight(2500),
  seq: 3,
  verifiedSecond: Weight(2500),
  verifiedSeq: 3,
  verifiedAt: NOON,
  boots: { n1: 'a' },
  driftAt: null,
  differs: null,
  unreachableSince: null,
  eventSeq: 0,
  ...change,
});
const service = (stableSlot: string): Service => ({ name: 'checkout', stableSlot, stableVersion: '1.0.0', updatedAt: NOON });
const serves = (share: number, boot: string | null = 'a') => ({ node: 'n1', secondShare: Weight(share), boot });

describe('what a node serves, where the second slot is the canary', () => {
  it('is as wanted, above or below', () => {
    expect(standingOf(target(), service('blue'), serves(2500))).toBe('asWanted');
    expect(standingOf(target(), service('blue'), serves(2501))).toBe('above');
    expect(standingOf(target(), service('blue'), serves(2499))).toBe('belowByHand');
  });

  it('is explained when the node restarted since the last verified write', () => {
    expect(standingOf(target(), service('blue'), serves(0, 'b'))).toBe('belowExplained');
    expect(standingOf(target({ boots: {} }), service('blue'), serves(0, 'a'))).toBe('belowExplained');
  });

  it('is explained when the last write was never verified', () => {
    expect(standingOf(target({ verifiedSeq: 2 }), service('blue'), serves(0))).toBe('belowExplained');
  });

  it('is above whatever restarted: a restart excuses no exposure', () => {
    expect(standingOf(target(), service('blue'), serves(10_000, 'b'))).toBe('above');
  });
});

it('turns round when the second slot is stable: less of it is more of the canary', () => {
  expect(standingOf(target(), service('green'), serves(2000))).toBe('above');
  expect(standingOf(target(), service('green'), serves(3000))).toBe('belowByHand');
});

it('does not take a router without a boot marker for restarted', () => {
  expect(hasRestarted(target(), serves(0, null))).toBe(false);
});
