/** The main job on real HAProxy nodes and a real Prometheus, under real requests. More, and longer: `npm run chaos:releases`. */
import { describe, expect, it } from 'vitest';
import { chaosFaults } from './chaos/faults.ts';
import { chaosKill } from './chaos/kill.ts';
import { goodAndBad, metricsAway, nodeDiesInRollback, reloadInTheMiddle } from './chaos/scenarios.ts';

describe('releases on HAProxy and Prometheus', () => {
  it('promotes a good version and takes a bad one back, and loses nobody by shifting', async () => {
    expect((await goodAndBad('prometheus', [0.05])).broken).toEqual([]);
  });

  it('puts the weight back after a reload in the middle, which serves the stable slot only', async () => {
    expect((await reloadInTheMiddle()).broken).toEqual([]);
  });

  it('goes no further while Prometheus is away, and goes on when it is back', async () => {
    const { broken, lines } = await metricsAway(4_000);
    expect(broken).toEqual([]);
    expect(lines.join()).toContain('held without metrics');
  });

  it('lowers the node that is left when one dies in a rollback, and names that one', async () => {
    expect((await nodeDiesInRollback()).broken).toEqual([]);
  });

  it('loses nothing in five kills, three of them at named points', async () => {
    const { broken, seen, releases } = await chaosKill({ rounds: 5, seed: 4 });
    expect(broken).toEqual([]);
    expect(releases).toBeGreaterThan(0);
    expect(seen.well).toBeGreaterThan(500);
  });

  it('is safe at once and comes to rest on a bad link', async () => {
    const { broken } = await chaosFaults([
      { fault: 'timeout', link: 'haproxy', strength: 2 },
      { fault: 'down', link: 'metrics', strength: 2 },
    ]);
    expect(broken).toEqual([]);
  });
});
