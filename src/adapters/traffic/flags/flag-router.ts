/**
 * A flag of some platform as a place where traffic is split: those who get the flag are on one slot, everybody else on
 * the other. The platform says how it is read and written; here is what every one of them owes the port: the fence, comparing
 * before writing, reading back after, and taking the flag from everybody by whichever way works.
 */
import { ALL, complement, NONE, percent, Weight } from '../../../domain/ids.ts';
import { isBehind } from '../../../domain/target.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type {
  Applied,
  Capabilities,
  NodeReading,
  Route,
  RouterError,
  TrafficRouter,
  WeightWrite,
} from '../../../ports/traffic-router.ts';
import type { FlagError, FlagPlatform, FlagState, FlagWrite } from './platform.ts';

/** What every platform's routes have in common. */
export type FlagRoute = {
  readonly flag: string;
  /** The slot that those who get the flag are on; the second one where it is left out. */
  readonly on?: string | undefined;
  /** The flag only says which slot, so that a later release may take it back down. */
  readonly swap: boolean;
};

export type FlagRouterSetting<F extends FlagRoute, S extends FlagState> = {
  readonly type: string;
  /** What is meant by a route's name; undefined for a name that means nothing. */
  flagOf(route: string): F | undefined;
  readonly platform: FlagPlatform<F, S>;
  /** Of one, in basis points: what the platform can represent. */
  readonly stepBp: number;
  readonly timeoutMs: number;
  /** Does the platform keep the number of a write? */
  readonly seq: Capabilities['seq'];
};

/** How a release that goes on for a while is read, written, read back, and switched off when that does not help. */
const CALLS = 6;

export function flagRouter<F extends FlagRoute, S extends FlagState>(
  name: string,
  { type, flagOf, platform, stepBp, timeoutMs, seq }: FlagRouterSetting<F, S>,
): TrafficRouter {
  const find = (route: Route): Result<Place<F>, RouterError> => {
    const flag = flagOf(route.name);
    if (!flag) return fail('not_found', `${type} ${name} has no route ${route.name}`);
    const on = flag.on ?? route.slots[1];
    if (!route.slots.includes(on))
      return fail('not_found', `the flag ${flag.flag} is on for the slot ${on}, and the slots are ${route.slots.join(', ')}`);
    return ok({ flag, route, onIsSecond: on === route.slots[1] });
  };
  const seen = new Map<string, S>();
  const work = worker(platform, seen);

  return {
    name,
    type,
    capabilities: { ...COMMON, seq, minStepBp: stepBp, minNonZeroBp: stepBp, applyTimeoutMs: CALLS * timeoutMs + 1_000 },
    quantize(_, share, towards) {
      const steps = towards === 'down' ? Math.floor(share / stepBp) : Math.ceil(share / stepBp);
      return Weight(steps * stepBp);
    },
    async preflight(route, signal) {
      const place = find(route);
      if (!place.ok) return place;
      const state = await work.read(place.value, signal);
      if (!state.ok) return failed(state.error);
      const { flag, onIsSecond } = place.value;
      const on = route.slots[onIsSecond ? 1 : 0];
      const slots = route.slots.map((slot) => ({
        slot,
        healthy: slot === on || flag.swap,
        detail: slot === on || flag.swap ? `the flag ${flag.flag} is there` : usedUp(flag, on, slot),
      }));
      return ok({ nodes: [readingOf(place.value, state.value)], slots });
    },
    async apply(write, signal) {
      const place = find(write.route);
      return place.ok ? work.apply(place.value, write, signal) : place;
    },
    async read(route, signal) {
      const place = find(route);
      if (!place.ok) return place;
      const state = await work.read(place.value, signal);
      return state.ok ? ok([readingOf(place.value, state.value)]) : failed(state.error);
    },
    async cutOff(route, slot, number, signal) {
      const place = find(route);
      if (!place.ok) return place;
      if (!route.slots.includes(slot)) return fail('not_found', `route ${route.name} has no slot ${slot}`);
      const secondShare = slot === route.slots[1] ? NONE : ALL;
      if ((slot === route.slots[1]) !== place.value.onIsSecond)
        return work.apply(place.value, { secondShare, seq: number, direction: 'lower' }, signal);
      return work.off(place.value, number, signal);
    },
    residue: async () => ({ flags: seen.size }),
    close: async () => {},
  };
}

const COMMON: Omit<Capabilities, 'seq' | 'minStepBp' | 'minNonZeroBp' | 'applyTimeoutMs'> = {
  tooLittle: 'nothing',
  distribution: 'random',
  atomic: 'single-op',
  hitless: true,
  readBack: 'config',
  persistence: 'crash-safe',
  sticky: 'hash-monotone',
  zeroEvictsSticky: true,
  headerOverride: false,
  independent: true,
};

type Place<F> = { readonly flag: F; readonly route: Route; readonly onIsSecond: boolean };

/** A flag that is on for what serves now cannot bring the next version. */
const usedUp = ({ flag }: FlagRoute, on: string, next: string): string =>
  `the flag ${flag} is on for ${on}: a release into ${next} needs the next flag or variation, with on: ${next} (or swap: true, where the flag only says which slot)`;

