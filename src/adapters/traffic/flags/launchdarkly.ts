/**
 * LaunchDarkly: the weights of a percentage rollout, in the default rule (fallthrough) or in a rule of its own. One semantic
 * patch moves them, with a comment that names the write. Taking it back sets the weight to 0, and turns the flag off when
 * that does not help; turning off is what an approval most often lets pass.
 */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { ALL, complement, NONE, Weight } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { TrafficRouter } from '../../../ports/traffic-router.ts';
import { baseAddress, token } from '../../outgoing/access.ts';
import { darklyFlag, darklyUrl, inEnvironment, weightsOf, WHOLE } from '../../platforms/launchdarkly.ts';
import type { DarklyFlag } from '../../platforms/launchdarkly.ts';
import { flagRouter } from './flag-router.ts';
import type { FlagRoute } from './flag-router.ts';
import { flagRoute, key, reached, routeName } from './options.ts';
import { flagCall } from './platform.ts';
import type { FlagFailure, FlagPlatform, FlagShare, FlagWrite } from './platform.ts';

/** A variation by its id, its name, or its value as a text. */
const variation = z.union([z.string().min(1).max(200), z.boolean().transform(String), z.number().transform(String)], {
  error: 'a variation: its id, its name or its value',
});

export const launchdarklyOptions = strict({
  type: z.literal('launchdarkly'),
  url: baseAddress.default('https://app.launchdarkly.com'),
  token,
  ...reached,
  project: key('a project'),
  environment: key('an environment'),
  /** What is counted: all flags of one experiment or release split by the same kind. */
  contextKind: key('a context kind').default('user'),
  routes: z
    .record(
      routeName,
      strict({
        flag: key('a flag').optional(),
        /** What the new version gets, and what everybody else does. */
        variation,
        otherwise: variation,
        /** Id of the rule whose rollout is moved; the default rule where it is left out. */
        rule: key('a rule id').optional(),
        ...flagRoute,
      }),
    )
    .refine((routes) => Object.keys(routes).length > 0, 'at least one route'),
});

type Options = z.output<typeof launchdarklyOptions>;
type Flag = FlagRoute & { readonly variation: string; readonly otherwise: string; readonly rule?: string | undefined };
type Seen = FlagShare & { readonly ids: { readonly variation: string; readonly otherwise: string }; readonly isOn: boolean };

const PER_BP = WHOLE / ALL;

export function launchdarkly(name: string, options: Options): TrafficRouter {
  const flagOf = (route: string): Flag | undefined => {
    const own = Object.hasOwn(options.routes, route) ? options.routes[route] : undefined;
    return own && { ...own, flag: own.flag ?? route };
  };
  return flagRouter(name, {
    type: 'launchdarkly',
    flagOf,
    platform: platformOf(options),
    stepBp: 1,
    timeoutMs: options.timeoutMs,
    seq: 'none', // A comment is written with every change, but nothing on the flag itself shows it.
  });
}

