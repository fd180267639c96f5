/** Migrations are generated from the schema, then read by a person: `npm run db:generate -- --name what-changed`. */
import { defineConfig } from 'drizzle-kit';

const dialects = {
  sqlite: { dialect: 'sqlite', schema: './src/store/sqlite/tables.ts', out: './migrations/sqlite' },
} as const;

const asked = process.env['DIALECT'] ?? 'sqlite';
if (asked !== 'sqlite') throw new Error(`DIALECT=${asked}: there is a schema for sqlite only`);

export default defineConfig(dialects[asked]);
