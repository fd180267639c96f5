/** The notifiers there are: a name in `headgate.yaml` to its options and its factory. */
import type { z } from 'zod';
import type { Log } from '../../ports/log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { logNotifier, logNotifierOptions } from './log.ts';
import { webhook, webhookOptions } from './webhook.ts';

export type NotifierDeps = { readonly log: Log; readonly fetch: typeof globalThis.fetch };

export type NotifierKind = {
  readonly options: z.ZodType;
  create(name: string, options: unknown, deps: NotifierDeps): Notifier;
};

export const notifierKinds: Readonly<Record<string, NotifierKind>> = {
  log: { options: logNotifierOptions, create: (name, _options, { log }) => logNotifier(name, log) },
  webhook: {
    options: webhookOptions,
    create: (name, options, deps) => webhook(name, webhookOptions.parse(options), deps),
  },
};
