/** How long the last weight of a release is watched: longer than the slowest router write that may still be on its way. */
import type { Settings } from './context.ts';

export const settleMs = (
  { settleMinMs, applyTimeoutMs }: Pick<Settings, 'settleMinMs' | 'applyTimeoutMs'>,
  ofRouters: readonly number[],
): number => Math.max(settleMinMs, 2 * Math.max(applyTimeoutMs, ...ofRouters));
