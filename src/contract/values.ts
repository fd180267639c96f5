/** The small values of every document, each with one way to be written: durations, weights, shares, counts of failures. */
import { z } from 'zod';
import { parseDuration } from '../lib/duration.ts';

const FEW_KEYS = 4;

/** A strict object whose error for an unknown key carries the keys that it knows. */
export const strict = <S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict> =>
  z.strictObject(shape, {
    error: (issue) => {
      const keys = Object.keys(shape);
      if (issue.code === 'unrecognized_keys') return `unknown key; known: ${keys.join(', ')}`;
      const isShort = issue.code === 'invalid_type' && keys.length <= FEW_KEYS;
      return isShort
        ? `written with its ${keys.length === 1 ? 'key' : 'keys'}: { ${keys.map((key) => `${key}: …`).join(', ')} }`
        : undefined;
    },
  });

/** Text in, milliseconds out. */
export const duration = z
  .string({ error: 'a duration in quotes or with its unit, such as 30s, 5m or 1h30m' })
  .regex(/^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/, 'a duration such as 30s, 5m or 1h30m')
  .transform((text, ctx) => {
    const ms = parseDuration(text);
    if (ms !== null) return ms;
    ctx.addIssue('a duration such as 30s, 5m or 1h30m');
    return z.NEVER;
  });

const PERCENT = /^\d{1,3}(\.\d{1,6})?\s?%$/;
const asPercent = (text: string): number => Number(text.replace('%', '').trim());

/** `0.5%` in, basis points out. */
export const weight = z
  .string({ error: 'a weight with its percent sign, such as 0.5% or 25%' })
  .regex(PERCENT, 'a weight with its percent sign, such as 0.5% or 25%')
  .transform((text, ctx) => {
    const basisPoints = Math.round(asPercent(text) * 1e6) / 1e4;
    if (basisPoints > 10_000) ctx.addIssue('a weight is 100% at most');
    else if (!Number.isInteger(basisPoints)) ctx.addIssue(`${text} is finer than 0.01%, the smallest step there is`);
    else return basisPoints;
    return z.NEVER;
  });

/** `10%` in, 0.1 out; may be above 100 % where it is a tolerance. */
export const share = z
  .string({ error: 'a share with its percent sign, such as 10% or 0.5%' })
  .regex(PERCENT, {
    error: ({ input }) =>
      typeof input === 'string' && /^\d{4,}(\.\d+)?\s?%$/.test(input)
        ? `${input} is more than is taken anywhere: 999% at most`
        : 'a share with its percent sign, such as 10% or 0.5%',
  })
  .transform((text) => asPercent(text) / 100);
/** A share of a whole. */
export const part = share.refine((of) => of <= 1, '100% at most');

/** `3 of 5`. */
export const failures = z
  .string({ error: 'such as "3 of 5"' })
  .regex(/^\d{1,3} of \d{1,3}$/, 'such as "3 of 5"')
  .transform((text, ctx) => {
    const [breaches = 0, of = 0] = text.split(' of ').map(Number);
    if (breaches >= 1 && breaches <= of && of <= 100) return { breaches, of };
    ctx.addIssue(
      of > 100
        ? 'a window of 100 measurements at most'
        : `"${text}" can never happen: the first number is at least 1 and at most the second`,
    );
    return z.NEVER;
  });

export const name = z
  .string({ error: 'a name' })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'a name of letters, digits, dots, dashes and underscores')
  .refine((text) => !(text in Object.prototype), 'another name: every object has this one by itself');
export const version = z
  .string({ error: 'a version as text' })
  .min(1, 'a version is not empty')
  .max(200, 'a version of 200 characters at most')
  // Nor what turns the direction of the text after it: a version reads as what it is.
  .regex(/^[^\p{Cc}\u202A-\u202E\u2066-\u2069]*$/u, 'a version has no control characters');
export const reason = z
  .string({ error: 'a reason as text' })
  .max(2_000, 'a reason of 2,000 characters at most')
  .regex(/^[\P{Cc}\s]*$/u, 'a reason has no control characters');
