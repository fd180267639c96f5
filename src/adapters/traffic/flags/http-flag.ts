/**
 * Any flag behind an API that reads and writes a number: where the number is, what is sent to change it, and optionally
 * what switches the flag off, is written in `headgate.yaml`.
 */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { ALL, NONE, percent, Weight } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { TrafficRouter } from '../../../ports/traffic-router.ts';
import { access, address } from '../../outgoing/access.ts';
import { filled, placesIn, unknownPlace } from '../../outgoing/template.ts';
import { at, kindOf, pointer } from '../../outgoing/pointer.ts';
import { flagRouter } from './flag-router.ts';
import type { FlagRoute } from './flag-router.ts';
import { flagRoute, routeName } from './options.ts';
import { flagCall } from './platform.ts';
import type { FlagCall, FlagFailure, FlagPlatform, FlagShare, WayOff } from './platform.ts';

const PLACES = ['percent', 'fraction', 'basisPoints', 'thousandths', 'otherPercent', 'seq'] as const;

const call = strict({
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE'], 'POST, PUT, PATCH or DELETE').default('PUT'),
  url: address,
  /** Sent as JSON; a text in it that is a placeholder and nothing else becomes the number. */
  body: z.json().optional(),
  contentType: z
    .string()
    .regex(/^[\w.+-]+\/[\w.+-]+(; ?[\w.=+-]+)*$/, 'a media type')
    .default('application/json'),
}).superRefine(({ body }, ctx) => {
  const strange = unknownPlace(JSON.stringify(body ?? ''), PLACES);
  if (strange !== null) ctx.addIssue({ code: 'custom', path: ['body'], message: strange });
});

/** How the API writes a share, and the smallest step of it in basis points. */
const UNITS = {
  percent: { perBp: 1 / 100, stepBp: 100 },
  decimalPercent: { perBp: 1 / 100, stepBp: 1 },
  fraction: { perBp: 1 / 10_000, stepBp: 1 },
  basisPoints: { perBp: 1, stepBp: 1 },
  thousandths: { perBp: 10, stepBp: 1 },
} as const;

const route = strict({
  unit: z
    .enum(['percent', 'decimalPercent', 'fraction', 'basisPoints', 'thousandths'], 'percent, decimalPercent, fraction, ...')
    .default('percent'),
  read: strict({
    url: address,
    /** Where the share is in the answer. */
    share: pointer,
    /** Where it says that the flag is on at all. */
    enabled: pointer.optional(),
    /** Where the number of the write is, when the API keeps it. */
    seq: pointer.optional(),
  }),
  write: call,
  /** Switches the flag off: for when its share cannot be written. */
  off: call.optional(),
  /** The name under `webhooks` of whoever tells that this flag changed, where that is another host than it is read from. */
  source: z.string().min(1).max(100).optional(),
  ...flagRoute,
}).superRefine(({ write }, ctx) => {
  const names = placesIn(JSON.stringify(write.body ?? '')).map(({ name }) => name);
  if (!names.some((name) => name !== 'seq' && name !== 'otherPercent'))
    ctx.addIssue({ code: 'custom', path: ['write', 'body'], message: 'the body says the share: "{{percent}}", for example' });
});

export const httpFlagOptions = strict({
  type: z.literal('http-flag'),
  ...access,
  timeoutMs: access.timeoutMs.default(2_000),
  /** Other credentials for taking a flag back, ones that need no approval. */
  rollbackAuth: access.auth,
  routes: z.record(routeName, route).refine((routes) => Object.keys(routes).length > 0, 'at least one route'),
});

type Options = z.output<typeof httpFlagOptions>;
type Flag = FlagRoute & Options['routes'][string];
type Call = z.output<typeof call>;

/** The coarsest of its flags. */
export const httpFlagStepBp = ({ routes }: Options): number =>
  Math.max(...Object.values(routes).map(({ unit }) => UNITS[unit].stepBp));

export function httpFlag(name: string, options: Options): TrafficRouter {
  const keepsSeq = Object.values(options.routes).every(({ read }) => read.seq !== undefined);
  return flagRouter(name, {
    type: 'http-flag',
    flagOf(key): Flag | undefined {
      const own = Object.hasOwn(options.routes, key) ? options.routes[key] : undefined;
      return own && { ...own, flag: key };
    },
    platform: platformOf(name, options),
    stepBp: httpFlagStepBp(options),
    timeoutMs: options.timeoutMs,
    seq: keepsSeq ? 'reports' : 'none',
  });
}

