/** What an operator says of a Graphite, or of anything that answers its render API, in `headgate.yaml`. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { access, address } from '../../outgoing/access.ts';
import { offeredChecks } from '../texts.ts';

const tag = z.string().min(1).max(100);

export const graphiteOptions = strict({
  type: z.literal('graphite'),
  /** Up to, and without, `/render`. */
  url: address,
  ...access,
  /** Of tagged series; in a path the `*` tells instances apart. */
  tags: strict({ instance: tag.default('instance'), le: tag.default('le') }).prefault({}),
  checks: offeredChecks.default({}),
  /** Older points than this are not taken for the present state of a series. */
  lookbackMs: z.number().int().min(1_000).max(86_400_000).default(300_000),
});

export type GraphiteOptions = z.output<typeof graphiteOptions>;
