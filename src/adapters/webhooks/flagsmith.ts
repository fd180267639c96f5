/** Flagsmith: flag and version events, signed over the body; an environment is read as the document that servers evaluate. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { FlagState } from '../../domain/flag.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { anything, API, asked, fingerprintOf, hint, payload, stateFrom, text, valueName } from './common.ts';

export const flagsmithApi = strict({
  url: baseAddress.default('https://edge.api.flagsmith.com'),
  /** A server-side key of the environment (`ser.…`), which names it, too. */
  token,
});

const featureState = z.looseObject({
  feature: z.looseObject({ name: z.string() }),
  enabled: z.boolean(),
  feature_state_value: anything,
  multivariate_feature_state_values: z
    .array(z.looseObject({ percentage_allocation: z.number(), multivariate_feature_option: z.looseObject({ value: anything }) }))
    .nullish(),
});
const document = z.looseObject({
  feature_states: z.array(featureState),
  project: z.looseObject({
    segments: z.array(z.looseObject({ rules: anything, feature_states: z.array(featureState).nullish() })).nullish(),
  }),
});

type State = z.output<typeof featureState>;

export function flagsmithFlags({ url, token: key }: z.output<typeof flagsmithApi>): FlagSource {
  const send = sender({ ...API, headers: { 'X-Environment-Key': key } });
  return {
    read: async (flag, signal) =>
      stateFrom(await asked(send, `${url}/api/v1/environment-document/`, signal), document, (found) => stateOf(found, flag)),
  };
}

function stateOf({ feature_states, project }: z.output<typeof document>, flag: string): FlagState | null {
  const isIt = ({ feature }: State): boolean => feature.name === flag;
  const found = feature_states.find(isIt);
  if (!found) return null;
  const overrides = (project.segments ?? []).flatMap(({ rules, feature_states: states }) =>
    (states ?? []).filter(isIt).map((state) => ({ rules, ...essence(state) })),
  );
  const shares = (found.multivariate_feature_state_values ?? []).map(
    ({ percentage_allocation: percent, multivariate_feature_option: { value } }) => [valueName(value), percent] as const,
  );
  const control = 100 - shares.reduce((sum, [, percent]) => sum + percent, 0);
  return {
    exists: true,
    enabled: found.enabled,
    percent: null,
    variations: shares.length === 0 ? {} : Object.fromEntries([...shares, ['control', control]]),
    revision: null,
    updatedBy: null,
    fingerprint: fingerprintOf({ ...essence(found), overrides }),
  };
}

const essence = ({ enabled, feature_state_value: value, multivariate_feature_state_values: shares }: State) => ({
  enabled,
  value: value ?? null,
  shares: (shares ?? []).map(({ percentage_allocation: percent, multivariate_feature_option: option }) => [
    option.value,
    percent,
  ]),
});

const named = z.looseObject({ feature: z.looseObject({ name: z.string() }) });
const event = z.looseObject({
  event_type: z.string(),
  data: z
    .looseObject({ changed_by: text, new_state: named.nullish(), previous_state: z.union([named, z.looseObject({})]).nullish() })
    .nullish(),
});

/** A new version of an environment and an entry of the audit log do not say which flag: any of them. */
export const flagsmithHints = (body: string) =>
  payload(body, event, ({ event_type: type, data }) => {
    const before = named.safeParse(data?.previous_state);
    const name = data?.new_state?.feature.name ?? (before.success ? before.data.feature.name : null);
    const what = type.toLowerCase().replaceAll('_', ' ');
    if (type === 'FLAG_UPDATED' || type === 'FLAG_DELETED') return name === null ? [] : [hint(name, what, data?.changed_by)];
    return type === 'NEW_VERSION_PUBLISHED' || type === 'AUDIT_LOG_CREATED' ? [hint(null, what, data?.changed_by)] : [];
  });
