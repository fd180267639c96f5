/** Feature flags that services name: what each was when it was read last, and who changed it. */
import type { FlagView } from '../../../../src/contract/wire-flags.ts';
import type { Page } from '../../api/client.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { Act } from '../../parts/act.tsx';
import { Badge } from '../../parts/badge.tsx';
import { useRowAct } from '../../parts/row-act.tsx';
import type { Column } from '../../parts/table.tsx';
import { Table } from '../../parts/table.tsx';
import { Ago } from '../../parts/time.tsx';
import { Section } from './section.tsx';

const EVERY_MS = 10_000;

export function Flags() {
  const resource = useResource<Page<FlagView>>('/v1/flags', { everyMs: EVERY_MS, on: ({ type }) => type === 'flag.changed' });
  const { act, said } = useRowAct(resource.refresh);
  const whyNot = useWhyNot('raise');
  const read = ({ source, flag }: FlagView): Promise<void> =>
    act<FlagView>(
      `/v1/flags/${encodeURIComponent(source)}/${encodeURIComponent(flag)}/refresh`,
      ({ sentence }) => `Read again: ${sentence}.`,
    );
  return (
    <Section title="Flags" resource={resource} none="No service names a flag, so changes of flags do not matter to releases.">
      {(items) => (
        <>
          {said}
          <Table
            caption="Flags that services name"
            columns={columns(read, whyNot)}
            rows={items}
            keyOf={({ source, flag }) => `${source} ${flag}`}
          />
        </>
      )}
    </Section>
  );
}

const columns = (read: (flag: FlagView) => Promise<void>, whyNot: string | null): readonly Column<FlagView>[] => [
  {
    title: 'Flag',
    cell: ({ flag, source, type }) => (
      <>
        <span class="strong">{flag}</span>
        <span class="under soft small">
          {source} · {type}
        </span>
      </>
    ),
  },
  { title: 'What is known', cell: ({ sentence }) => sentence },
  { title: 'Services', cell: ({ services, own }) => (own ? 'moved by Headgate' : services.join(', ')) },
  { title: 'Last read', cell: (flag) => <Read flag={flag} /> },
  {
    title: 'Ask now',
    cell: (flag) =>
      flag.readable ? (
        <Act label={`Read again: ${flag.flag} of ${flag.source}`} whyNot={whyNot} run={() => read(flag)}>
          Read again
        </Act>
      ) : (
        <span class="soft small">not possible</span>
      ),
    end: true,
  },
];

function Read({ flag: { readAt, failure, readable } }: { readonly flag: FlagView }) {
  if (!readable) return <span class="soft">cannot be read</span>;
  if (failure !== null)
    return (
      <>
        <Badge tone="bad" icon="bad">
          not readable
        </Badge>
        <span class="under small">{failure}</span>
      </>
    );
  return readAt === null ? <span class="soft">not yet</span> : <Ago at={readAt} />;
}
