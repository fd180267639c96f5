/** Lists a page at a time: `limit`, an opaque `cursor`, and the `nextCursor` of the answer. One way for all of them. */
import { z } from '@hono/zod-openapi';
import { parseCursor } from '../lib/cursor.ts';

const ROWS = 'a whole number of rows, 1 to 200';
export const limit = z.coerce.number(ROWS).int(ROWS).min(1, ROWS).max(200, 'a page has 200 rows at most').default(50);

const NO_CURSOR = 'a cursor is the nextCursor of the page before, as it was given';
const encoded = (key: string): string => Buffer.from(key).toString('base64url');
const decoded = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();
const text = z.string().max(500, NO_CURSOR);

/** Of a list in the order of a number: becomes that number. */
export const numberCursor = text
  .regex(/^[\w-]+$/, NO_CURSOR)
  .transform((cursor, ctx) => {
    const number = /^n(\d{1,15})$/.exec(decoded(cursor))?.[1];
    if (number !== undefined) return Number(number);
    ctx.addIssue(NO_CURSOR);
    return z.NEVER;
  })
  .optional();

/** Of a list in the order of names: becomes that name. */
export const nameCursor = text
  .transform((cursor, ctx) => {
    const name = /^a(.{1,200})$/s.exec(decoded(cursor))?.[1];
    if (name !== undefined) return name;
    ctx.addIssue(NO_CURSOR);
    return z.NEVER;
  })
  .optional();

/** Of a list in the order of time, which the store reads itself. */
export const timeCursor = text.refine((cursor) => parseCursor(cursor) !== null, NO_CURSOR).optional();

export const cursorOf = (next: number | string | null): string | null =>
  next === null ? null : encoded(typeof next === 'number' ? `n${next}` : `a${next}`);
