/** What each service serves when no release moves it, and the way to a new one. Few rows until somebody asks for all. */
import { useState } from 'preact/hooks';
import type { ServiceView } from '../../../src/contract/wire.ts';
import { query } from '../api/client.ts';
import type { Column } from '../parts/table.tsx';
import { Table } from '../parts/table.tsx';
import { Moment } from '../parts/time.tsx';

const FEW = 8;

const COLUMNS: readonly Column<ServiceView>[] = [
  { title: 'Service', cell: ({ name }) => <span class="strong">{name}</span> },
  { title: 'Serves', cell: ({ stableVersion }) => stableVersion ?? <span class="soft">no version was released yet</span> },
  { title: 'In slot', cell: ({ stableSlot }) => stableSlot, wide: true },
  { title: 'Since', cell: ({ stableSince }) => (stableSince === null ? '–' : <Moment at={stableSince} />) },
  { title: 'Before', cell: ({ name }) => <a href={`/history${query({ service: name })}`}>its releases</a>, wide: true },
  {
    title: 'Next',
    cell: ({ name, activeRelease }) =>
      activeRelease === null ? (
        <a href={`/new${query({ service: name })}`} aria-label={`New release of ${name}`}>
          New release
        </a>
      ) : (
        <a href={`/releases/${activeRelease}`} aria-label={`${name} is being moved`}>
          is being moved
        </a>
      ),
    end: true,
  },
];

/** Those that the filters of the page leave: a search may mean a version, too. */
export const matching = (services: readonly ServiceView[], q: string, service: string): readonly ServiceView[] =>
  services.filter(
    ({ name, stableVersion }) =>
      (service === '' || name === service) && `${name} ${stableVersion ?? ''}`.toLowerCase().includes(q.trim().toLowerCase()),
  );

export function Services({ services }: { readonly services: readonly ServiceView[] }) {
  const [isAll, setAll] = useState(false);
  if (services.length === 0) return null;
  return (
    <section class="section" aria-labelledby="services-title">
      <h2 id="services-title">What is served</h2>
      <Table
        caption="Services and the versions they serve"
        columns={COLUMNS}
        rows={isAll ? services : services.slice(0, FEW)}
        keyOf={({ name }) => name}
      />
      {isAll || services.length <= FEW ? null : (
        <p class="pager">
          <button type="button" class="quiet" onClick={() => setAll(true)}>
            All {services.length} services
          </button>
        </p>
      )}
    </section>
  );
}
