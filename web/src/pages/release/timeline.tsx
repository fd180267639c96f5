/** What happened, newest first, as the sentences that everybody gets, and who did it. */
import { useState } from 'preact/hooks';
import type { EventView, ReleaseView } from '../../../../src/contract/wire.ts';
import { useResource } from '../../api/use-resource.ts';
import { Icon } from '../../parts/icon.tsx';
import type { IconName } from '../../parts/icon.tsx';
import { ErrorBox } from '../../parts/notices.tsx';
import { Moment } from '../../parts/time.tsx';

const PAGE = 50;

const ICONS: Readonly<Record<string, readonly [IconName, string]>> = {
  'weight.intended': ['running', 'go'],
  'step.entered': ['watching', 'go'],
  'hold.began': ['hold', 'warn'],
  'release.paused': ['hold', 'warn'],
  'approval.asked': ['person', 'warn'],
  'approval.given': ['person', 'ok'],
  'rollback.decided': ['back', 'bad'],
  'rollback.unverified': ['warn', 'bad'],
  'release.promoted': ['ok', 'ok'],
  'release.rolledBack': ['back', 'bad'],
  'weight.failed': ['warn', 'warn'],
  'release.quarantined': ['warn', 'bad'],
};

const actorOf = (event: EventView): string | null => {
  const { by } = event as { readonly by?: { readonly kind: string; readonly name: string } };
  return by === undefined || by.kind === 'headgate' ? null : by.name;
};

export function Timeline({ base, release }: { readonly base: string; readonly release: ReleaseView }) {
  const [pages, setPages] = useState(1);
  // Events are numbered without gaps, and the last one's number is the state's.
  const after = Math.max(0, release.stateVersion - pages * PAGE);
  const size = Math.min(200, pages * PAGE);
  const { value, error } = useResource<{ readonly items: readonly EventView[] }>(`${base}/events?after=${after}&limit=${size}`);
  const newest = value?.items.at(-1);
  return (
    <section class="section" aria-labelledby="events-title">
      <h2 id="events-title">What happened</h2>
      {error ? <ErrorBox error={error} /> : null}
      <p class="unseen" aria-live="polite">
        {newest?.sentence ?? ''}
      </p>
      <ol class="card timeline">
        {value?.items.toReversed().map((event) => {
          const [icon, tone] = ICONS[event.type] ?? ['dot', 'calm'];
          const actor = actorOf(event);
          return (
            <li key={event.id}>
              <Moment at={event.at} />
              <span class={`timeline-mark tone-${tone}`}>
                <Icon name={icon} />
              </span>
              <span>
                {event.sentence}
                {actor === null ? null : <span class="soft small"> · {actor}</span>}
              </span>
            </li>
          );
        })}
      </ol>
      {after > 0 && size < 200 ? (
        <button type="button" class="quiet" onClick={() => setPages(pages + 1)}>
          Earlier
        </button>
      ) : null}
    </section>
  );
}
