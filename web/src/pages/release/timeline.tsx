/** What happened, newest first, as the sentences that everybody gets, and who did it. */
import { useState } from 'preact/hooks';
import type { EventView, ReleaseView } from '../../../../src/contract/wire.ts';
import { useResource } from '../../api/use-resource.ts';
import { unbroken } from '../../format.ts';
import { Icon } from '../../parts/icon.tsx';
import type { IconName } from '../../parts/icon.tsx';
import { ErrorBox } from '../../parts/notices.tsx';
import { Moment } from '../../parts/time.tsx';

type Page = { readonly items: readonly EventView[]; readonly nextCursor: string | null };

const PAGE = 50;
/** What came before these is for programs: `GET /v1/releases/{id}/events`. */
const MOST = 200;

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
  if (by === undefined || by.kind === 'headgate') return null;
  if (by.kind === 'ci') return `ci:${by.name}`;
  return event.sentence.includes(by.name) ? null : by.name;
};

export function Timeline({ base, release }: { readonly base: string; readonly release: ReleaseView }) {
  const [size, setSize] = useState(PAGE);
  const { value, error } = useResource<Page>(`${base}/timeline?limit=${size}`, {
    on: (event) => event['release'] === release.id,
  });
  const newest = value?.items[0];
  return (
    <section class="section" aria-labelledby="events-title">
      <h2 id="events-title">What happened</h2>
      {error ? <ErrorBox error={error} /> : null}
      <p class="unseen" aria-live="polite">
        {newest?.sentence ?? ''}
      </p>
      <ol class="card timeline">
        {value?.items.map((event) => {
          const [icon, tone] = ICONS[event.type] ?? ['dot', 'calm'];
          const actor = actorOf(event);
          return (
            <li key={event.id}>
              <Moment at={event.at} />
              <span class={`timeline-mark tone-${tone}`}>
                <Icon name={icon} />
              </span>
              <span
                class={event.type === 'verdict.changed' ? 'judged' : ''}
                title={event.type === 'verdict.changed' ? event.sentence : undefined}
              >
                {unbroken(event.sentence)}
                {actor === null ? null : <span class="soft small"> · {actor}</span>}
              </span>
            </li>
          );
        })}
      </ol>
      {value?.nextCursor != null && size < MOST ? (
        <button type="button" class="quiet" onClick={() => setSize(MOST)}>
          Earlier
        </button>
      ) : null}
    </section>
  );
}
