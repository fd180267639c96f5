/** Every look at a check, when asked for: canary and stable over time, and the same as a table. */
import { useMemo, useState } from 'preact/hooks';
import type { CheckView, MeasurementView } from '../../../../src/contract/wire.ts';
import { query } from '../../api/client.ts';
import { useResource } from '../../api/use-resource.ts';
import { VerdictBadge } from '../../parts/badge.tsx';
import { Chart } from '../../parts/chart.tsx';
import { ErrorBox, Loading } from '../../parts/notices.tsx';
import type { Column } from '../../parts/table.tsx';
import { Table } from '../../parts/table.tsx';
import { Moment } from '../../parts/time.tsx';
import { figure } from '../../format.ts';
import { FAR, valueText } from './check-tile.tsx';

type Page = { readonly items: readonly MeasurementView[] };
type HistoryProps = { readonly base: string; readonly check: CheckView };

const MOST = 200;
const SHOWN_ROWS = 30;
const EVERY_MS = 10_000;

export function CheckHistory({ base, check }: HistoryProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="fold" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Over time, and what is asked</summary>
      {isOpen ? <History base={base} check={check} /> : null}
    </details>
  );
}

function History({ base, check }: HistoryProps) {
  const { value, error } = useResource<Page>(`${base}/measurements${query({ check: check.name, limit: MOST })}`, {
    everyMs: EVERY_MS,
  });
  const { unit } = check;
  const rows = useMemo(() => value?.items.toReversed() ?? [], [value]);
  const lines = useMemo(
    () => [
      { name: 'canary', colour: 'accent', values: rows.map(({ evidence }) => scaled(unit, evidence.canary?.value)) },
      { name: 'stable', colour: 'soft', values: rows.map(({ evidence }) => scaled(unit, evidence.stable?.value)) },
      ...(isLimitNear(rows)
        ? [{ name: 'limit', colour: 'bad', dashed: true, values: rows.map(({ evidence }) => scaled(unit, evidence.limit)) }]
        : []),
    ],
    [rows, unit],
  );
  const times = useMemo(() => rows.map(({ end }) => end), [rows]);
  const text = (shown: number | null | undefined): string => (shown == null ? '–' : valueText(unit, shown));
  const columns: readonly Column<MeasurementView>[] = [
    { title: 'At', cell: ({ end }) => <Moment at={end} /> },
    { title: 'Canary', cell: ({ evidence }) => text(evidence.canary?.value), end: true },
    { title: 'Stable', cell: ({ evidence }) => text(evidence.stable?.value), end: true },
    ...(rows.some(({ evidence }) => evidence.limit !== null)
      ? [{ title: 'Limit', cell: ({ evidence }: MeasurementView) => text(evidence.limit), end: true }]
      : []),
    {
      title: 'Evidence',
      cell: ({ evidence }) => (evidence.weighed ? figure(Math.exp(evidence.weighed.together)) : '–'),
      end: true,
    },
    { title: 'Verdict', cell: ({ verdict }) => <VerdictBadge verdict={verdict} /> },
  ];
  if (error) return <ErrorBox error={error} />;
  if (!value) return <Loading of="its measurements" />;
  return (
    <div class="history">
      {rows.length < 2 ? (
        <p class="soft small">Not measured often enough for a picture.</p>
      ) : (
        <Chart
          label={`${check.name} over time, canary against stable; the table below has the same figures`}
          times={times}
          lines={lines}
          words={(shown) => (unit === 'share' ? `${figure(shown)} %` : figure(shown))}
          height={140}
        />
      )}
      <dl class="asked small">
        {Object.entries(check.evidence?.query ?? {}).map(([key, question]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>
              <code>{question}</code>
            </dd>
          </div>
        ))}
      </dl>
      <Table
        caption={`The newest looks at ${check.name}`}
        columns={columns}
        rows={value.items.slice(0, SHOWN_ROWS)}
        keyOf={({ end }) => end}
      />
    </div>
  );
}

function isLimitNear(rows: readonly MeasurementView[]): boolean {
  const top = (values: readonly (number | null | undefined)[]): number => Math.max(0, ...values.map((value) => value ?? 0));
  const limit = top(rows.map(({ evidence }) => evidence.limit));
  return 0 < limit && limit <= FAR * top(rows.flatMap(({ evidence: { canary, stable } }) => [canary?.value, stable?.value]));
}

const scaled = (unit: CheckView['unit'], value: number | null | undefined): number | null =>
  value == null ? null : unit === 'share' ? value * 100 : value;
