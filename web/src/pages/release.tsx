/** One release: why it stands where it stands, its way, its evidence, and what can be done about it. */
import type { CourseView, CanaryTargetView } from '../../../src/contract/course-views.ts';
import type { CheckView, EventView, ReleaseView } from '../../../src/contract/wire.ts';
import { useEffect, useState } from 'preact/hooks';
import { useResource } from '../api/use-resource.ts';
import { endedAt } from '../ended.ts';
import { PhaseBadge, VerdictBadge } from '../parts/badge.tsx';
import { CopyLine, ErrorBox, Loading } from '../parts/notices.tsx';
import { Ago, Countdown, Moment } from '../parts/time.tsx';
import { WeightBar } from '../parts/weight.tsx';
import { percent, unbroken } from '../format.ts';
import { Actions } from './release/actions.tsx';
import { CheckTile } from './release/check-tile.tsx';
import { Rail } from './release/rail.tsx';
import { Timeline } from './release/timeline.tsx';
import { WeightChart } from './release/weight-chart.tsx';

const EVERY_MS = 5_000;

export function ReleasePage({ id }: { readonly id: string }) {
  const base = `/v1/releases/${encodeURIComponent(id)}`;
  const mine = (event: EventView): boolean => event['release'] === id;
  const [isOver, setOver] = useState(false);
  const release = useResource<ReleaseView>(base, { on: mine, ...(isOver ? {} : { everyMs: EVERY_MS }) });
  const course = useResource<CourseView>(release.value && `${base}/course`, { on: mine });
  useEffect(() => setOver(release.value !== null && endedAt(release.value) !== null), [release.value]);
  if (release.value === null) return release.error ? <ErrorBox error={release.error} /> : <Loading of="the release" />;
  const { value } = release;
  return (
    <div class="release">
      <Head release={value} />
      {release.error ? <ErrorBox error={release.error} /> : null}
      <div class="release-body">
        <div class="release-main">
          {course.value ? <Rail stops={course.value.stops} takenBack={value.rollback !== null} /> : null}
          <Checks base={base} release={value} />
          {course.value && course.value.weights.length > 0 ? <WeightChart release={value} course={course.value} /> : null}
          <Timeline base={base} release={value} />
          {course.value ? <PlanText text={course.value.plan} name={value.plan} /> : null}
        </div>
        <aside class="release-side">
          <Actions release={value} onDone={release.refresh} />
          {endedAt(value) === null ? <Targets base={base} release={value} /> : null}
          <section class="card side-card" aria-labelledby="line-title">
            <h2 id="line-title">From a terminal</h2>
            <CopyLine text={`headgate release watch ${id}`} />
          </section>
        </aside>
      </div>
    </div>
  );
}

function Head({ release }: { readonly release: ReleaseView }) {
  const { service, version, stableVersion, phase, hold, verdict, sentence, next } = release;
  const tone = release.rollback ? 'bad' : hold ? 'warn' : phase.kind === 'promoted' ? 'ok' : '';
  return (
    <header class="release-head">
      <div class="row">
        <h1>
          {service} <span class="soft">{stableVersion ?? 'nothing'}</span> <span aria-label="to">→</span> {version}
        </h1>
        <PhaseBadge kind={phase.kind} held={hold !== null} lowering={release.rollback !== null} />
        {release.wantedBp > 0 ? <VerdictBadge verdict={verdict} /> : null}
      </div>
      <p class={`lead ${tone}`}>{unbroken(sentence)}</p>
      {next ? (
        <p class="lead-next">
          <span class="big-time">
            <Countdown at={next.at} />
          </span>{' '}
          <span class="soft">then it {unbroken(next.sentence)}</span>
        </p>
      ) : null}
      <p class="soft small facts">
        <span>plan {release.plan}</span>
        <span>
          requested by {release.createdBy} <Ago at={release.createdAt} />
        </span>
        {release.deadlineAt !== null && next ? (
          <span>
            deadline <Moment at={release.deadlineAt} />
          </span>
        ) : null}
        <span>
          id <code>{release.id}</code>
        </span>
      </p>
    </header>
  );
}

function Checks({ base, release }: { readonly base: string; readonly release: ReleaseView }) {
  const { value, error } = useResource<{ readonly items: readonly CheckView[] }>(`${base}/checks`, {
    on: (event) => event['release'] === release.id,
    ...(endedAt(release) === null ? { everyMs: EVERY_MS } : {}),
  });
  return (
    <section class="section" aria-labelledby="checks-title">
      <h2 id="checks-title">Checks</h2>
      {error ? <ErrorBox error={error} /> : null}
      {value?.items.length === 0 ? <p class="soft">The plan has no checks: nothing judges this release.</p> : null}
      <div class="tiles">
        {value?.items.map((check) => (
          <CheckTile key={check.name} check={check} base={base} isOver={endedAt(release) !== null} />
        ))}
      </div>
    </section>
  );
}

function Targets({ base, release }: { readonly base: string; readonly release: ReleaseView }) {
  const { value } = useResource<{ readonly items: readonly CanaryTargetView[] }>(`${base}/targets`, {
    on: (event) => event['release'] === release.id || event.service === release.service,
    everyMs: EVERY_MS,
  });
  if (!value) return null;
  return (
    <section class="card side-card" aria-labelledby="targets-title">
      <h2 id="targets-title">Traffic now</h2>
      <ul class="targets">
        {value.items.map((target) => (
          <li key={target.id}>
            <div class="row spread small">
              <span title={target.id}>
                {target.router}/{target.route} <span class="soft">({target.canarySlot})</span>
              </span>
              <span class="num">
                <b>{percent(target.wantedBp)}</b> wanted,{' '}
                {target.servedBp === null ? 'not read back yet' : `${percent(target.servedBp)} served`}
              </span>
            </div>
            <WeightBar wantedBp={target.wantedBp} servedBp={target.servedBp} label={target.id} />
            {target.problem === null ? null : <p class="small tone-warn">{target.problem}</p>}
          </li>
        ))}
      </ul>
      <p class="small soft">How much of the traffic the new version's slot gets.</p>
    </section>
  );
}

const PlanText = ({ text, name }: { readonly text: string; readonly name: string }) => (
  <details class="card fold">
    <summary>The plan as it runs: {name}, with every default filled in</summary>
    <pre tabIndex={0}>{text}</pre>
  </details>
);
