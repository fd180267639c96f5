/** What runs now, and what ended lately. */
import type { ReleaseView } from '../../../src/contract/wire.ts';
import { query } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { PhaseBadge } from '../parts/badge.tsx';
import { CopyLine, Empty, ErrorBox, Loading } from '../parts/notices.tsx';
import type { Column } from '../parts/table.tsx';
import { Pager, Table } from '../parts/table.tsx';
import { Moment } from '../parts/time.tsx';
import type { Place } from '../router.ts';

type Page = { readonly items: readonly ReleaseView[]; readonly nextCursor: string | null };

const COLUMNS: readonly Column<ReleaseView>[] = [
  { title: 'Release', cell: (row) => <a href={`/releases/${row.id}`}>{`${row.service} ${row.version}`}</a> },
  { title: 'State', cell: (row) => <PhaseBadge kind={row.phase.kind} held={row.hold !== null} /> },
  { title: 'What', cell: (row) => row.sentence, wide: true },
  { title: 'Started', cell: (row) => <Moment at={row.createdAt} />, end: true },
];

export function Overview({ place }: { readonly place: Place }) {
  const { value, error } = useResource<Page>(`/v1/releases${query({ limit: 25, cursor: place.search.get('cursor') })}`, {
    on: (event) => event.type.startsWith('release.'),
  });
  return (
    <>
      <div class="page-head">
        <h1>Overview</h1>
      </div>
      {error ? <ErrorBox error={error} /> : null}
      {value === null && !error ? <Loading of="releases" /> : null}
      {value?.items.length === 0 ? (
        <Empty title="No release yet.">
          <CopyLine text="headgate release start -f plan.yaml --version 1.2.3" />
        </Empty>
      ) : null}
      {value && value.items.length > 0 ? (
        <>
          <Table caption="Releases" columns={COLUMNS} rows={value.items} keyOf={({ id }) => id} />
          <Pager place={place} nextCursor={value.nextCursor} />
        </>
      ) : null}
    </>
  );
}
