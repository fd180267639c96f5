/** Numbers about Headgate itself, for `/metrics`. Labels are bounded: services, checks, targets, providers, kinds. */
import type { CheckVerdict } from '../domain/analysis/measurement.ts';
import type { Target } from '../domain/target.ts';
import type { Instant } from '../domain/ids.ts';
import type { InboxTally } from './inbox.ts';
import type { EndpointState, Tally } from './store.ts';

export type Recorder = {
  tick(seconds: number, outcome: 'ok' | 'stale' | 'crashed'): void;
  /** How late a release or a target was picked up, in seconds. */
  lag(queue: 'release' | 'target', seconds: number): void;
  routerCall(router: string, operation: string, outcome: string, seconds: number): void;
  providerCall(provider: string, outcome: string, seconds: number): void;
  /** What one check said at one look. */
  verdict(service: string, check: string, verdict: CheckVerdict): void;
  delivery(notifier: string, outcome: string): void;
  /** A webhook that came in, and what became of it. */
  webhook(source: string, outcome: 'kept' | 'known' | 'full' | 'refused' | 'done' | 'retry' | 'parked'): void;
  flagRead(source: string, outcome: string): void;
  event(type: string): void;
  /** The release of a service is over: there is no evidence any more. */
  ended(service: string): void;
  /** Shares of a target's second slot, in basis points; null when nobody can tell any more. */
  weight(target: string, kind: 'desired' | 'served', basisPoints: number | null): void;
  drift(target: string): void;
  breaker(dependency: string, open: boolean): void;
  /** From deciding a rollback until no traffic was read back on the new version. */
  timeToSafe(service: string, seconds: number): void;
  /** The store could not be used, or not written just now. */
  storeFailed(): void;
  stock(stock: Stock): void;
};

/** What stands how, taken when somebody asks for the numbers: what only events told would be gone after a restart. */
export type Stock = {
  /** Seconds since the slowest loop of the scheduler came round. */
  readonly loopSilence: number;
  /** Seconds that the machine's clock is ahead of the one that Headgate goes by. */
  readonly clockStep: number;
  /** Null when the store does not answer. */
  readonly stored:
    | (Tally & {
        readonly now: Instant;
        readonly targets: readonly Target[];
        readonly endpoints: readonly EndpointState[];
        readonly inbox: readonly InboxTally[];
      })
    | null;
  /** Every one that is configured. */
  readonly notifiers: readonly string[];
};
