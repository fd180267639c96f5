/** What can be told to the step machine: what the world looks like, what became of a weight change, what somebody asks for. */
import type { CheckVerdict } from './analysis/measurement.ts';
import type { TargetFailure } from './event.ts';
import type { FlagChange } from './flag.ts';
import type { Instant, ReleaseId, Weight } from './ids.ts';
import type { Actor, Command } from './release.ts';

export type Input =
  /** Nothing is before it any more: a queued release may start, against what is stable by now. */
  | { readonly kind: 'unblocked'; readonly stableVersion: string | null }
  /** Every target was looked at and the `beforeStart` hook called. */
  | {
      readonly kind: 'prepared';
      readonly failure: { readonly reason: 'preflight' | 'hook'; readonly detail: string } | null;
    }
  | {
      readonly kind: 'observed';
      readonly served: Served;
      /** When drift was last seen on one of its targets. */
      readonly driftAt: Instant | null;
      /** The newest verdict of every check of the present step; a check that was never measured is missing. */
      readonly verdicts: Readonly<Record<string, CheckVerdict>>;
      /** Why all evidence begins anew: another stable than before. Null when it does not. */
      readonly restart: string | null;
    }
  /** The wanted weight was applied everywhere; no failures means that it was read back everywhere. */
  | { readonly kind: 'shifted'; readonly weight: Weight; readonly failures: readonly TargetFailure[] }
  | {
      readonly kind: 'hooked';
      readonly hook: string;
      readonly outcome: 'done' | 'accepted' | 'failed';
      readonly detail: string;
    }
  | { readonly kind: 'command'; readonly command: Command; readonly actor: Actor }
  /** A flag that the service names is another than before. */
  | { readonly kind: 'flagChanged'; readonly change: FlagChange }
  | { readonly kind: 'superseded'; readonly by: ReleaseId; readonly actor: Actor }
  /** The handler of this release crashed as often as it may. */
  | { readonly kind: 'crashed'; readonly error: string };

/** What all targets of the release serve, against what it wants. */
export type Served =
  | { readonly kind: 'asWanted' }
  | { readonly kind: 'unreachable'; readonly failures: readonly TargetFailure[] }
  /** `byHand`: lower than wanted with no restart that would explain it: somebody means it. */
  | { readonly kind: 'differs'; readonly byHand: boolean; readonly failures: readonly TargetFailure[] };
