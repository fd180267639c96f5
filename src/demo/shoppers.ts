/** People who use the shop, at a steady rate whatever it answers, and what they saw: the only honest witness of a release. */
import { Agent, get } from 'node:http';

export type Seen = { readonly requests: number; readonly errors: number; readonly totalMs: number };

export type Shoppers = {
  /** By version; what could not be connected at all is `nobody`. */
  seen(): ReadonlyMap<string, Seen>;
  stop(): void;
};

const NOTHING: Seen = { requests: 0, errors: 0, totalMs: 0 };

export function sendShoppers(url: string, perSecond: number): Shoppers {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const counts = new Map<string, Seen>();
  const count = (version: string, failed: boolean, ms: number): void => {
    const before = counts.get(version) ?? NOTHING;
    counts.set(version, {
      requests: before.requests + 1,
      errors: before.errors + (failed ? 1 : 0),
      totalMs: before.totalMs + ms,
    });
  };
  const visit = (): void => {
    const startedMs = performance.now();
    const request = get(url, { agent, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('end', () => {
        const version = response.headers['x-version'];
        count(
          typeof version === 'string' ? version : 'nobody',
          (response.statusCode ?? 500) >= 500,
          performance.now() - startedMs,
        );
      });
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', () => count('nobody', true, performance.now() - startedMs));
  };
  // Catches up after a late timer, so that the rate is the rate.
  const bornMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const owed = Math.floor(((performance.now() - bornMs) / 1000) * perSecond) - sent;
    for (let i = 0; i < Math.min(owed, perSecond); i++) visit();
    sent += owed;
  }, 10);
  return {
    seen: () => new Map(counts),
    stop() {
      clearInterval(timer);
      agent.destroy();
    },
  };
}
