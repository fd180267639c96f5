/** LaunchDarkly: entries of its audit log, signed over the body; a flag in one environment is read by its REST API. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { FlagState } from '../../domain/flag.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { darklyFlag, darklyUrl, inEnvironment, weightsOf, WHOLE } from '../platforms/launchdarkly.ts';
import type { DarklyFlag } from '../platforms/launchdarkly.ts';
import { API, asked, fingerprintOf, hint, payload, place, stateFrom, tame, text, valueName } from './common.ts';

export const launchdarklyApi = strict({
  url: baseAddress.default('https://app.launchdarkly.com'),
  token,
  project: place.default('default'),
  environment: place,
});

type Api = z.output<typeof launchdarklyApi>;

export function launchdarklyFlags({ token: authorization, environment: name, ...place }: Api): FlagSource {
  const send = sender({ ...API, authorization, headers: { 'LD-API-Version': '20240415' } });
  return {
    read: async (key, signal) =>
      stateFrom(await asked(send, darklyUrl(place, key) + inEnvironment(name), signal), darklyFlag, (found) =>
        stateOf(found, name),
      ),
  };
}

function stateOf({ variations, environments, archived }: DarklyFlag, name: string): FlagState | null {
  const found = environments[name];
  if (!found) return null;
  const { on, version, fallthrough, offVariation, rules, targets, contextTargets, prerequisites } = found;
  const weights = weightsOf(on ? (fallthrough ?? {}) : { variation: offVariation });
  const shares = new Map([...weights].map(([index, weight]) => [index, weight / (WHOLE / 100)]));
  const values = variations.map(({ value }) => value);
  const isSwitch = values.length === 2 && values.includes(true) && values.includes(false);
  return {
    exists: true,
    enabled: on,
    percent: isSwitch && on ? (shares.get(values.indexOf(true)) ?? 0) : null,
    variations: Object.fromEntries(
      [...shares].map(([index, percent]) => {
        const variation = variations[index];
        return [tame(variation?.name ?? '', 60) || valueName(variation?.value ?? index), percent];
      }),
    ),
    revision: typeof version === 'number' ? String(version) : null,
    updatedBy: null,
    fingerprint: fingerprintOf({
      archived,
      on,
      fallthrough,
      offVariation,
      rules,
      targets,
      contextTargets,
      prerequisites,
      values,
    }),
  };
}

const entry = z.looseObject({
  kind: text,
  titleVerb: text,
  shortDescription: text,
  accesses: z.array(z.looseObject({ action: text, resource: text })).nullish(),
  target: z.looseObject({ resources: z.array(z.string()).nullish() }).nullish(),
  member: z.looseObject({ email: text }).nullish(),
});

/** Only of the environment that is watched, where the entry names one. */
export const launchdarklyHints = (body: string, environment: string | null) =>
  payload(body, entry, ({ kind, titleVerb, shortDescription, accesses, target, member }) => {
    if (kind !== 'flag') return [];
    const resources = [...(accesses ?? []).map(({ resource }) => resource ?? ''), ...(target?.resources ?? [])];
    const flags = resources.flatMap((resource) => {
      const [, env, key] = /^proj\/[^:]+:env\/([^:;]+)[^:]*:flag\/([^:;]+)/.exec(resource) ?? [];
      return key !== undefined && (environment === null || env === '*' || env === environment) ? [key] : [];
    });
    const action = accesses?.[0]?.action;
    return [...new Set(flags)].map((key) => hint(key, shortDescription || titleVerb || action, member?.email));
  });

/** The entry's id; a retry has the same one. */
export const launchdarklyId = z.looseObject({ _id: z.string().min(1) }).transform(({ _id }) => _id);
