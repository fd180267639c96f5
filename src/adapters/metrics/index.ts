/** The metric providers there are: a name in `headgate.yaml` to its options and its factory. */
import type { z } from 'zod';
import type { MetricProvider } from '../../ports/metric-provider.ts';
import { edgeProvider, edgeProviderOptions } from './edge.ts';
import type { EdgeCounters } from './edge.ts';

export type ProviderDeps = { readonly edges: readonly EdgeCounters[] };

export type ProviderKind = {
  readonly options: z.ZodType;
  /** What it offers by name, known before it is made, so that plans can be validated offline. */
  create(name: string, options: unknown, deps: ProviderDeps): MetricProvider;
};

export const providerKinds: Readonly<Record<string, ProviderKind>> = {
  edge: {
    options: edgeProviderOptions,
    create(name, options, { edges }) {
      const { router } = edgeProviderOptions.parse(options);
      return edgeProvider(name, router === undefined ? edges : edges.filter((edge) => edge.name === router));
    },
  },
};
