/** What an operator says of flags that Headgate itself serves by OFREP. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';

const route = strict({
  /** By which clients ask for the flag; the route's name where it is left out. */
  key: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,100}$/, 'a flag key of letters, digits and . _ : -')
    .optional(),
  /** What is answered for each slot, where that is not `stable` or `canary`. */
  slots: z
    .record(z.string().min(1).max(60), strict({ value: z.json() }))
    .refine((slots) => Object.keys(slots).length === 2, 'exactly two slots, such as blue and green')
    .optional(),
});

export const ofrepOptions = strict({
  type: z.literal('ofrep'),
  routes: z
    .record(z.string().min(1).max(100), route.prefault({}))
    .refine((routes) => Object.keys(routes).length > 0, 'at least one route'),
}).superRefine(({ routes }, ctx) => {
  const keys = Object.entries(routes).map(([name, { key }]) => key ?? name);
  for (const [index, [name]] of Object.entries(routes).entries())
    if (keys.indexOf(keys[index] ?? '') < index)
      ctx.addIssue({
        code: 'custom',
        path: ['routes', name],
        message: `the key ${keys[index] ?? ''} is another flag's already`,
      });
});

export type OfrepOptions = z.output<typeof ofrepOptions>;
