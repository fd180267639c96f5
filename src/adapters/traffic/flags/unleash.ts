/**
 * Unleash: the percentage of a gradual rollout. One JSON Patch moves it; the number of the write is kept in the
 * strategy's title. Taking it back sets 0 %, and switches the flag off in the environment when that does not help.
 */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { ALL, NONE, Weight } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { TrafficRouter } from '../../../ports/traffic-router.ts';
import { baseAddress, token } from '../../outgoing/access.ts';
import { isOpen, shareOf, unleashEnvironment, unleashUrl } from '../../platforms/unleash.ts';
import type { Strategy, UnleashEnvironment } from '../../platforms/unleash.ts';
import { flagRouter } from './flag-router.ts';
import type { FlagRoute } from './flag-router.ts';
import { flagRoute, key, reached, routeName } from './options.ts';
import { flagCall } from './platform.ts';
import type { FlagCall, FlagFailure, FlagPlatform, FlagShare, FlagWrite } from './platform.ts';

/** A flag counts in whole percent there. */
export const UNLEASH_STEP_BP = 100;

export const unleashOptions = strict({
  type: z.literal('unleash'),
  url: baseAddress,
  token,
  ...reached,
  project: key('a project').default('default'),
  environment: key('an environment'),
  /** Route to flag; without any a route is the flag of the same name. */
  routes: z
    .record(
      routeName,
      strict({
        flag: key('a flag').optional(),
        /** Id of the strategy, needed where the environment has several gradual rollouts of the flag. */
        strategy: key('a strategy id').optional(),
        ...flagRoute,
      }),
    )
    .default({}),
});

type Options = z.output<typeof unleashOptions>;
type Flag = FlagRoute & { readonly strategy?: string | undefined };

/** What the adapter has to know to write: which strategy, and what its title says besides. */
type Seen = FlagShare & { readonly strategy: string | null; readonly title: string; readonly enabled: boolean };

export function unleash(name: string, options: Options): TrafficRouter {
  const flagOf = (route: string): Flag | undefined => {
    const own = Object.hasOwn(options.routes, route) ? options.routes[route] : undefined;
    if (own) return { ...own, flag: own.flag ?? route };
    const isFree = Object.keys(options.routes).length === 0 && key('a flag').safeParse(route).success;
    return isFree ? { flag: route, swap: false } : undefined;
  };
  return flagRouter(name, {
    type: 'unleash',
    flagOf,
    platform: platformOf(options),
    stepBp: UNLEASH_STEP_BP,
    timeoutMs: options.timeoutMs,
    seq: 'reports',
  });
}

function platformOf(options: Options): FlagPlatform<Flag, Seen> {
  const { headers, tls, timeoutMs, rollbackToken } = options;
  const secrets = [options.token, rollbackToken ?? ''];
  const dialect = {
    platform: 'unleash',
    isApproval: (status: number, words: string) => status === 403 && /change request/i.test(words),
  };
  const callWith = (authorization: string): FlagCall => flagCall({ authorization, headers, tls, timeoutMs }, dialect, secrets);
  const call = callWith(options.token);
  const callDown = rollbackToken === undefined ? call : callWith(rollbackToken);
  const at = ({ flag }: Flag): string => unleashUrl(options, flag);

  const patch = async (flag: Flag, { on, seq, lowering, seen }: FlagWrite<Seen>, signal: AbortSignal) => {
    const id = flag.strategy ?? seen?.strategy;
    if (id == null) return err<FlagFailure>({ kind: 'rejected', detail: 'unleash: which strategy to write is not known yet' });
    const operations = [
      { op: 'replace', path: '/parameters/rollout', value: String(Math.round(on / UNLEASH_STEP_BP)) },
      { op: 'add', path: '/title', value: titleWith(seen?.title ?? '', seq) },
    ];
    const body = { type: 'application/json', text: JSON.stringify(operations) };
    const url = `${at(flag)}/strategies/${encodeURIComponent(id)}`;
    return done(await (lowering ? callDown : call)({ method: 'PATCH', url, body }, signal));
  };
  const toggle = async (flag: Flag, to: 'on' | 'off', signal: AbortSignal) =>
    done(await (to === 'off' ? callDown : call)({ method: 'POST', url: `${at(flag)}/${to}` }, signal));

  return {
    async read(flag, signal) {
      const answer = await call({ method: 'GET', url: at(flag) }, signal);
      if (!answer.ok) return answer;
      const environment = unleashEnvironment.safeParse(answer.value);
      if (!environment.success) return err({ kind: 'rejected', detail: `unleash: the answer is no environment of a flag` });
      return stateOf(flag, options.environment, environment.data);
    },
    // The percentage first: switching on must not show for a moment what was there before.
    async write(flag, write, signal) {
      const written = await patch(flag, write, signal);
      return written.ok && write.on > NONE && write.seen?.enabled === false ? toggle(flag, 'on', signal) : written;
    },
    waysOff: [patch, (flag, _, signal) => toggle(flag, 'off', signal)],
  };
}

const done = (answer: Result<unknown, FlagFailure>): Result<void, FlagFailure> => (answer.ok ? ok(undefined) : answer);

function stateOf(flag: Flag, environment: string, { enabled, strategies }: UnleashEnvironment): Result<Seen, FlagFailure> {
  const own = strategies.filter(({ id, name }) =>
    flag.strategy === undefined ? name === 'flexibleRollout' : id === flag.strategy,
  );
  const [strategy] = own;
  if (!strategy || own.length > 1) {
    const what = strategy
      ? `several gradual rollouts in ${environment}: name one by strategy: ${own.map(({ id }) => id).join(' or ')}`
      : `no gradual rollout in ${environment}${flag.strategy === undefined ? '' : ` with the id ${flag.strategy}`}: add one, at 0 %`;
    return err({ kind: 'not_found', detail: `unleash: the flag ${flag.flag} has ${what}` });
  }
  const { seq, title } = titleParts(strategy.title ?? '');
  const known = { seq, title, strategy: strategy.id ?? null, enabled };
  if (!enabled) return ok({ ...known, on: NONE, detail: `switched off in ${environment}` });
  // Whoever any strategy lets in gets the flag: one for everybody beside ours counts.
  const shares = strategies.filter((each) => each === strategy || isForEverybody(each)).map(servedBy);
  if (shares.includes(null)) return ok({ ...known, on: null, detail: `the flag ${flag.flag} has a percentage that is none` });
  return ok({ ...known, on: Weight(Math.max(...shares.map((share) => share ?? 0))), detail: null });
}

const isForEverybody = (strategy: Strategy): boolean =>
  (strategy.name === 'default' || strategy.name === 'flexibleRollout') && isOpen(strategy);

/** In basis points; null for what is no percentage. Whoever another kind of strategy is for gets the flag. */
function servedBy(strategy: Strategy): number | null {
  if (strategy.disabled === true) return NONE;
  return strategy.name === 'flexibleRollout' ? shareOf(strategy) : ALL;
}

const MARK = /(?:^| · )headgate (\d{1,40})$/;

const titleWith = (title: string, seq: number): string => `${title === '' ? '' : `${title} · `}headgate ${seq}`;

function titleParts(text: string): { readonly title: string; readonly seq: number } {
  return { title: text.replace(MARK, ''), seq: Number(MARK.exec(text)?.[1] ?? 0) };
}
