/** Unleash: its events with a token and no signature; a flag in one environment is read by the admin API. */
import { z } from 'zod';
import type { FlagState } from '../../domain/flag.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { anything, API, asked, fingerprintOf, hint, payload, place, stateFrom, tame, text } from './common.ts';

export const unleashApi = z.strictObject({
  url: baseAddress,
  token,
  project: place.default('default'),
  environment: place,
});

type Api = z.output<typeof unleashApi>;

const strategy = z.looseObject({
  name: z.string(),
  disabled: z.boolean().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  constraints: z.array(z.unknown()).nullish(),
  segments: z.array(z.unknown()).nullish(),
  variants: z.array(z.looseObject({ name: z.string(), weight: z.number() })).nullish(),
});
const environment = z.looseObject({
  enabled: z.boolean(),
  strategies: z.array(strategy).nullish(),
  variants: anything,
});

type Strategy = z.output<typeof strategy>;

export function unleashFlags({ url, token: authorization, project, environment: name }: Api): FlagSource {
  const send = sender({ ...API, authorization });
  return {
    async read(flag, signal) {
      const [p, f, e] = [project, flag, name].map(encodeURIComponent);
      return stateFrom(
        await asked(send, `${url}/api/admin/projects/${p}/features/${f}/environments/${e}`, signal),
        environment,
        stateOf,
      );
    },
  };
}

function stateOf({ enabled, strategies, variants }: z.output<typeof environment>): FlagState {
  const active = (strategies ?? []).filter(({ disabled }) => disabled !== true);
  const open = active.filter(({ constraints, segments }) => !constraints?.length && !segments?.length);
  const shares = open.flatMap((each) => shareOf(each) ?? []);
  return {
    exists: true,
    enabled,
    percent: shares.length === open.length && open.length > 0 ? Math.max(...shares) : null,
    variations: Object.fromEntries((open[0]?.variants ?? []).map((variant) => [tame(variant.name, 60), variant.weight / 10])),
    revision: null,
    updatedBy: null,
    fingerprint: fingerprintOf({ enabled, variants, strategies: active.map(essence) }),
  };
}

/** What decides, without what only orders and names strategies in the admin pages. */
const essence = ({ name, parameters, constraints, segments, variants }: Strategy) => ({
  name,
  parameters,
  constraints: constraints ?? [],
  segments: segments ?? [],
  variants: variants ?? [],
});

/** Its share of everybody, in percent; null where it is for some only. */
function shareOf({ name, parameters }: Strategy): number | null {
  if (name === 'default') return 100;
  const rollout = Number(parameters?.['rollout']);
  return name === 'flexibleRollout' && Number.isFinite(rollout) ? rollout : null;
}

const event = z.looseObject({ type: text, featureName: text, createdBy: text, environment: text });

export const unleashHints = (body: string, environment: string | null) =>
  payload(body, event, ({ type, featureName, createdBy, environment: where }) => {
    if (!featureName || (environment !== null && where && where !== environment)) return [];
    return [hint(featureName, type, createdBy)];
  });
