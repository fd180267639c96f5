/**
 * Users at a steady rate, whatever the service does: an open loop over kept connections. Each request is its own witness:
 * who answered, or in which way nobody did. A connection that was closed while idle is nobody's failure, and is not counted
 * as one, which is where load generators that count resets go wrong.
 */
import { Agent, get } from 'node:http';

export type Outcome = 'well' | 'error' | 'gateway' | 'nobody';

export type Seen = {
  readonly atMs: number;
  readonly port: number;
  readonly version: string | null;
  /** `error` an answer of the application that is one, `gateway` one of the load balancer, `nobody` no answer at all. */
  readonly outcome: Outcome;
};

export type Users = {
  /** Everything since the last call, in the order of sending. */
  take(): readonly Seen[];
  /** When was the last request sent that this version answered? 0 when none was. */
  lastServedBy(version: string): number;
  /** When was its first bad answer given? */
  firstBadOf(version: string): number;
  readonly sent: () => number;
  stop(): Promise<void>;
};

export function users(ports: readonly number[], perSecond: number): Users {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let seen: Seen[] = [];
  const lastServed = new Map<string, number>();
  const firstBad = new Map<string, number>();
  let sent = 0;
  const open = { count: 0 };
  const note = (one: Seen): void => {
    open.count--;
    seen.push(one);
    if (one.version === null) return;
    lastServed.set(one.version, Math.max(lastServed.get(one.version) ?? 0, one.atMs));
    if (one.outcome === 'error' && !firstBad.has(one.version)) firstBad.set(one.version, performance.now());
  };
  const visit = (port: number, atMs: number, isAgain: boolean): void => {
    const request = get({ port, host: '127.0.0.1', agent, timeout: 10_000 }, (answer) => {
      answer.resume();
      const version = answer.headers['x-version'];
      const status = answer.statusCode ?? 0;
      answer.on('end', () =>
        note({
          atMs,
          port,
          version: typeof version === 'string' ? version : null,
          outcome: typeof version !== 'string' ? 'gateway' : status < 500 ? 'well' : 'error',
        }),
      );
      answer.on('error', () => note({ atMs, port, version: null, outcome: 'nobody' }));
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The other side closed an idle connection in the same moment: every client asks again.
      if (request.reusedSocket && !isAgain && error.code === 'ECONNRESET') return visit(port, atMs, true);
      note({ atMs, port, version: null, outcome: 'nobody' });
    });
  };
  const bornMs = performance.now();
  const timer = setInterval(() => {
    const owed = Math.floor(((performance.now() - bornMs) / 1000) * perSecond) - sent;
    for (let n = 0; n < Math.min(owed, perSecond); n++) {
      open.count++;
      visit(ports[(sent + n) % ports.length] ?? 0, performance.now(), false);
    }
    sent += owed;
  }, 5);
  return {
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    lastServedBy: (version) => lastServed.get(version) ?? 0,
    firstBadOf: (version) => firstBad.get(version) ?? 0,
    sent: () => sent,
    async stop() {
      clearInterval(timer);
      for (let waits = 0; open.count > 0 && waits < 100; waits++) await new Promise((done) => setTimeout(done, 20));
      agent.destroy();
    },
  };
}

export const counted = (seen: readonly Seen[]): Readonly<Record<Outcome, number>> => {
  const counts = { well: 0, error: 0, gateway: 0, nobody: 0 };
  for (const { outcome } of seen) counts[outcome]++;
  return counts;
};
