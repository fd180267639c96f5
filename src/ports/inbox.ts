/**
 * What came in by webhook, kept before it is answered and worked off afterwards; and what is known of each flag. Part of
 * the store: one method is one whole transaction.
 */
import type { Confirmed, FlagState } from '../domain/flag.ts';
import type { Instant } from '../domain/ids.ts';
import type { AuditEntry, Once, Page } from './store.ts';

/** A delivery as its sender signed it, or a difference that our own look at a flag found. */
export type InboxPayload =
  | { readonly kind: 'webhook'; readonly body: string; readonly encoding: 'utf8' | 'base64' }
  | { readonly kind: 'poll'; readonly flag: string };

export type InboxRow = {
  readonly seq: number;
  readonly source: string;
  /** Tells a repetition: the sender's delivery id, or a digest of what it sent. */
  readonly key: string;
  readonly payload: InboxPayload;
  /** How often it was worked on in vain. */
  readonly attempts: number;
  readonly receivedAt: Instant;
};

export type InboxState = 'pending' | 'done' | 'parked';

export type InboxView = InboxRow & {
  readonly state: InboxState;
  /** What came of it, or what stands in its way. */
  readonly detail: string | null;
  readonly dueAt: Instant;
  readonly settledAt: Instant | null;
};

export type InboxOutcome =
  | { readonly kind: 'done'; readonly detail: string }
  | { readonly kind: 'retry'; readonly at: Instant; readonly detail: string }
  /** Given up, visibly, until somebody asks for another try. */
  | { readonly kind: 'parked'; readonly detail: string };

/** `known`: it was kept before, whatever became of it. `full`: so many of its source wait that it was not kept. */
export type Kept = 'kept' | 'known' | 'full';

/**
 * A sender that signs no time can be repeated for as long as its secret lasts: how long a delivery is known again, beyond
 * the time that it is itself kept.
 */
export const SEEN_KEPT_MS = 2 * 365 * 86_400_000;

export type InboxTally = { readonly source: string; readonly pending: number };

/** A flag as it was last looked at, and its last change. */
export type StoredFlag = {
  readonly source: string;
  readonly flag: string;
  /** Null until it was read for the first time. */
  readonly state: FlagState | null;
  readonly readAt: Instant | null;
  /** When it was tried to be read last, in vain or not. */
  readonly lookedAt: Instant;
  readonly failure: string | null;
  readonly change: {
    readonly what: string;
    readonly changedBy: string | null;
    readonly confirmed: Confirmed;
    readonly fingerprint: string;
    /** Of the inbox row that told it. */
    readonly key: string;
    readonly at: Instant;
  } | null;
};

export type InboxStore = {
  keepWebhook(given: {
    readonly source: string;
    readonly key: string;
    readonly payload: InboxPayload;
    /** How many of one source may wait. */
    readonly limit: number;
  }): Promise<Kept>;
  /** Oldest due first; leased so that nobody else works on them meanwhile. */
  claimInbox(claim: { readonly leaseMs: number; readonly limit: number }): Promise<readonly InboxRow[]>;
  settleInbox(settled: { readonly seq: number; readonly outcome: InboxOutcome }): Promise<void>;
  nextInboxAt(): Promise<Instant | null>;
  /** Newest first. */
  inbox(query: {
    readonly source: string | null;
    readonly state: InboxState | null;
    readonly limit: number;
    readonly before: number | null;
  }): Promise<Page<InboxView, number>>;
  /** A parked one gets another try; false when there is no such row that is parked, or the request was answered meanwhile. */
  retryInbox(seq: number, audit: AuditEntry, once?: Once<boolean> | null): Promise<boolean>;
  /** What waits, of each source that has something waiting. */
  inboxTally(): Promise<readonly InboxTally[]>;

  saveFlag(flag: StoredFlag): Promise<void>;
  flag(source: string, flag: string): Promise<StoredFlag | null>;
  flags(): Promise<readonly StoredFlag[]>;
};
