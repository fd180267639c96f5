/** Flags of `plan preview` and `plan simulate` as the body that the service takes, so that both ways refuse the same things. */
import { InvalidArgumentError } from 'commander';
import type { SimulateInput } from '../contract/ahead.ts';

export type PlanFlags = {
  readonly file: string;
  readonly config?: string;
  readonly rps?: number;
  readonly errors?: readonly [stable: string, canary: string | null];
  readonly latency?: { readonly p50: string; readonly p99: string };
  readonly slower?: number;
  readonly fromWeight?: string;
  readonly after?: string;
  readonly grows?: string;
  readonly drift?: { readonly times: number; readonly over: string };
  readonly silent?: { readonly from: string; readonly to: string };
  readonly away?: { readonly from: string; readonly to: string };
  readonly runs?: number;
  readonly seed?: number;
  readonly horizon?: string;
  readonly approveAfter?: string;
};

export type BacktestFlags = {
  readonly file: string;
  readonly version: string;
  readonly stable?: string;
  readonly from: string;
  readonly to: string;
};

/** `0.1%`, or `0.1%:1%` for stable and canary. */
export function errorsFlag(text: string): NonNullable<PlanFlags['errors']> {
  const [stable, canary] = pair(text, ':', 'shares such as 0.1%, or 0.1%:1% for stable and canary', true);
  return [stable, canary];
}

export function latencyFlag(text: string): NonNullable<PlanFlags['latency']> {
  const [p50, p99] = pair(text, ':', 'two durations, of half and of 99 % of the requests: 100ms:400ms', false);
  return { p50, p99: p99 ?? p50 };
}

export function windowFlag(text: string): NonNullable<PlanFlags['away']> {
  const [from, to] = pair(text, ',', 'a window from the start of the release, such as 5m,10m', false);
  return { from, to: to ?? from };
}

export function driftFlag(text: string): NonNullable<PlanFlags['drift']> {
  const [factor, over] = pair(text, ',', 'how many times, and over how long: 3,20m', false);
  return { times: numberFlag(factor), over: over ?? '' };
}

/** `30%` slower is 1.3 times as long. */
export function slowerFlag(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text.trim())?.[1];
  if (percent === undefined) throw new InvalidArgumentError('a share such as 30%: so much longer');
  return 1 + Number(percent) / 100;
}

export function numberFlag(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('a number');
  return value;
}

function pair(text: string, by: string, wanted: string, isOneEnough: boolean): readonly [string, string | null] {
  const [first = '', second, ...more] = text.split(by).map((part) => part.trim());
  if (first === '' || second === '' || more.length > 0 || (second === undefined && !isOneEnough))
    throw new InvalidArgumentError(wanted);
  return [first, second ?? null];
}

export function bodyOf(document: string, flags: PlanFlags): SimulateInput {
  const { rps, errors, latency, slower, fromWeight, after, grows, drift, silent, away, runs, seed, horizon, approveAfter } =
    flags;
  const canary = {
    ...(errors?.[1] ? { errors: errors[1] } : {}),
    ...(slower === undefined ? {} : { slower }),
    ...(fromWeight === undefined ? {} : { fromWeight }),
    ...(after === undefined ? {} : { after }),
    ...(grows === undefined ? {} : { grows }),
  };
  return {
    document,
    ...(rps === undefined
      ? {}
      : { traffic: { requestsPerSecond: rps, ...(errors ? { errors: errors[0] } : {}), ...(latency ? { latency } : {}) } }),
    ...(Object.keys(canary).length > 0 ? { canary } : {}),
    ...(drift ? { drift } : {}),
    ...(silent ? { noTraffic: silent } : {}),
    ...(away ? { providerAway: away } : {}),
    ...(runs === undefined ? {} : { runs }),
    ...(seed === undefined ? {} : { seed }),
    ...(horizon === undefined ? {} : { horizon }),
    ...(approveAfter === undefined ? {} : { approveAfter: approveAfter === 'never' ? null : approveAfter }),
  };
}
