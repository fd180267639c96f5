/** What is under way, counted over the rows that have not ended and nothing else. */
import { Instant } from '../../domain/ids.ts';
import { assert } from '../../lib/assert.ts';
import type { Store } from '../../ports/store.ts';
import { standingOf } from '../rows.ts';
import type { SqliteContext } from './context.ts';

export const tallyMethod = ({ queries, read }: SqliteContext): Pick<Store, 'tally'> => ({
  tally: async () =>
    read(() => ({
      releases: queries.standings.all().map(standingOf),
      outbox: queries.waiting.all().map(({ notifier, pending, first }) => {
        // Rows are numbered as they are written: the first of a notifier is its oldest.
        const written = queries.waitingRow.get({ seq: first });
        assert(written, 'a row that was just counted is there');
        return { notifier, pending, oldestAt: Instant(written.createdAtMs) };
      }),
    })),
});
