/** What was heard: webhooks of flag platforms, kept on disk before they were answered, and what came of each. */
import { useState } from 'preact/hooks';
import type { InboxEntryView } from '../../../../src/contract/wire-flags.ts';
import { call, query } from '../../api/client.ts';
import type { Failure } from '../../api/client.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { Act } from '../../parts/act.tsx';
import { Empty, ErrorBox, Loading } from '../../parts/notices.tsx';
import { Choice, Filters } from '../../parts/search.tsx';
import { StateBadge, stateWord } from '../../parts/state-badge.tsx';
import type { Column } from '../../parts/table.tsx';
import { Pager, Table } from '../../parts/table.tsx';
import { Countdown, Moment } from '../../parts/time.tsx';
import type { Place } from '../../router.ts';

type Page = { readonly items: readonly InboxEntryView[]; readonly nextCursor: string | null };

const STATES = ['pending', 'done', 'parked'];
const PAGE = 50;
const EVERY_MS = 5_000;
const WHY_ID = 'why-no-retry';

export function Incoming({ place }: { readonly place: Place }) {
  const [source, state, cursor] = ['source', 'state', 'cursor'].map((key) => place.search.get(key));
  const { value, error, refresh } = useResource<Page>(`/v1/webhooks/inbox${query({ source, state, cursor, limit: PAGE })}`, {
    everyMs: EVERY_MS,
  });
  const [refused, setRefused] = useState<Failure | null>(null);
  const whyNot = useWhyNot('raise');
  const again = async ({ seq }: InboxEntryView): Promise<void> => {
    const answer = await call(`/v1/webhooks/inbox/${seq}/retry`, { method: 'POST' });
    setRefused(answer.ok ? null : answer.error);
    refresh();
  };
  const isFiltered = Boolean(source || state);
  return (
    <section aria-labelledby="inbox-title">
      <div class="page-head">
        <h2 id="inbox-title">What was heard</h2>
        <Filters>
          <Choice
            place={place}
            name="state"
            label="State"
            all="All states"
            options={STATES.map((one) => [one, stateWord(one)])}
          />
        </Filters>
      </div>
      {whyNot === null ? null : (
        <p id={WHY_ID} class="small soft">
          {whyNot} So nothing can be worked on again.
        </p>
      )}
      {refused ? <ErrorBox error={refused} /> : null}
      {error ? <ErrorBox error={error} /> : null}
      {value === null && !error ? <Loading of="the inbox" /> : null}
      {value?.items.length === 0 ? (
        <Empty title={isFiltered ? 'Nothing that was heard fits.' : 'No webhook has come in yet.'}>
          {isFiltered ? <a href="/deliveries?side=in">Show all</a> : null}
        </Empty>
      ) : null}
      {value && value.items.length > 0 ? (
        <>
          <Table
            stacked
            caption="Webhooks that came in, newest first"
            columns={columns(again, whyNot)}
            rows={value.items}
            keyOf={({ seq }) => seq}
          />
          <Pager place={place} nextCursor={value.nextCursor} />
        </>
      ) : null}
    </section>
  );
}

const columns = (again: (row: InboxEntryView) => Promise<void>, whyNot: string | null): readonly Column<InboxEntryView>[] => [
  {
    title: 'From',
    cell: ({ source, kind, key }) => (
      <>
        <span class="strong">{source}</span>
        <span class="under small soft subject">
          {kind === 'poll' ? 'own look' : 'webhook'} · {key}
        </span>
      </>
    ),
  },
  {
    title: 'State',
    cell: ({ state, attempts, dueAt }) => (
      <>
        <StateBadge state={state} />
        {state === 'pending' && attempts > 0 ? (
          <span class="under small soft">
            tried {attempts === 1 ? 'once' : `${attempts} times`}, next in <Countdown at={dueAt} />
          </span>
        ) : null}
      </>
    ),
  },
  {
    title: 'What came of it',
    cell: ({ detail, body }) => (
      <>
        {detail ?? <span class="soft">nothing yet</span>}
        {body === null ? null : (
          <details class="fold">
            <summary>What was sent</summary>
            <pre tabIndex={0} class="small">
              {body}
            </pre>
          </details>
        )}
      </>
    ),
  },
  {
    title: 'When',
    cell: ({ receivedAt }) => <Moment at={receivedAt} />,
    wide: true,
  },
  {
    title: 'Again',
    cell: (row) =>
      row.state === 'parked' ? (
        <Act label={`Try again: webhook ${row.seq} of ${row.source}`} whyNot={whyNot} whyId={WHY_ID} run={() => again(row)}>
          Try again
        </Act>
      ) : null,
    end: true,
  },
];
