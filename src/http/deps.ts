/** What the HTTP floor is given: use cases, the store to read from, and what only the top knows. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { PlanWorld } from '../contract/plan-world.ts';
import { problemView } from '../contract/wire.ts';
import type { Access } from '../controller/access.ts';
import type { Commands } from '../controller/commands.ts';
import type { Context } from '../controller/context.ts';
import type { Flags } from '../controller/flags.ts';
import type { FlagWork } from '../controller/flag-work.ts';
import type { WebhooksIn } from '../controller/webhooks-in.ts';
import { unfit } from './unfit.ts';

export type HttpDeps = {
  readonly context: Context;
  readonly commands: Commands;
  readonly planWorld: PlanWorld;
  readonly flags: Flags;
  readonly webhooks: WebhooksIn;
  readonly flagWork: FlagWork;
  /** There is something new in the inbox of webhooks. */
  nudgeInbox(): void;
  metricsText(): Promise<string>;
  /** What keeps it from being ready; empty when it is. `alive` is false when the loops stand still. */
  health(): Promise<{ readonly alive: boolean; readonly problems: readonly string[] }>;
  readonly access: Access;
  /** Where people reach it, when the operator said so. */
  readonly publicUrl: string | null;
  /** Fires when the service goes down: open streams end. */
  readonly closing: AbortSignal;
};

/** A router whose validation failures are problem documents that name every value that is wrong. */
export const routes = (told: typeof unfit = unfit): OpenAPIHono =>
  new OpenAPIHono({ defaultHook: (result, c) => (result.success ? undefined : told(c, result)) });

export const jsonOf = <T>(schema: T, description: string) => ({
  content: { 'application/json': { schema } },
  description,
});

/** Any route may answer with a problem document. */
export const problems = {
  default: { description: 'A problem document (RFC 9457)', content: { 'application/problem+json': { schema: problemView } } },
} as const;
