/** ConfigCat: a body that the operator writes, signed with a stamp; a setting is read by its management API with an SDK key. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { FlagState } from '../../domain/flag.ts';
import { ok } from '../../lib/result.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { parsed } from '../outgoing/json.ts';
import { anything, API, asked, fingerprintOf, hint, payload, stateFrom, text, valueName } from './common.ts';

export const configcatApi = strict({
  url: baseAddress.default('https://api.configcat.com'),
  user: token,
  password: token,
  /** Names config and environment. */
  sdkKey: token,
  evaluation: z.enum(['v1', 'v2'], 'v1 or v2').default('v2'),
});

const option = z.looseObject({ percentage: z.number(), value: anything });
const second = z.looseObject({
  defaultValue: z.record(z.string(), z.unknown()),
  targetingRules: z
    .array(
      z.looseObject({
        conditions: z.array(z.unknown()).nullish(),
        percentageOptions: z.array(option).nullish(),
        value: anything,
      }),
    )
    .nullish(),
  percentageEvaluationAttribute: anything,
  lastVersionId: text,
  lastUpdaterUserEmail: text,
});
const first = z.looseObject({
  value: z.union([z.boolean(), z.string(), z.number()]),
  rolloutRules: z.array(z.unknown()).nullish(),
  rolloutPercentageItems: z.array(option).nullish(),
  lastUpdaterUserEmail: text,
});

export function configcatFlags({ url, user, password, sdkKey, evaluation }: z.output<typeof configcatApi>): FlagSource {
  const send = sender({ ...API, auth: { basic: { user, password } }, headers: { 'X-CONFIGCAT-SDKKEY': sdkKey } });
  return {
    async read(flag, signal) {
      const answer = await asked(send, `${url}/${evaluation}/settings/${encodeURIComponent(flag)}/value`, signal);
      return evaluation === 'v2' ? stateFrom(answer, second, secondState) : stateFrom(answer, first, firstState);
    },
  };
}

function secondState(found: z.output<typeof second>): FlagState {
  const { defaultValue, targetingRules, percentageEvaluationAttribute, lastVersionId, lastUpdaterUserEmail } = found;
  const rules = targetingRules ?? [];
  const forAll = rules.find(({ conditions, percentageOptions }) => !conditions?.length && percentageOptions?.length);
  const shares = (forAll?.percentageOptions ?? []).map(({ percentage, value }) => ({ percentage, value: plain(value) }));
  return {
    ...standing(plain(defaultValue), shares, rules.length > 0),
    revision: lastVersionId ?? null,
    updatedBy: lastUpdaterUserEmail ?? null,
    fingerprint: fingerprintOf({ defaultValue, rules, percentageEvaluationAttribute }),
  };
}

function firstState({ value, rolloutRules, rolloutPercentageItems, lastUpdaterUserEmail }: z.output<typeof first>): FlagState {
  const shares = (rolloutPercentageItems ?? []).map((item) => ({ percentage: item.percentage, value: item.value }));
  return {
    ...standing(value, shares, (rolloutRules ?? []).length > 0),
    revision: null,
    updatedBy: lastUpdaterUserEmail ?? null,
    fingerprint: fingerprintOf({ value, rolloutRules, shares }),
  };
}

/** `{"boolValue": true}` is how values of the second kind are written. */
const plain = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? Object.values(value).find((each) => each !== null && each !== undefined) : value;

type Share = { readonly percentage: number; readonly value: unknown };

function standing(
  byDefault: unknown,
  shares: readonly Share[],
  hasRules: boolean,
): Pick<FlagState, 'exists' | 'enabled' | 'percent' | 'variations'> {
  const isSwitch = typeof byDefault === 'boolean';
  const on = shares.filter(({ value }) => value === true).reduce((sum, { percentage }) => sum + percentage, 0);
  const percent = !isSwitch ? null : shares.length > 0 ? on : Number(byDefault) * 100;
  const variations = isSwitch ? {} : Object.fromEntries(shares.map(({ value, percentage }) => [valueName(value), percentage]));
  return { exists: true, enabled: !isSwitch || hasRules || percent !== 0, percent, variations };
}

const body = z.looseObject({
  by: text,
  notes: text,
  changes: z.array(z.looseObject({ settingKey: z.string(), event: text })),
});

/**
 * Who changed it and why stand in the body as they were typed, and a quote in them breaks it as JSON: then the keys are
 * looked for in the text, which was signed, after all.
 */
export function configcatHints(raw: string) {
  if (parsed(raw) !== undefined)
    return payload(raw, body, ({ by, changes }) => changes.map(({ settingKey, event }) => hint(settingKey, event, by)));
  const keys = [...raw.matchAll(/"settingKey"\s*:\s*"([^"\\]{1,200})"/g)].map(([, key = '']) => key);
  return keys.length === 0 ? payload(raw, body, () => []) : ok([...new Set(keys)].map((key) => hint(key, 'changed', null)));
}
