/** Calls out to the operator's own automation (`beforeStart`, `replaceStable`), at least once, with an idempotency key. */
import type { Result } from '../lib/result.ts';

export type HookName = 'beforeStart' | 'replaceStable';

export type HookCall = {
  readonly hook: HookName;
  readonly service: string;
  /** Same key for every try of the same call. */
  readonly key: string;
  readonly payload: unknown;
};

export type Hooks = {
  has(service: string, hook: HookName): boolean;
  /** `done`: a 2xx answer. `accepted`: 202, the receiver will say by API when it is done. The error is retried by the controller. */
  call(call: HookCall, signal: AbortSignal): Promise<Result<'done' | 'accepted', string>>;
};
