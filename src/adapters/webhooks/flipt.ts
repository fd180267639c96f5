/** Flipt v1: audit events, signed over the body; a flag and its rules are read by its API. Flipt v2 sends no webhooks. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { FlagState } from '../../domain/flag.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { anything, API, asked, fingerprintOf, hint, payload, place, stateFrom, text } from './common.ts';

export const fliptApi = strict({
  url: baseAddress,
  token: token.optional(),
  namespace: place.default('default'),
});

const flag = z.looseObject({ enabled: z.boolean(), type: text, updatedAt: text });
const rollout = z.looseObject({
  type: text,
  rank: z.number().nullish(),
  threshold: z.looseObject({ percentage: z.number(), value: z.boolean() }).nullish(),
  segment: anything,
});
const distribution = z.looseObject({ variantId: text, rollout: z.number().nullish() });
const rule = z.looseObject({
  segmentKey: text,
  segmentKeys: anything,
  rank: z.number().nullish(),
  distributions: z.array(distribution).nullish(),
});

export function fliptFlags({ url, token: bearer, namespace }: z.output<typeof fliptApi>): FlagSource {
  const send = sender({ ...API, ...(bearer === undefined ? {} : { auth: { bearer } }) });
  return {
    async read(key, signal) {
      const at = `${url}/api/v1/namespaces/${encodeURIComponent(namespace)}/flags/${encodeURIComponent(key)}`;
      const found = await asked(send, at, signal);
      if (!found.ok || found.value === null) return stateFrom(found, flag, () => null);
      const kind = flag.safeParse(found.value);
      const isSwitch = kind.success && kind.data.type === 'BOOLEAN_FLAG_TYPE';
      const rules = await asked(send, `${at}/${isSwitch ? 'rollouts' : 'rules'}`, signal);
      if (!rules.ok) return rules;
      const whole = { ok: true, value: { flag: found.value, rules: rules.value ?? {} } } as const;
      return isSwitch ? stateFrom(whole, switched, switchState) : stateFrom(whole, varied, variedState);
    },
  };
}

const switched = z.looseObject({ flag, rules: z.looseObject({ rules: z.array(rollout).nullish() }) });
const varied = z.looseObject({ flag, rules: z.looseObject({ rules: z.array(rule).nullish() }) });

/** A switch is on for who is within its first threshold, and otherwise as it says itself. */
function switchState({ flag: { enabled, updatedAt }, rules }: z.output<typeof switched>): FlagState {
  const rollouts = (rules.rules ?? []).map(({ type, rank, threshold, segment }) => ({ type, rank, threshold, segment }));
  const [first] = rollouts.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  const percent = first?.threshold
    ? first.threshold.value
      ? first.threshold.percentage + (enabled ? 100 - first.threshold.percentage : 0)
      : enabled
        ? 100 - first.threshold.percentage
        : 0
    : rollouts.length === 0
      ? Number(enabled) * 100
      : null;
  return {
    exists: true,
    enabled: enabled || percent !== 0,
    percent,
    variations: {},
    revision: updatedAt ?? null,
    updatedBy: null,
    fingerprint: fingerprintOf({ enabled, rollouts }),
  };
}

function variedState({ flag: { enabled, updatedAt }, rules }: z.output<typeof varied>): FlagState {
  const kept = (rules.rules ?? []).map(({ segmentKey, segmentKeys, rank, distributions }) => ({
    segmentKey,
    segmentKeys,
    rank,
    distributions: (distributions ?? []).map(({ variantId, rollout: share }) => [variantId, share]),
  }));
  return {
    exists: true,
    enabled,
    percent: null,
    variations: {},
    revision: updatedAt ?? null,
    updatedBy: null,
    fingerprint: fingerprintOf({ enabled, rules: kept }),
  };
}

const event = z.looseObject({
  type: z.string(),
  action: text,
  payload: z.looseObject({ key: text, flag_key: text, flagKey: text, namespace_key: text }).nullish(),
  metadata: z.looseObject({ actor: z.looseObject({ email: text, name: text }).nullish() }).nullish(),
});

/** A segment belongs to any flag; everything else names its own. */
export const fliptHints = (body: string, namespace: string | null) =>
  payload(body, event, ({ type, action, payload: about, metadata }) => {
    if (namespace !== null && about?.namespace_key && about.namespace_key !== namespace) return [];
    const actor = metadata?.actor?.email ?? metadata?.actor?.name;
    const what = `${type} ${action ?? 'changed'}`;
    const flag = type === 'flag' ? about?.key : (about?.flag_key ?? about?.flagKey);
    if (flag) return [hint(flag, what, actor)];
    return ['flag', 'segment', 'constraint', 'rule', 'rollout', 'variant', 'distribution'].includes(type)
      ? [hint(null, what, actor)]
      : [];
  });
