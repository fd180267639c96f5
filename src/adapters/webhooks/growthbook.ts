/** GrowthBook: events of features, signed over the body, and SDK webhooks by Standard Webhooks; read by its REST API. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import type { FlagState } from '../../domain/flag.ts';
import type { FlagSource } from '../../ports/flag-source.ts';
import { baseAddress, sender, token } from '../outgoing/access.ts';
import { anything, API, asked, fingerprintOf, hint, payload, place, stateFrom, text } from './common.ts';

export const growthbookApi = strict({
  url: baseAddress.default('https://api.growthbook.io'),
  token,
  environment: place,
});

const rule = z.looseObject({
  type: text,
  enabled: z.boolean().nullish(),
  coverage: z.number().nullish(),
  condition: text,
  savedGroupTargeting: z.array(z.unknown()).nullish(),
});
const environment = z.looseObject({ enabled: z.boolean(), defaultValue: anything, rules: z.array(rule).nullish() });
const answer = z.looseObject({
  feature: z.looseObject({
    archived: z.boolean().nullish(),
    defaultValue: anything,
    prerequisites: anything,
    environments: z.record(z.string(), environment),
    revision: z.looseObject({ version: z.number(), publishedBy: text }).nullish(),
  }),
});

export function growthbookFlags({ url, token: bearer, environment: name }: z.output<typeof growthbookApi>): FlagSource {
  const send = sender({ ...API, auth: { bearer } });
  return {
    read: async (flag, signal) =>
      stateFrom(await asked(send, `${url}/api/v1/features/${encodeURIComponent(flag)}`, signal), answer, ({ feature }) =>
        stateOf(feature, name),
      ),
  };
}

function stateOf(feature: z.output<typeof answer>['feature'], name: string): FlagState | null {
  const found = feature.environments[name];
  if (!found) return null;
  const { archived, defaultValue, prerequisites, revision } = feature;
  const rules = (found.rules ?? []).filter(({ enabled }) => enabled !== false);
  const [first] = rules;
  const isOpen = first && !first.savedGroupTargeting?.length && (!first.condition || first.condition === '{}');
  return {
    exists: true,
    enabled: found.enabled && archived !== true,
    percent: isOpen && typeof first.coverage === 'number' ? first.coverage * 100 : null,
    variations: {},
    revision: revision ? String(revision.version) : null,
    updatedBy: revision?.publishedBy ?? null,
    fingerprint: fingerprintOf({ archived, defaultValue, prerequisites, enabled: found.enabled, own: found.defaultValue, rules }),
  };
}

const event = z.looseObject({
  event: z.string(),
  environments: z.array(z.string()).nullish(),
  user: z.looseObject({ email: text, name: text }).nullish(),
  data: z.looseObject({ object: z.looseObject({ id: text, featureId: text }).nullish() }).nullish(),
});

export const growthbookHints = (body: string, environment: string | null) =>
  payload(body, event, ({ event: name, environments, user, data }) => {
    if (!name.startsWith('feature.')) return [];
    if (environment !== null && environments?.length && !environments.includes(environment)) return [];
    // Safe rollouts, ramps and revisions are objects of their own, which name their feature or do not.
    const flag = data?.object?.featureId ?? (/^feature\.(created|updated|deleted)$/.test(name) ? data?.object?.id : null);
    return [hint(flag ?? null, name, user?.email ?? user?.name)];
  });

/** The payload of an SDK connection changed: whichever flag it was. */
export const growthbookSdkHints = (body: string) =>
  payload(body, z.looseObject({}), () => [hint(null, 'the SDK payload changed', null)]);
