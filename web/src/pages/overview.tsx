/** What runs now, first; then what ended lately. Filters and search are in the address, so that a view can be passed on. */
import { useState } from 'preact/hooks';
import type { RunningView } from '../../../src/contract/course-views.ts';
import type { ReleaseView, ServiceView } from '../../../src/contract/wire.ts';
import { actorText } from '../actor.ts';
import { query } from '../api/client.ts';
import type { Page } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { endedAt } from '../ended.ts';
import { span, unbroken } from '../format.ts';
import { PhaseBadge, phaseWord } from '../parts/badge.tsx';
import { Listing } from '../parts/listing.tsx';
import { CopyLine, Empty, ErrorBox, Loading } from '../parts/notices.tsx';
import type { Column } from '../parts/table.tsx';
import { Pager } from '../parts/table.tsx';
import { Moment } from '../parts/time.tsx';
import type { Place } from '../router.ts';
import { go, withSearch } from '../router.ts';
import { RunningCard } from './running-card.tsx';
import { matching, Services } from './services.tsx';

/** How they are grouped in the choice of a state; what each takes is the service's to say. */
const UNDER_WAY = [
  'queued',
  'starting',
  'shifting',
  'watching',
  'paused',
  'awaitingApproval',
  'baking',
  'promoting',
  'rollingBack',
  'settling',
];
const ENDED = ['promoted', 'rolledBack', 'superseded'];
const EVERY_MS = 5_000;
const GATHER_MS = 1_000;
const PAGE = 25;
/** What changes whom a service serves, or whether something moves it. */
const MOVES = /^release\.(created|started|promoted|rolledBack|superseded)$/;

const COLUMNS: readonly Column<ReleaseView>[] = [
  {
    title: 'Release',
    cell: (row) => (
      <a class="strong" href={`/releases/${row.id}`}>
        {row.service} {row.version}
      </a>
    ),
  },
  { title: 'Outcome', cell: (row) => <PhaseBadge kind={row.phase.kind} /> },
  { title: 'Why', cell: (row) => <span class="clamp">{unbroken(row.sentence)}</span> },
  { title: 'By', cell: (row) => <span class="name">{actorText(row.createdByKind, row.createdBy)}</span>, wide: true },
  {
    title: 'Took',
    cell: (row) => <span class="num">{span((endedAt(row) ?? row.createdAt) - row.createdAt)}</span>,
    end: true,
    wide: true,
  },
  { title: 'Ended', cell: (row) => <Moment at={endedAt(row) ?? row.createdAt} />, end: true },
];

export function Overview({ place }: { readonly place: Place }) {
  const [q, service, state] = ['q', 'service', 'state'].map((key) => place.search.get(key) ?? '');
  const isFiltered = Boolean(q || service || state);
  const isRelease = (event: { readonly type: string }): boolean => !/^(drift|target)\./.test(event.type);
  const running = useResource<Page<RunningView>>(
    ENDED.includes(state ?? '')
      ? null
      : `/v1/running${query({ q, service, phase: state, limit: PAGE, cursor: place.search.get('now') })}`,
    { on: () => true, everyMs: EVERY_MS, gatherMs: GATHER_MS },
  );
  const ended = useResource<Page<ReleaseView>>(
    UNDER_WAY.includes(state ?? '')
      ? null
      : `/v1/releases${query({ q, service, phase: state || ENDED.join(','), limit: PAGE, cursor: place.search.get('cursor') })}`,
    { on: isRelease, gatherMs: GATHER_MS },
  );
  const services = useResource<Page<ServiceView>>('/v1/services', {
    on: ({ type }) => MOVES.test(type),
    gatherMs: GATHER_MS,
  });
  const isNew = !isFiltered && running.value?.items.length === 0 && ended.value?.items.length === 0;
  const error = running.error ?? ended.error;
  return (
    <>
      <div class="page-head">
        <h1>What runs now</h1>
        <Filters place={place} services={services.value?.items ?? []} />
      </div>
      {error ? <ErrorBox error={error} /> : null}
      {isNew ? <FirstSteps /> : null}
      {isNew || ENDED.includes(state ?? '') ? null : <Running page={running.value} place={place} isFiltered={isFiltered} />}
      {services.value && state === '' ? <Services services={matching(services.value.items, q ?? '', service ?? '')} /> : null}
      {isNew || UNDER_WAY.includes(state ?? '') ? null : <Ended page={ended.value} place={place} />}
    </>
  );
}

type RunningProps = { readonly page: Page<RunningView> | null; readonly place: Place; readonly isFiltered: boolean };

function Running({ page, place, isFiltered }: RunningProps) {
  if (page === null) return <Loading of="what runs" />;
  if (page.items.length === 0)
    return <Empty title={isFiltered ? 'No release that runs matches.' : 'No release runs now: all traffic stays where it is.'} />;
  return (
    <>
      <ul class="cards">
        {page.items.map((one) => (
          <RunningCard key={one.release.id} running={one} />
        ))}
      </ul>
      <Pager place={place} nextCursor={page.nextCursor} name="now" />
    </>
  );
}

function Ended({ page, place }: { readonly page: Page<ReleaseView> | null; readonly place: Place }) {
  return (
    <section class="section" aria-labelledby="ended">
      <h2 id="ended">Ended lately</h2>
      <Listing
        resource={{ value: page, error: null }}
        place={place}
        of="what ended"
        caption="Releases that ended, newest first"
        columns={COLUMNS}
        keyOf={({ id }) => id}
        empty={<Empty title="Nothing has ended yet." />}
      />
    </section>
  );
}

const FirstSteps = () => (
  <Empty title="No release yet.">
    <p>Deploy the new version into the idle slot of a service, and start one:</p>
    <CopyLine text="headgate release start -f plan.yaml --version 1.2.3 --wait" />
    <p>Without a plan in a file, the steps can stand on the line:</p>
    <CopyLine text="headgate release start SERVICE --version 1.2.3 --stage 1%,5m --stage 25%,10m" />
  </Empty>
);

function Filters({ place, services }: { readonly place: Place; readonly services: readonly ServiceView[] }) {
  const [text, setText] = useState(place.search.get('q') ?? '');
  const change = (key: string, value: string): void =>
    go(withSearch(place, { [key]: value, cursor: null, now: null }), { replace: true });
  const value = (key: string): string => place.search.get(key) ?? '';
  return (
    <form
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        change('q', text);
      }}
    >
      <label class="field">
        <span class="unseen">Search by service, version or id</span>
        <input
          type="search"
          placeholder="Service, version or id"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onChange={() => change('q', text)}
        />
      </label>
      <label class="field">
        <span class="unseen">Service</span>
        <select value={value('service')} onChange={({ currentTarget }) => change('service', currentTarget.value)}>
          <option value="">All services</option>
          {services.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="unseen">State</span>
        <select value={value('state')} onChange={({ currentTarget }) => change('state', currentTarget.value)}>
          <option value="">All states</option>
          <StateOptions label="Under way" kinds={UNDER_WAY} />
          <StateOptions label="Ended" kinds={ENDED} />
        </select>
      </label>
    </form>
  );
}

const StateOptions = ({ label, kinds }: { readonly label: string; readonly kinds: readonly string[] }) => (
  <optgroup label={label}>
    {kinds.map((kind) => (
      <option key={kind} value={kind}>
        {phaseWord(kind)}
      </option>
    ))}
  </optgroup>
);
