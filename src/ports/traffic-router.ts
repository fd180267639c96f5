/**
 * A place that splits traffic between two slots. An adapter tries once, within the caller's signal; retrying, breakers
 * and rules are the controller's. Never trust an acknowledgement: `apply` resolves well only after the running data
 * plane was read back and shows the weight *and* the seq (where it can keep one).
 */
import type { Slots } from '../domain/target.ts';
import type { Weight } from '../domain/ids.ts';
import type { Result } from '../lib/result.ts';

export type Route = { readonly name: string; readonly slots: Slots };

export type Capabilities = {
  /** Smallest change and smallest weight above nothing, in basis points. */
  readonly minStepBp: number;
  readonly minNonZeroBp: number;
  /**
   * Where a share is too small (or too near to everything) for the place: `least` serves the smallest that it can, as a
   * load balancer does, `nothing` waits for a share that it can represent.
   */
  readonly tooLittle: 'least' | 'nothing';
  readonly distribution: 'deterministic' | 'random';
  /** One write, several writes in a safe order, or several with gaps. */
  readonly atomic: 'single-op' | 'ordered-ops' | 'none';
  /** A change resets no client connection. */
  readonly hitless: boolean;
  /** `fence`: refuses a lower seq. `reports`: keeps the seq and shows it. `none`: cannot keep it. */
  readonly seq: 'fence' | 'reports' | 'none';
  readonly readBack: 'authoritative' | 'config' | 'sampled';
  /** Does the weight survive a restart of the router? */
  readonly persistence: 'none' | 'graceful-only' | 'crash-safe';
  readonly sticky: 'none' | 'cookie' | 'hash-monotone';
  /** Do clients that stick to the canary leave it at 0 %? */
  readonly zeroEvictsSticky: boolean;
  readonly headerOverride: boolean;
  /** Goes on serving when Headgate is dead. */
  readonly independent: boolean;
  readonly applyTimeoutMs: number;
};

export type WeightWrite = {
  readonly route: Route;
  readonly secondShare: Weight;
  /**
   * The target's intent number. A router that keeps it refuses a lower one than it has seen, whichever way that goes, and
   * shows in the refusal what it has seen: whether that was ever given out is known to the caller alone.
   */
  readonly seq: number;
  /**
   * `raise`: all nodes or none. `lower`: every node that answers, whatever the rest does.
   * Said by the caller, because which slot is the canary is no business of the router.
   */
  readonly direction: 'raise' | 'lower';
};

/** What one node serves now; `secondShare` null when it cannot be told. */
export type NodeReading = {
  readonly node: string;
  readonly reachable: boolean;
  readonly secondShare: Weight | null;
  readonly seq: number | null;
  /** Changes when the node restarted; null where the router has no such marker. */
  readonly boot: string | null;
  readonly detail: string | null;
};

export type SlotHealth = { readonly slot: string; readonly healthy: boolean; readonly detail: string };

export type RouterError = {
  /**
   * `unreachable` no answer; `rejected` an answer that says no; `not_found` no such route; `stale` a newer seq is there, and `nodes` shows it;
   * `not_effective` acknowledged, but the read-back shows something else; `unsupported`; `timeout` the signal fired.
   */
  readonly kind: 'unreachable' | 'rejected' | 'not_found' | 'stale' | 'not_effective' | 'unsupported' | 'timeout';
  /** What was tried, on what, what came back. Lower case, no full stop, no secrets. */
  readonly detail: string;
  /** What is known of each node after the attempt. */
  readonly nodes: readonly NodeReading[];
};

export type Applied = {
  /** False when everything was already so and nothing was written. */
  readonly changed: boolean;
  readonly nodes: readonly NodeReading[];
};

export type Preflight = { readonly nodes: readonly NodeReading[]; readonly slots: readonly SlotHealth[] };

export type TrafficRouter = {
  readonly name: string;
  readonly type: string;
  readonly capabilities: Capabilities;
  /**
   * The nearest share on that side that the place can represent: idempotent, monotone, 0 and 10000 exact, and never one
   * of these two for a share between them, but on that side where `tooLittle` is `nothing`.
   */
  quantize(route: Route, secondShare: Weight, towards: 'down' | 'up'): Weight;
  /** Is the route there, are its nodes reachable and its slots healthy? Writes nothing. */
  preflight(route: Route, signal: AbortSignal): Promise<Result<Preflight, RouterError>>;
  apply(write: WeightWrite, signal: AbortSignal): Promise<Result<Applied, RouterError>>;
  /** Asks the data plane every time; no cache. */
  read(route: Route, signal: AbortSignal): Promise<Result<readonly NodeReading[], RouterError>>;
  /** Everything away from one slot, by the shortest path, sticky clients too. Partial success is fine and is told. */
  cutOff(route: Route, slot: string, seq: number, signal: AbortSignal): Promise<Result<Applied, RouterError>>;
  /**
   * What the place serves after a restart, until somebody tells it otherwise: everything on the stable slot. Compares
   * before it writes; the answer says whether it wrote. Only where a router keeps such a thing.
   */
  setBootShare?(route: Route, secondShare: Weight): Promise<Result<boolean, RouterError>>;
  /** Counts of what the adapter leaves behind (workers, files, sockets); must stay bounded. */
  residue(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
};
