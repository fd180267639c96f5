/** What an operator says of pushed counts in `headgate.yaml`: the names that plans may use for them. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { offeredChecks } from '../texts.ts';

export const pushOptions = strict({
  type: z.literal('push'),
  checks: offeredChecks.default({
    errors: { kind: 'ratio', bad: 'errors', total: 'requests' },
    latency: { kind: 'latency', histogram: 'duration' },
  }),
});

export type PushOptions = z.output<typeof pushOptions>;
