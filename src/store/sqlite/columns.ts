/** SQLite's column makers for `makeSchema`. Another dialect is another file with the same names. */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const table = sqliteTable;
export const str = (name: string) => text(name);
export const big = (name: string) => integer(name);
export const bool = (name: string) => integer(name, { mode: 'boolean' });
export const json = (name: string) => text(name, { mode: 'json' });
/** Grows without end and is never reused. */
export const serial = (name: string) => integer(name).primaryKey({ autoIncrement: true });
export { index, primaryKey, uniqueIndex };