/** Its own inverse. */
const turned = <F>({ onIsSecond }: Place<F>, share: Weight): Weight => (onIsSecond ? share : complement(share));

function readingOf<F extends FlagRoute>(place: Place<F>, { on, seq, detail }: FlagState): NodeReading {
  const secondShare = on === null ? null : turned(place, on);
  return { node: place.flag.flag, reachable: true, secondShare, seq, boot: null, detail };
}

function worker<F extends FlagRoute, S extends FlagState>(platform: FlagPlatform<F, S>, seen: Map<string, S>) {
  const read = async ({ flag, route }: Place<F>, signal: AbortSignal): Promise<Result<S, FlagError>> => {
    const state = await platform.read(flag, signal);
    if (state.ok) seen.set(route.name, state.value);
    return state;
  };

  /** Only what the platform shows afterwards counts. */
  const proved = async (place: Place<F>, on: Weight, signal: AbortSignal): Promise<Result<Applied, RouterError>> => {
    const after = await read(place, signal);
    if (!after.ok) return failed({ ...after.error, detail: `${after.error.detail}, when it was read back` });
    const nodes = [readingOf(place, after.value)];
    if (after.value.on === on) return ok({ changed: true, nodes });
    const shows = after.value.on === null ? (after.value.detail ?? 'something else') : percent(after.value.on);
    return fail('not_effective', `${place.flag.flag} took ${percent(on)} and shows ${shows}`, nodes);
  };

  async function apply(
    place: Place<F>,
    { secondShare, seq, direction }: Omit<WeightWrite, 'route'>,
    signal: AbortSignal,
  ): Promise<Result<Applied, RouterError>> {
    if (signal.aborted) return fail('timeout', 'the call was cancelled before it began');
    if (!Number.isInteger(secondShare) || secondShare < NONE || ALL < secondShare)
      return fail('rejected', `${String(secondShare)} is no whole number of basis points`);
    const on = turned(place, secondShare);
    const lowering = direction === 'lower';
    const before = await read(place, signal);
    // Nobody is raised on a flag that cannot be seen; taking it back does not wait for that.
    if (!before.ok && (!lowering || before.error.kind === 'not_found')) return failed(before.error);
    if (before.ok) {
      const nodes = [readingOf(place, before.value)];
      if (isNewer(before.value, seq)) return stale(place, before.value, { seq, nodes });
      if (!lowering && before.value.on === null)
        return fail('rejected', `${place.flag.flag}: ${before.value.detail ?? 'does not tell its share'}`, nodes);
      if (before.value.on === on && (before.value.seq === null || before.value.seq === seq)) return ok({ changed: false, nodes });
    }
    const order: FlagWrite<S> = { on, seq, lowering, seen: before.ok ? before.value : (seen.get(place.route.name) ?? null) };
    const written = await platform.write(place.flag, order, signal);
    if (!written.ok) return failed(written.error, before.ok ? [readingOf(place, before.value)] : []);
    const done = await proved(place, on, signal);
    return done.ok ? ok({ ...done.value, changed: !before.ok || before.value.on !== on }) : done;
  }

  /** Takes the flag from everybody, without looking first where it was seen before. */
  async function off(place: Place<F>, seq: number, signal: AbortSignal): Promise<Result<Applied, RouterError>> {
    if (signal.aborted) return fail('timeout', 'the call was cancelled before it began');
    const known = seen.get(place.route.name) ?? null;
    const looked = known ? ok(known) : await read(place, signal);
    if (!looked.ok && looked.error.kind === 'not_found') return failed(looked.error);
    if (looked.ok && isNewer(looked.value, seq))
      return stale(place, looked.value, { seq, nodes: [readingOf(place, looked.value)] });
    const order: FlagWrite<S> = { on: NONE, seq, lowering: true, seen: looked.ok ? looked.value : null };
    const problems: string[] = [];
    for (const way of platform.waysOff) {
      const done = await way(place.flag, order, signal);
      if (!done.ok) problems.push(done.error.detail);
      const shown = done.ok ? await proved(place, NONE, signal) : done;
      if (shown.ok) return shown;
      if (done.ok) problems.push(shown.error.detail);
    }
    const after = await read(place, signal);
    const nodes = after.ok ? [readingOf(place, after.value)] : [];
    if (after.ok && after.value.on === NONE) return ok({ changed: false, nodes });
    return fail(after.ok ? 'rejected' : 'unreachable', [...new Set(problems)].join('; '), nodes);
  }

  return { read, apply, off };
}

const isNewer = (state: FlagState, seq: number): boolean => isBehind(seq, state.seq);

const stale = <F extends FlagRoute>(
  { flag }: Place<F>,
  state: FlagState,
  { seq, nodes }: { readonly seq: number; readonly nodes: readonly NodeReading[] },
) => fail('stale', `${flag.flag} has seen write ${state.seq}, and this one is ${seq}`, nodes);

const failed = ({ kind, detail }: FlagError, nodes: readonly NodeReading[] = []) => fail(kind, detail, nodes);
const fail = (kind: RouterError['kind'], detail: string, nodes: readonly NodeReading[] = []) => err({ kind, detail, nodes });
