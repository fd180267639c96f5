/** A flag of Unleash in one environment as its admin API tells it: for whoever moves it, and for whoever only looks. */
import { z } from 'zod';
import { ALL } from '../../domain/ids.ts';

const strategy = z.looseObject({
  id: z.string().optional(),
  name: z.string(),
  title: z.string().nullish(),
  disabled: z.boolean().nullish(),
  parameters: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((given) => given ?? {}),
  constraints: z.array(z.unknown()).nullish(),
  segments: z.array(z.unknown()).nullish(),
  variants: z.array(z.looseObject({ name: z.string(), weight: z.number() })).nullish(),
});

export const unleashEnvironment = z.looseObject({
  enabled: z.boolean(),
  strategies: z
    .array(strategy)
    .nullish()
    .transform((given) => given ?? []),
  variants: z.unknown().optional(),
});

export type UnleashEnvironment = z.output<typeof unleashEnvironment>;
export type Strategy = z.output<typeof strategy>;

type Place = { readonly url: string; readonly project: string; readonly environment: string };

export function unleashUrl({ url, project, environment }: Place, flag: string): string {
  const [p, f, e] = [project, flag, environment].map(encodeURIComponent);
  return `${url}/api/admin/projects/${p}/features/${f}/environments/${e}`;
}

export const isOpen = ({ constraints, segments }: Strategy): boolean => !constraints?.length && !segments?.length;

/** Whom it lets in, in basis points of those it is for; null where it does not say so by a percentage. */
export function shareOf({ name, parameters }: Strategy): number | null {
  if (name === 'default') return ALL;
  const rollout = Number(parameters['rollout'] ?? Number.NaN);
  return name === 'flexibleRollout' && 0 <= rollout && rollout <= 100 ? Math.round(rollout * 100) : null;
}