function platformOf(name: string, options: Options): FlagPlatform<Flag, FlagShare> {
  const { headers, tls, timeoutMs, auth, rollbackAuth } = options;
  const dialect = { platform: name, isApproval: () => false };
  const secrets = [...Object.values(headers), ...secretsOf(auth), ...secretsOf(rollbackAuth)];
  const usual: FlagCall = flagCall({ auth, headers, tls, timeoutMs }, dialect, secrets);
  const down: FlagCall = rollbackAuth ? flagCall({ auth: rollbackAuth, headers, tls, timeoutMs }, dialect, secrets) : usual;
  const ask = async (
    { method, url, body, contentType }: Call,
    values: Values,
    { lowering, signal }: { readonly lowering: boolean; readonly signal: AbortSignal },
  ): Promise<Result<void, FlagFailure>> => {
    const sent = body === undefined ? undefined : { type: contentType, text: JSON.stringify(bodyWith(body, values)) };
    const answer = await (lowering ? down : usual)({ method, url, body: sent }, signal);
    return answer.ok ? ok(undefined) : answer;
  };
  const write: WayOff<Flag, FlagShare> = (flag, { on, seq, lowering }, signal) =>
    ask(flag.write, valuesOf(on, seq), { lowering, signal });
  return {
    async read({ flag, unit, read }, signal) {
      const answer = await usual({ method: 'GET', url: read.url }, signal);
      return answer.ok ? stateOf(flag, { unit, read }, answer.value) : answer;
    },
    write,
    waysOff: [
      write,
      async (flag, { seq }, signal) =>
        flag.off
          ? ask(flag.off, valuesOf(NONE, seq), { lowering: true, signal })
          : err({ kind: 'rejected', detail: `${name}: no other way to switch ${flag.flag} off is configured` }),
    ],
  };
}

const secretsOf = (auth: Options['auth']): readonly string[] =>
  !auth ? [] : 'bearer' in auth ? [auth.bearer.trim()] : [auth.basic.password.trim()];

type Values = Readonly<Record<(typeof PLACES)[number], number>>;

const valuesOf = (on: Weight, seq: number): Values => ({
  percent: on / 100,
  fraction: on / ALL,
  basisPoints: on,
  thousandths: on * 10,
  otherPercent: (ALL - on) / 100,
  seq,
});

const isPlace = (name: string): name is keyof Values => PLACES.some((place) => place === name);

function bodyWith(body: unknown, values: Values): unknown {
  if (typeof body === 'string') {
    const [whole] = placesIn(body);
    if (whole?.whole === body && isPlace(whole.name)) return values[whole.name];
    return filled(body, ({ name }) => (isPlace(name) ? String(values[name]) : ''));
  }
  if (Array.isArray(body)) return body.map((each) => bodyWith(each, values));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, bodyWith(value, values)]));
}

function stateOf(flag: string, { unit, read }: Pick<Flag, 'unit' | 'read'>, answer: unknown): Result<FlagShare, FlagFailure> {
  const share = at(answer, read.share);
  if (!share.ok) return err({ kind: 'rejected', detail: `${flag}: ${share.error}` });
  const enabled = read.enabled === undefined ? ok(true) : at(answer, read.enabled);
  if (!enabled.ok || typeof enabled.value !== 'boolean')
    return err({
      kind: 'rejected',
      detail: `${flag}: ${enabled.ok ? `whether it is on is ${kindOf(enabled.value)}` : enabled.error}`,
    });
  const number = read.seq === undefined ? ok(null) : at(answer, read.seq);
  const seq = number.ok && number.value !== null && number.value !== '' ? Number(number.value) : null;
  const told = { seq: seq !== null && Number.isSafeInteger(seq) ? seq : read.seq === undefined ? null : 0 };
  if (!enabled.value) return ok({ ...told, on: NONE, detail: 'switched off' });
  const isNumber = typeof share.value === 'number' || (typeof share.value === 'string' && share.value.trim() !== '');
  const basisPoints = isNumber ? Math.round((Number(share.value) / UNITS[unit].perBp) * 1e6) / 1e6 : Number.NaN;
  if (!(NONE <= basisPoints && basisPoints <= ALL))
    return ok({ ...told, on: null, detail: `its share is ${kindOf(share.value)}, and that is no share up to ${percent(ALL)}` });
  return ok({ ...told, on: Weight(Math.ceil(basisPoints)), detail: null });
}