function platformOf(options: Options): FlagPlatform<Flag, Seen> {
  const { headers, tls, timeoutMs, rollbackToken, environment, contextKind } = options;
  const secrets = [options.token, rollbackToken ?? ''];
  const dialect = { platform: 'launchdarkly', isApproval: (status: number) => status === 405 };
  const callWith = (authorization: string) => flagCall({ authorization, headers, tls, timeoutMs }, dialect, secrets);
  const call = callWith(options.token);
  const callDown = rollbackToken === undefined ? call : callWith(rollbackToken);
  const at = ({ flag }: Flag): string => darklyUrl(options, flag);

  const patch = async (
    flag: Flag,
    { seq, lowering, instructions }: Pick<FlagWrite<Seen>, 'seq' | 'lowering'> & { readonly instructions: readonly object[] },
    signal: AbortSignal,
  ): Promise<Result<void, FlagFailure>> => {
    const answer = await (lowering ? callDown : call)(
      {
        method: 'PATCH',
        url: at(flag),
        body: {
          type: 'application/json; domain-model=launchdarkly.semanticpatch',
          text: JSON.stringify({ environmentKey: environment, comment: `headgate ${seq}`, instructions }),
        },
      },
      signal,
    );
    return answer.ok ? ok(undefined) : answer;
  };
  const write: FlagPlatform<Flag, Seen>['write'] = async (flag, { on, seq, lowering, seen }, signal) => {
    if (seen === null) return err({ kind: 'rejected', detail: `launchdarkly: the variations of ${flag.flag} are not known yet` });
    const rolloutWeights = { [seen.ids.variation]: on * PER_BP, [seen.ids.otherwise]: complement(on) * PER_BP };
    const rolled =
      flag.rule === undefined
        ? { kind: 'updateFallthroughVariationOrRollout', rolloutContextKind: contextKind, rolloutWeights }
        : { kind: 'updateRuleVariationOrRollout', ruleId: flag.rule, rolloutContextKind: contextKind, rolloutWeights };
    // In this order within one patch: the weights first, so that turning it on shows nothing older.
    const instructions = [rolled, ...(on > NONE && !seen.isOn ? [{ kind: 'turnFlagOn' }] : [])];
    return patch(flag, { seq, lowering, instructions }, signal);
  };

  return {
    async read(flag, signal) {
      const answer = await call({ method: 'GET', url: at(flag) + inEnvironment(environment) }, signal);
      if (!answer.ok) return answer;
      const found = darklyFlag.safeParse(answer.value);
      return found.success
        ? stateOf(flag, environment, found.data)
        : err({ kind: 'rejected', detail: 'launchdarkly: the answer is no flag' });
    },
    write,
    waysOff: [
      write,
      (flag, { seq }, signal) => patch(flag, { seq, lowering: true, instructions: [{ kind: 'turnFlagOff' }] }, signal),
    ],
  };
}

function stateOf(flag: Flag, environment: string, { variations, environments }: DarklyFlag): Result<Seen, FlagFailure> {
  const indexOf = (wanted: string): number =>
    variations.findIndex(({ _id, name, value }) => _id === wanted || name === wanted || textOf(value) === wanted);
  const [first, second] = [indexOf(flag.variation), indexOf(flag.otherwise)];
  const missing = first === -1 ? flag.variation : second === -1 ? flag.otherwise : null;
  const nowhere = (what: string) =>
    err<FlagFailure>({ kind: 'not_found', detail: `launchdarkly: the flag ${flag.flag} has ${what}` });
  if (missing !== null) return nowhere(`no variation ${missing}`);
  if (first === second) return nowhere(`one variation for both: ${flag.variation}`);
  const found = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  if (!found) return nowhere(`no environment ${environment}`);
  const served = flag.rule === undefined ? found.fallthrough : found.rules?.find(({ _id }) => _id === flag.rule);
  if (!served) return nowhere(flag.rule === undefined ? 'no default rule' : `no rule ${flag.rule}`);
  const ids = { variation: variations[first]?._id ?? '', otherwise: variations[second]?._id ?? '' };
  const weights = weightsOf(found.on ? served : { variation: found.offVariation });
  const on = weights.get(first) ?? 0;
  const rest = [...weights].filter(([index]) => index !== first && index !== second).reduce((sum, [, weight]) => sum + weight, 0);
  const seen = { seq: null, ids, isOn: found.on };
  if (rest > 0 && on > 0)
    return ok({ ...seen, on: null, detail: `the flag ${flag.flag} gives ${rest / 1000} % another variation than these two` });
  if (on < 0 || WHOLE < on) return ok({ ...seen, on: null, detail: `the flag ${flag.flag} has a weight that is none` });
  // Finer than is written here: rounded away from nothing, so that little is never taken for none.
  return ok({ ...seen, on: Weight(Math.ceil(on / PER_BP)), detail: found.on ? null : `turned off in ${environment}` });
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
