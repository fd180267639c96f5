/**
 * The tables, from one definition for every dialect: `makeSchema` takes a dialect's column makers. Names say their units.
 * A release is stored whole as JSON (it is the fold of its events); the columns beside it are what lists and claims need.
 */
import { sql } from 'drizzle-orm';
import * as columns from './columns.ts';

export type Columns = typeof columns;

export const makeSchema = (c: Columns) => ({
  services: c.table('services', {
    name: c.str('name').primaryKey(),
    stableSlot: c.str('stable_slot').notNull(),
    stableVersion: c.str('stable_version'),
    updatedAtMs: c.big('updated_at_ms').notNull(),
  }),
  targets: c.table(
    'targets',
    {
      id: c.str('id').primaryKey(),
      service: c.str('service').notNull(),
      spec: c.json('spec').notNull(),
      managed: c.bool('managed').notNull(),
      desiredSecondSlotBp: c.big('desired_second_slot_bp').notNull(),
      seq: c.big('seq').notNull(),
      verifiedSecondSlotBp: c.big('verified_second_slot_bp'),
      verifiedSeq: c.big('verified_seq').notNull(),
      verifiedAtMs: c.big('verified_at_ms'),
      boots: c.json('boots').notNull(),
      driftAtMs: c.big('drift_at_ms'),
      differs: c.str('differs'),
      unreachableSinceMs: c.big('unreachable_since_ms'),
      eventSeq: c.big('event_seq').notNull(),
      dueAtMs: c.big('due_at_ms').notNull(),
    },
    (t) => [c.index('targets_by_due').on(t.managed, t.dueAtMs), c.index('targets_by_service').on(t.service)],
  ),
  plans: c.table(
    'plans',
    {
      name: c.str('name').notNull(),
      version: c.big('version').notNull(),
      service: c.str('service').notNull(),
      document: c.str('document').notNull(),
      createdAtMs: c.big('created_at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.name, t.version] })],
  ),
  releases: c.table(
    'releases',
    {
      id: c.str('id').primaryKey(),
      service: c.str('service').notNull(),
      phase: c.str('phase').notNull(),
      revision: c.big('revision').notNull(),
      stateVersion: c.big('state_version').notNull(),
      state: c.json('state').notNull(),
      createdAtMs: c.big('created_at_ms').notNull(),
      ended: c.bool('ended').notNull(),
      dueAtMs: c.big('due_at_ms').notNull(),
      leaseWorker: c.str('lease_worker'),
      leaseUntilMs: c.big('lease_until_ms').notNull(),
      crashes: c.big('crashes').notNull(),
      lastError: c.str('last_error'),
    },
    (t) => [
      c.index('releases_by_created').on(t.createdAtMs, t.id),
      c.index('releases_by_service').on(t.service, t.createdAtMs, t.id),
      // Answers every filter of the list by itself: states are long, and there are thousands.
      c
        .index('releases_by_facts')
        .on(t.createdAtMs, t.id, t.service, t.phase, sql`state ->> '$.version'`, sql`state ->> '$.createdBy.name'`),
      c
        .index('releases_by_due')
        .on(t.dueAtMs)
        .where(sql`ended = 0`),
      // One release at a time moves a service's traffic, whoever writes.
      c
        .uniqueIndex('releases_one_active')
        .on(t.service)
        .where(sql`ended = 0 and phase <> 'queued'`),
    ],
  ),
  intents: c.table(
    'intents',
    {
      target: c.str('target').notNull(),
      seq: c.big('seq').notNull(),
      release: c.str('release'),
      secondSlotBp: c.big('second_slot_bp').notNull(),
      atMs: c.big('at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.target, t.seq] })],
  ),
  events: c.table(
    'events',
    {
      position: c.serial('position'),
      subject: c.str('subject').notNull(),
      seq: c.big('seq').notNull(),
      type: c.str('type').notNull(),
      atMs: c.big('at_ms').notNull(),
      event: c.json('event').notNull(),
    },
    (t) => [c.uniqueIndex('events_by_subject').on(t.subject, t.seq)],
  ),
  measurements: c.table(
    'measurements',
    {
      id: c.serial('id'),
      release: c.str('release').notNull(),
      check: c.str('check').notNull(),
      endMs: c.big('end_ms').notNull(),
      row: c.json('row').notNull(),
    },
    (t) => [
      c.uniqueIndex('measurements_once').on(t.release, t.check, t.endMs),
      c.index('measurements_by_end').on(t.release, t.id),
    ],
  ),
  checkStates: c.table(
    'check_states',
    {
      release: c.str('release').notNull(),
      check: c.str('check').notNull(),
      row: c.json('row').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.release, t.check] })],
  ),
  pushed: c.table(
    'pushed',
    {
      service: c.str('service').notNull(),
      version: c.str('version').notNull(),
      instance: c.str('instance').notNull(),
      receivedAtMs: c.big('received_at_ms').notNull(),
      row: c.json('row').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.service, t.version, t.instance] })],
  ),
  audit: c.table('audit', {
    seq: c.serial('seq'),
    atMs: c.big('at_ms').notNull(),
    entry: c.json('entry').notNull(),
    /** Of this row and the one before it; null in rows from before there was a chain. */
    hash: c.str('hash'),
  }),
  outbox: c.table(
    'outbox',
    {
      seq: c.serial('seq'),
      notifier: c.str('notifier').notNull(),
      subject: c.str('subject').notNull(),
      event: c.json('event').notNull(),
      state: c.str('state').notNull(),
      attempts: c.big('attempts').notNull(),
      detail: c.str('detail'),
      createdAtMs: c.big('created_at_ms').notNull(),
      dueAtMs: c.big('due_at_ms').notNull(),
      leaseUntilMs: c.big('lease_until_ms').notNull(),
      settledAtMs: c.big('settled_at_ms'),
    },
    (t) => [
      c
        .index('outbox_pending')
        .on(t.notifier, t.subject, t.seq)
        .where(sql`state = 'pending'`),
      c
        .index('outbox_parked')
        .on(t.notifier, t.seq)
        .where(sql`state = 'parked'`),
      c.index('outbox_by_notifier').on(t.notifier, t.seq),
      c.index('outbox_by_subject').on(t.subject, t.seq),
    ],
  ),
  /** API tokens, and sessions of the console made from one. The secret itself is nowhere. */
  tokens: c.table(
    'tokens',
    {
      id: c.str('id').primaryKey(),
      digest: c.str('digest').notNull(),
      name: c.str('name').notNull(),
      /** The token that a session was made from: it dies with it. */
      parent: c.str('parent'),
      row: c.json('row').notNull(),
      createdAtMs: c.big('created_at_ms').notNull(),
      expiresAtMs: c.big('expires_at_ms'),
      lastUsedAtMs: c.big('last_used_at_ms'),
      revokedAtMs: c.big('revoked_at_ms'),
    },
    (t) => [c.uniqueIndex('tokens_by_digest').on(t.digest), c.index('tokens_by_parent').on(t.parent)],
  ),
  /** What a request with an Idempotency-Key was answered, written with its effect. */
  idempotency: c.table(
    'idempotency',
    {
      principal: c.str('principal').notNull(),
      key: c.str('key').notNull(),
      /** Of method, path and body. */
      digest: c.str('digest').notNull(),
      answer: c.json('answer').notNull(),
      atMs: c.big('at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.principal, t.key] }), c.index('idempotency_by_age').on(t.atMs)],
  ),
  /** Webhooks that came in: kept before they are answered, worked off afterwards. */
  inbox: c.table(
    'inbox',
    {
      seq: c.serial('seq'),
      source: c.str('source').notNull(),
      /** Tells a repetition: the sender's delivery id, or what stands for it. */
      key: c.str('key').notNull(),
      row: c.json('row').notNull(),
      state: c.str('state').notNull(),
      attempts: c.big('attempts').notNull(),
      detail: c.str('detail'),
      receivedAtMs: c.big('received_at_ms').notNull(),
      dueAtMs: c.big('due_at_ms').notNull(),
      leaseUntilMs: c.big('lease_until_ms').notNull(),
      settledAtMs: c.big('settled_at_ms'),
    },
    (t) => [
      c.uniqueIndex('inbox_once').on(t.source, t.key),
      c
        .index('inbox_pending')
        .on(t.dueAtMs)
        .where(sql`state = 'pending'`),
    ],
  ),
  /** What is told of a repetition once the webhook itself is dropped. */
  inboxSeen: c.table(
    'inbox_seen',
    {
      source: c.str('source').notNull(),
      key: c.str('key').notNull(),
      atMs: c.big('at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.source, t.key] }), c.index('inbox_seen_by_age').on(t.atMs)],
  ),
  /** Public keys of identity providers, as they were when each was last reached. */
  identityKeys: c.table(
    'identity_keys',
    {
      issuer: c.str('issuer').notNull(),
      /** Where they were said to be; empty where the issuer says so itself. */
      jwks: c.str('jwks').notNull(),
      keys: c.str('keys').notNull(),
      atMs: c.big('at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.issuer, t.jwks] })],
  ),
  /** What a flag was when it was last read from its platform. */
  flags: c.table(
    'flags',
    {
      source: c.str('source').notNull(),
      flag: c.str('flag').notNull(),
      row: c.json('row').notNull(),
      readAtMs: c.big('read_at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.source, t.flag] })],
  ),
  /** Notifiers that are not delivered to any more, and why. */
  endpoints: c.table('endpoints', {
    notifier: c.str('notifier').primaryKey(),
    disabledAtMs: c.big('disabled_at_ms'),
    reason: c.str('reason'),
  }),
});
