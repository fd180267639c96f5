/** The way through the plan: what is behind, where it stands, what is ahead, each with its times. */
import type { CourseView } from '../../../../src/contract/course-views.ts';
import { clock, percent, span, timeOfDay } from '../../format.ts';
import { Icon } from '../../parts/icon.tsx';
import type { IconName } from '../../parts/icon.tsx';
import { Countdown, useSeenNow } from '../../parts/time.tsx';

type Stop = CourseView['stops'][number];

const ICONS: Readonly<Record<Stop['state'], IconName>> = {
  past: 'ok',
  current: 'dot',
  ahead: 'none',
  skipped: 'running',
  never: 'bad',
};
const WORDS: Readonly<Record<Stop['state'], string>> = {
  past: 'done',
  current: 'here now',
  ahead: 'ahead',
  skipped: 'skipped',
  never: 'not reached',
};

const titleOf = ({ kind, weightBp }: Stop): string => {
  if (kind === 'end') return 'All traffic';
  if (kind === 'bake') return `Bake ${percent(weightBp ?? 0)}`;
  if (kind === 'weight') return percent(weightBp ?? 0);
  return kind === 'pause' ? 'Pause' : 'Approval';
};

const planned = ({ kind, forMs }: Stop): string => {
  if (forMs === null) return '';
  return kind === 'approve' ? `within ${span(forMs)}` : `for ${span(forMs)}`;
};

/** Of the time of the place; until when the release itself may last is said above. */
function Left({ stop: { kind, until, remainingMs } }: { readonly stop: Stop }) {
  const now = useSeenNow();
  if (remainingMs !== null) return <>, paused with {clock(remainingMs)} left</>;
  if (until === null || kind === 'end') return null;
  if (until <= now) return <>, its time is over</>;
  return (
    <>
      , <Countdown at={until} /> left{kind === 'approve' ? ' to approve' : ''}
    </>
  );
}

type RailProps = { readonly stops: readonly Stop[]; readonly takenBack: boolean };

export function Rail({ stops, takenBack }: RailProps) {
  // Where it was taken back it was not done: the last place that it came to.
  const turnedAt = takenBack ? stops.findLastIndex(({ state }) => state === 'past') : -1;
  return (
    <section aria-labelledby="way-title" class="card way">
      <h2 id="way-title" class="unseen">
        Steps
      </h2>
      <ol class="rail">
        {stops.map((stop, index) => (
          <li
            key={index}
            class={index === turnedAt ? 'turned' : stop.state}
            aria-current={stop.state === 'current' ? 'step' : undefined}
          >
            <span class="rail-mark">
              <Icon name={index === turnedAt ? 'back' : ICONS[stop.state]} />
            </span>
            <span class="rail-title">{titleOf(stop)}</span>
            <span class="small soft">{planned(stop)}</span>
            <span class="small rail-state">
              {index === turnedAt ? 'rolled back here' : WORDS[stop.state]}
              {stop.state === 'current' ? <Left stop={stop} /> : null}
            </span>
            {stop.enteredAt === null ? null : (
              <span class="small soft num">
                {timeOfDay(stop.enteredAt)}
                {stop.leftAt === null ? '' : ` – ${timeOfDay(stop.leftAt)}`}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
