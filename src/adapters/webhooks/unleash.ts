/** Unleash: its events with a token and no signature; a flag in one environment is read by the admin API. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { FlagState } from '../../domain/flag.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { isOpen, shareOf, unleashEnvironment, unleashUrl } from '../platforms/unleash.ts';
import type { Strategy, UnleashEnvironment } from '../platforms/unleash.ts';
import { API, asked, fingerprintOf, hint, payload, place, stateFrom, tame, text } from './common.ts';

export const unleashApi = strict({
  url: baseAddress,
  token,
  project: place.default('default'),
  environment: place,
});

type Api = z.output<typeof unleashApi>;

export function unleashFlags({ token: authorization, ...place }: Api): FlagSource {
  const send = sender({ ...API, authorization });
  return {
    read: async (flag, signal) => stateFrom(await asked(send, unleashUrl(place, flag), signal), unleashEnvironment, stateOf),
  };
}

function stateOf({ enabled, strategies, variants }: UnleashEnvironment): FlagState {
  const active = strategies.filter(({ disabled }) => disabled !== true);
  const open = active.filter(isOpen);
  const shares = open.flatMap((each) => shareOf(each) ?? []);
  return {
    exists: true,
    enabled,
    percent: shares.length === open.length && open.length > 0 ? Math.max(...shares) / 100 : null,
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

const event = z.looseObject({ type: text, featureName: text, createdBy: text, environment: text });

export const unleashHints = (body: string, environment: string | null) =>
  payload(body, event, ({ type, featureName, createdBy, environment: where }) => {
    if (!featureName || (environment !== null && where && where !== environment)) return [];
    return [hint(featureName, type, createdBy)];
  });
