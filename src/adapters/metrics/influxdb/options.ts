/** What an operator says of an InfluxDB in `headgate.yaml`: 1.x, or a later one by its 1.x API. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';
import { access, address } from '../../outgoing/access.ts';
import { offeredChecks } from '../texts.ts';

const tag = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'a tag');

export const influxdbOptions = strict({
  type: z.literal('influxdb'),
  /** Up to, and without, `/query`. */
  url: address,
  database: z.string().min(1).max(200),
  retentionPolicy: z.string().min(1).max(200).optional(),
  ...access,
  auth: z
    .union([access.auth.unwrap(), strict({ token: z.string().min(1) })], {
      error: '{ basic: { user, password } }, { token: ... } or { bearer: ... }',
    })
    .optional(),
  tags: strict({
    /** Tells canary from stable; a check may name another one. */
    version: tag.default('version'),
    /** Tells the processes of one version apart, so that a restart of one is seen. */
    instance: tag.default('instance'),
    /** Upper bound of a histogram's bucket. */
    le: tag.default('le'),
  }).prefault({}),
  checks: offeredChecks.default({}),
  /** Older points than this are not taken for the present state of a series. */
  lookbackMs: z.number().int().min(1_000).max(86_400_000).default(300_000),
});

export type InfluxdbOptions = z.output<typeof influxdbOptions>;
