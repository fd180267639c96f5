/** What the HTTP floor is given: use cases, the store to read from, and what only the top knows. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { PlanWorld } from '../contract/plan-world.ts';
import { problemView } from '../contract/wire.ts';
import { pointerOf } from '../contract/problem.ts';
import type { Access } from '../controller/access.ts';
import type { Commands } from '../controller/commands.ts';
import type { Context } from '../controller/context.ts';
import type { Flags } from '../controller/flags.ts';
import type { FlagWork } from '../controller/flag-work.ts';
import type { WebhooksIn } from '../controller/webhooks-in.ts';
import { problem } from './problem.ts';

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
export const routes = (): OpenAPIHono =>
  new OpenAPIHono({
    defaultHook(result, c) {
      if (result.success) return undefined;
      const problems = result.error.issues.flatMap((issue) => {
        const path = issue.path.filter((key) => typeof key !== 'symbol');
        if (issue.code === 'unrecognized_keys')
          return issue.keys.map((key) => ({
            path: pointerOf([...path, key]),
            message: `unknown key "${key}"`,
            line: null,
            column: null,
          }));
        const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
        return [
          {
            path: pointerOf(path),
            message: missing ? `${String(path.at(-1) ?? 'the body')} is missing` : issue.message,
            line: null,
            column: null,
          },
        ];
      });
      return problem(
        c,
        'invalid',
        `the ${result.target === 'json' ? 'body' : result.target} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
        problems,
      );
    },
  });

export const jsonOf = <T>(schema: T, description: string) => ({
  content: { 'application/json': { schema } },
  description,
});

/** Any route may answer with a problem document. */
export const problems = {
  default: { description: 'A problem document (RFC 9457)', content: { 'application/problem+json': { schema: problemView } } },
} as const;
