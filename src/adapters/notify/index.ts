/** The notifiers there are: a name in `headgate.yaml` to its options and its factory. */
import type { z } from 'zod';
import type { Log } from '../../ports/log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import type { Wire } from './answer.ts';
import { github, githubOptions } from './github.ts';
import { logNotifier, logNotifierOptions } from './log.ts';
import { slack, slackOptions } from './slack.ts';
import { webhook, webhookOptions } from './webhook.ts';

export type NotifierDeps = Wire & {
  readonly log: Log;
  /** Where people look at releases; null while nobody said. */
  readonly consoleUrl: string | null;
};

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
  slack: {
    options: slackOptions,
    create: (name, options, deps) => slack(name, slackOptions.parse(options), deps, deps.consoleUrl),
  },
  github: {
    options: githubOptions,
    create: (name, options, deps) => github(name, githubOptions.parse(options), deps, deps.consoleUrl),
  },
};
