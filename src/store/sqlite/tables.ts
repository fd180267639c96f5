/** The schema built for SQLite: what the store and drizzle-kit read. */
import * as columns from './columns.ts';
import { makeSchema } from './schema.ts';

export const {
  services,
  targets,
  plans,
  releases,
  intents,
  events,
  measurements,
  checkStates,
  pushed,
  audit,
  outbox,
  tokens,
  idempotency,
  inbox,
  inboxSeen,
  identityKeys,
  flags,
  endpoints,
} = makeSchema(columns);
