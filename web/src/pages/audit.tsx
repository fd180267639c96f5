/** Who did what, and why: rows that are only ever added to, each chained to the one before it. */
import type { AuditHeadView, AuditView } from '../../../src/contract/wire.ts';
import { query } from '../api/client.ts';
import type { Page } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { count } from '../format.ts';
import { Listing } from '../parts/listing.tsx';
import { CopyLine, Empty } from '../parts/notices.tsx';
import { Filters, SearchField } from '../parts/search.tsx';
import type { Column } from '../parts/table.tsx';
import { Moment } from '../parts/time.tsx';
import type { Place } from '../router.ts';

const PAGE = 50;
const EVERY_MS = 15_000;

/** Releases are known by their id, and have a page. */
const subjectOf = ({ action, subject }: AuditView) =>
  action.startsWith('release.') ? <a href={`/releases/${encodeURIComponent(subject)}`}>{subject}</a> : subject;

const COLUMNS: readonly Column<AuditView>[] = [
  { title: 'When', cell: ({ at }) => <Moment at={at} /> },
  {
    title: 'Who',
    cell: ({ actor, origin }) => (
      <>
        <span class="strong">{origin?.kind === 'ci' ? `ci:${actor}` : actor}</span>
        {origin?.address ? <span class="under soft small wide">from {origin.address}</span> : null}
      </>
    ),
  },
  { title: 'What', cell: ({ action }) => <code>{action}</code> },
  {
    title: 'Of what',
    cell: (row) => (
      <>
        <span class="subject">{subjectOf(row)}</span>
        {row.reason === null ? null : <span class="under small narrow">{row.reason}</span>}
      </>
    ),
  },
  { title: 'Reason', cell: ({ reason }) => reason ?? <span class="soft">none given</span>, wide: true },
  { title: 'Details', cell: (row) => <Details row={row} />, wide: true },
];

function Details({ row }: { readonly row: AuditView }) {
  const { data, origin, hash, seq } = row;
  const shown = { ...(origin ? { origin } : {}), ...(data === null || data === undefined ? {} : { data }), hash };
  return (
    <details class="fold">
      <summary>
        Row <span class="num">{seq}</span>
      </summary>
      <pre tabIndex={0} class="small">
        {JSON.stringify(shown, null, 2)}
      </pre>
    </details>
  );
}

export function Audit({ place }: { readonly place: Place }) {
  const q = place.search.get('q') ?? '';
  const cursor = place.search.get('cursor');
  const rows = useResource<Page<AuditView>>(`/v1/audit${query({ q, cursor, limit: PAGE })}`, {
    on: () => true,
    ...(cursor === null ? { everyMs: EVERY_MS } : {}),
  });
  return (
    <>
      <div class="page-head">
        <h1>Audit</h1>
        <Filters>
          <SearchField
            place={place}
            label="Search by person, act, subject or reason"
            placeholder="Person, act, subject or reason"
          />
        </Filters>
      </div>
      <Listing
        resource={rows}
        place={place}
        of="the audit log"
        caption="What was done, newest first"
        columns={COLUMNS}
        keyOf={({ seq }) => seq}
        empty={
          <Empty title={q === '' ? 'Nobody has done anything yet.' : 'No entry matches.'}>
            {q === '' ? null : <a href="/audit">Show all</a>}
          </Empty>
        }
      />
      {rows.error ? null : <Chain />}
    </>
  );
}

function Chain() {
  const { value } = useResource<AuditHeadView>('/v1/audit:head', { everyMs: EVERY_MS });
  if (!value) return null;
  return (
    <section class="section" aria-labelledby="chain-title">
      <h2 id="chain-title">The chain</h2>
      <div class="card side-card">
        <p>
          {count(value.seq)} {value.seq === 1 ? 'row' : 'rows'}, each with a hash over itself and the row before it. Whoever keeps
          the newest hash somewhere else can tell later whether anything was changed, taken out or cut off.
        </p>
        <p class="small">
          <span class="soft">The newest hash</span> <code class="hash">{value.hash}</code>
        </p>
        <div class="same">
          <p class="small soft">Check the whole chain from a terminal</p>
          <CopyLine text="headgate audit verify" />
        </div>
      </div>
    </section>
  );
}
