/** What was heard: webhooks of flag platforms, kept on disk before they were answered, and what came of each. */
import type { InboxEntryView } from '../../../../src/contract/wire-flags.ts';
import { query } from '../../api/client.ts';
import type { Page } from '../../api/client.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { Act } from '../../parts/act.tsx';
import { Listing } from '../../parts/listing.tsx';
import { Empty } from '../../parts/notices.tsx';
import { useRowAct } from '../../parts/row-act.tsx';
import { Choice, Filters } from '../../parts/search.tsx';
import { StateBadge, stateWord } from '../../parts/state-badge.tsx';
import type { Column } from '../../parts/table.tsx';
import { Countdown, Moment } from '../../parts/time.tsx';
import type { Place } from '../../router.ts';

const STATES = ['pending', 'done', 'parked'];
const PAGE = 50;
const EVERY_MS = 5_000;
const WHY_ID = 'why-no-retry';

export function Incoming({ place }: { readonly place: Place }) {
  const [source, state, cursor] = ['source', 'state', 'cursor'].map((key) => place.search.get(key));
  const received = useResource<Page<InboxEntryView>>(`/v1/webhooks/inbox${query({ source, state, cursor, limit: PAGE })}`, {
    everyMs: EVERY_MS,
  });
  const { act, said } = useRowAct(received.refresh);
  const whyNot = useWhyNot('raise');
  const again = ({ seq, source: from }: InboxEntryView): Promise<void> =>
    act(`/v1/webhooks/inbox/${seq}/retry`, () => `Webhook ${seq} of ${from} is tried again.`);
  const isFiltered = Boolean(source || state);
  return (
    <section aria-labelledby="inbox-title">
      <div class="page-head">
        <h2 id="inbox-title">Webhooks that came in</h2>
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
          {whyNot} So none can be tried again.
        </p>
      )}
      {said}
      <Listing
        resource={received}
        place={place}
        of="the webhooks that came in"
        caption="Webhooks that came in, newest first"
        columns={columns(again, whyNot)}
        keyOf={({ seq }) => seq}
        empty={
          <Empty title={isFiltered ? 'No webhook that came in matches.' : 'No webhook has come in yet.'}>
            {isFiltered ? <a href="/deliveries?side=in">Show all</a> : null}
          </Empty>
        }
      />
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
          {kind === 'poll' ? 'read by Headgate' : 'webhook'} · {key}
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
    title: 'Result',
    cell: ({ detail, body }) => (
      <>
        {detail ?? <span class="soft">not worked on yet</span>}
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
  },
  {
    title: 'Try again',
    cell: (row) =>
      row.state === 'parked' ? (
        <Act label={`Try again: webhook ${row.seq} of ${row.source}`} whyNot={whyNot} whyId={WHY_ID} run={() => again(row)}>
          Try again
        </Act>
      ) : null,
    end: true,
  },
];
