/** Notices as lines of the log: the notifier that is always there. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import { ok } from '../../lib/result.ts';
import type { Log } from '../../ports/log.ts';
import type { Notifier } from '../../ports/notifier.ts';

export const logNotifierOptions = strict({ type: z.literal('log') });

export const logNotifier = (name: string, log: Log): Notifier => ({
  name,
  type: 'log',
  async deliver({ id, type, subject, sentence }) {
    log.info({ notifier: name, event: id, type, subject }, sentence);
    return ok(undefined);
  },
  close: async () => {},
});
