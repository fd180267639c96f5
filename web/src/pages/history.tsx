/** Releases that ended: how, why, how long they took and who asked for them. */
import type { ReleaseView, ServiceView } from '../../../src/contract/wire.ts';
import { actorText } from '../actor.ts';
import { query } from '../api/client.ts';
import type { Page } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { span, unbroken } from '../format.ts';
import { PhaseBadge, phaseWord } from '../parts/badge.tsx';
import { Listing } from '../parts/listing.tsx';
import { Empty } from '../parts/notices.tsx';
import { Choice, Filters, SearchField } from '../parts/search.tsx';
import type { Column } from '../parts/table.tsx';
import { Moment } from '../parts/time.tsx';
import type { Place } from '../router.ts';

const OUTCOMES = ['promoted', 'rolledBack', 'superseded'];
const PAGE = 50;

const endedAt = ({ phase, createdAt }: ReleaseView): number => (typeof phase['at'] === 'number' ? phase['at'] : createdAt);
const COLUMNS: readonly Column<ReleaseView>[] = [
  {
    title: 'Release',
    cell: (row) => (
      <>
        <a class="strong" href={`/releases/${row.id}`}>
          {row.service} {row.version}
        </a>
        <span class="under soft small">in place of {row.stableVersion ?? 'nothing'}</span>
      </>
    ),
  },
  {
    title: 'Outcome',
    cell: (row) => (
      <>
        <PhaseBadge kind={row.phase.kind} />
        <span class="under soft small narrow">{unbroken(row.sentence)}</span>
      </>
    ),
  },
  { title: 'Why', cell: (row) => <span class="clamp">{unbroken(row.sentence)}</span>, wide: true },
  {
    title: 'By',
    cell: (row) => (
      <>
        <span class="name">{actorText(row.createdByKind, row.createdBy)}</span>
        {row.rollback && row.rollback.by !== row.createdBy && row.rollback.by !== 'headgate' ? (
          <span class="under soft small">rolled back by {row.rollback.by}</span>
        ) : null}
      </>
    ),
  },
  { title: 'Took', cell: (row) => span(endedAt(row) - row.createdAt), end: true },
  { title: 'Ended', cell: (row) => <Moment at={endedAt(row)} />, end: true },
];

export function History({ place }: { readonly place: Place }) {
  const [q, service, outcome] = ['q', 'service', 'outcome'].map((key) => place.search.get(key) ?? '');
  const services = useResource<Page<ServiceView>>('/v1/services');
  const ended = useResource<Page<ReleaseView>>(
    `/v1/releases${query({ q, service, phase: outcome || OUTCOMES.join(','), limit: PAGE, cursor: place.search.get('cursor') })}`,
    { on: ({ type }) => type.startsWith('release.') },
  );
  const isFiltered = Boolean(q || service || outcome);
  return (
    <>
      <div class="page-head">
        <h1>History</h1>
        <Filters>
          <SearchField
            place={place}
            label="Search by service, version, id or person"
            placeholder="Service, version, id or person"
          />
          <Choice
            place={place}
            name="service"
            label="Service"
            all="All services"
            options={(services.value?.items ?? []).map(({ name }) => [name, name])}
          />
          <Choice
            place={place}
            name="outcome"
            label="Outcome"
            all="All outcomes"
            options={OUTCOMES.map((kind) => [kind, phaseWord(kind)])}
          />
        </Filters>
      </div>
      <Listing
        resource={ended}
        place={place}
        of="what ended"
        caption="Releases that ended, newest first"
        columns={COLUMNS}
        keyOf={({ id }) => id}
        empty={
          <Empty title={isFiltered ? 'No release that ended matches.' : 'Nothing has ended yet.'}>
            {isFiltered ? <a href="/history">Show all</a> : <a href="/">See what runs</a>}
          </Empty>
        }
      />
    </>
  );
}
