/** Numbers about Headgate itself, for `/metrics`. Labels are bounded: services, targets, providers, kinds. */
export type Recorder = {
  tick(seconds: number, outcome: 'ok' | 'stale' | 'crashed'): void;
  /** How late a release or a target was picked up, in seconds. */
  lag(queue: 'release' | 'target', seconds: number): void;
  routerCall(router: string, operation: string, outcome: string, seconds: number): void;
  providerCall(provider: string, outcome: string, seconds: number): void;
  delivery(notifier: string, outcome: string): void;
  event(type: string): void;
  /** Canary weights of a target, in basis points. */
  weight(target: string, kind: 'desired' | 'served', basisPoints: number): void;
  drift(target: string): void;
  breaker(dependency: string, open: boolean): void;
};
