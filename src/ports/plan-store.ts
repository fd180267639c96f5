/** The part of the store that keeps plans: every version of each, as it was written. */
import type { Instant } from '../domain/ids.ts';
import type { Result } from '../lib/result.ts';
import type { AuditEntry, CommitError, Once, Page } from './store.ts';

export type StoredPlan = {
  readonly name: string;
  readonly version: number;
  readonly service: string;
  /** The text as it was written. */
  readonly document: string;
  readonly createdAt: Instant;
};

export type PlanStore = {
  /** Stale when another version than the expected one is the newest. */
  savePlan(
    plan: {
      readonly name: string;
      readonly service: string;
      readonly document: string;
      readonly expect?: number | null;
      readonly once?: Once<StoredPlan> | null;
    },
    audit: AuditEntry,
  ): Promise<Result<StoredPlan, CommitError>>;
  /** The newest version, or the one asked for. */
  plan(name: string, version: number | null): Promise<StoredPlan | null>;
  plans(query: { readonly limit: number; readonly cursor: string | null }): Promise<Page<StoredPlan>>;
};
