/** What was told: every notice with its state, its tries and what came back; sent again when somebody asks for it. */
import type { DeliveryView, EndpointView } from '../../../../src/contract/webhooks.ts';
import { query } from '../../api/client.ts';
import type { Page } from '../../api/client.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { Act } from '../../parts/act.tsx';
import { Listing } from '../../parts/listing.tsx';
import { Empty, ErrorBox } from '../../parts/notices.tsx';
import { useRowAct } from '../../parts/row-act.tsx';
import { Choice, Filters } from '../../parts/search.tsx';
import { StateBadge, stateWord } from '../../parts/state-badge.tsx';
import type { Column } from '../../parts/table.tsx';
import { Countdown, Moment } from '../../parts/time.tsx';
import type { Place } from '../../router.ts';
import { Endpoints } from './endpoints.tsx';

const STATES = ['pending', 'delivered', 'parked', 'replaced'];
const PAGE = 50;
const EVERY_MS = 3_000;
/** Of an id as many characters as tell one from another on a page; the whole is in its title. */
const SHOWN_OF_ID = 12;
const WHY_ID = 'why-no-redelivery';

export function Outgoing({ place }: { readonly place: Place }) {
  const endpoints = useResource<Page<EndpointView>>('/v1/webhooks/endpoints', { everyMs: EVERY_MS });
  const whyNot = useWhyNot('raise');
  return (
    <>
      {endpoints.error ? <ErrorBox error={endpoints.error} /> : null}
      {endpoints.value ? <Endpoints items={endpoints.value.items} whyNot={whyNot} onDone={endpoints.refresh} /> : null}
      <section class="section" aria-labelledby="sent-title">
        <div class="page-head">
          <h2 id="sent-title">Notices</h2>
          <Filters>
            <Choice
              place={place}
              name="endpoint"
              label="Receiver"
              all="All receivers"
              options={(endpoints.value?.items ?? []).map(({ name }) => [name, name])}
            />
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
            {whyNot} So nothing can be sent again.
          </p>
        )}
        <Notices place={place} whyNot={whyNot} />
      </section>
    </>
  );
}

function Notices({ place, whyNot }: { readonly place: Place; readonly whyNot: string | null }) {
  const [endpoint, state, release, cursor] = ['endpoint', 'state', 'release', 'cursor'].map((key) => place.search.get(key));
  const notices = useResource<Page<DeliveryView>>(
    `/v1/webhooks/deliveries${query({ endpoint, state, release, cursor, limit: PAGE })}`,
    { on: () => true, everyMs: EVERY_MS },
  );
  const { act, said } = useRowAct<{ readonly seq: number }>(notices.refresh);
  const again = ({ seq, notifier }: DeliveryView): Promise<void> =>
    act(`/v1/webhooks/deliveries/${seq}/redeliver`, (queued) => `Queued again for ${notifier}, as delivery ${queued.seq}.`);
  const isFiltered = Boolean(endpoint || state || release);
  return (
    <>
      {said}
      <Listing
        resource={notices}
        place={place}
        of="the notices"
        caption="Notices to receivers, newest first"
        columns={columns(again, whyNot)}
        keyOf={({ seq }) => seq}
        empty={
          <Empty title={isFiltered ? 'No notice matches.' : 'No notice was sent yet.'}>
            {isFiltered ? <a href="/deliveries">Show all</a> : null}
          </Empty>
        }
      />
    </>
  );
}

/** Targets have events, too, and no page of their own. */
const releaseOf = ({ eventId, subject }: DeliveryView): string | null =>
  eventId.startsWith(`${subject}/`) && !subject.includes('/') ? subject : null;

function columns(again: (row: DeliveryView) => Promise<void>, whyNot: string | null): readonly Column<DeliveryView>[] {
  return [
    {
      title: 'Event',
      cell: (row) => {
        const release = releaseOf(row);
        return (
          <>
            <span class="strong">{row.type}</span>
            <span class="under small subject" title={row.eventId}>
              {release ? (
                <>
                  event {row.eventId.slice(release.length + 1)} of{' '}
                  <a href={`/releases/${release}`}>…{release.slice(-SHOWN_OF_ID)}</a>
                </>
              ) : (
                row.eventId
              )}
            </span>
          </>
        );
      },
    },
    { title: 'To', cell: ({ notifier }) => <span class="whole">{notifier}</span> },
    {
      title: 'State',
      cell: ({ state, attempts, dueAt, detail }) => (
        <>
          <StateBadge state={state} />
          <span class="under small soft">
            {attempts === 0
              ? state === 'pending'
                ? 'not tried yet: behind older ones'
                : 'not tried'
              : attempts === 1
                ? 'one try'
                : `${attempts} tries`}
            {state === 'pending' && dueAt !== null && attempts > 0 ? (
              <>
                , next in <Countdown at={dueAt} />
              </>
            ) : null}
          </span>
          {detail === null ? null : <span class="under small narrow">{detail}</span>}
        </>
      ),
    },
    { title: 'What came back', cell: ({ detail }) => detail ?? '', wide: true },
    {
      title: 'When',
      cell: ({ createdAt }) => <Moment at={createdAt} />,
    },
    {
      title: 'Send again',
      cell: (row) =>
        row.state === 'delivered' || row.state === 'parked' ? (
          <Act
            label={`Redeliver ${row.type} ${row.eventId} to ${row.notifier}`}
            whyNot={whyNot}
            whyId={WHY_ID}
            run={() => again(row)}
          >
            Redeliver
          </Act>
        ) : null,
      end: true,
    },
  ];
}
