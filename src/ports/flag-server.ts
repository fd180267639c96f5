/** A router whose data plane is this process: whoever asks it for a flag is answered from its table, without a call out. */
import type { Weight } from '../domain/ids.ts';
import type { Slots } from '../domain/target.ts';
import type { TrafficRouter } from './traffic-router.ts';

/** A share that a place in this process takes its first question with. */
export type InitialShare = {
  readonly route: string;
  readonly slots: Slots;
  readonly secondShare: Weight;
  readonly seq: number;
};

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export type FlagEntry = {
  /** By which it is asked for. */
  readonly key: string;
  readonly route: string;
  readonly secondShare: Weight;
  /** What is answered for a slot instead of `stable` or `canary`. */
  readonly values: Readonly<Record<string, JsonValue>>;
};

export type FlagServer = TrafficRouter & {
  flags(): readonly FlagEntry[];
  entry(route: string): FlagEntry | null;
  /** Sets a share at once; an older write than the last one is left out. */
  put(share: InitialShare): void;
};
