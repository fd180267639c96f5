/** A flag of LaunchDarkly as its REST API tells it: for whoever moves it, and for whoever only looks. */
import { z } from 'zod';

const split = z.looseObject({
  variation: z.number().int().nullish(),
  rollout: z.looseObject({ variations: z.array(z.looseObject({ variation: z.number().int(), weight: z.number() })) }).nullish(),
});

export const darklyFlag = z.looseObject({
  archived: z.boolean().nullish(),
  variations: z.array(z.looseObject({ _id: z.string(), name: z.string().nullish(), value: z.unknown().optional() })),
  environments: z.record(
    z.string(),
    z.looseObject({
      on: z.boolean(),
      version: z.number().nullish(),
      offVariation: z.number().int().nullish(),
      fallthrough: split.nullish(),
      rules: z.array(split.extend({ _id: z.string().nullish() })).nullish(),
      targets: z.unknown().optional(),
      contextTargets: z.unknown().optional(),
      prerequisites: z.unknown().optional(),
    }),
  ),
});

export type DarklyFlag = z.output<typeof darklyFlag>;

export const darklyUrl = ({ url, project }: { readonly url: string; readonly project: string }, flag: string): string =>
  `${url}/api/v2/flags/${encodeURIComponent(project)}/${encodeURIComponent(flag)}`;

/** Nobody else's environment comes along. */
export const inEnvironment = (environment: string): string => `?env=${encodeURIComponent(environment)}`;

/** All of them, in the numbers of LaunchDarkly: thousandths of a percent. */
export const WHOLE = 100_000;

/** Who gets what by a rule, or by the default one: weights by the index of the variation. */
export function weightsOf({ variation: only, rollout }: z.output<typeof split>): ReadonlyMap<number, number> {
  if (!rollout) return new Map(only == null ? [] : [[only, WHOLE]]);
  const weights = new Map<number, number>();
  for (const { variation: index, weight } of rollout.variations) weights.set(index, (weights.get(index) ?? 0) + weight);
  return weights;
}
