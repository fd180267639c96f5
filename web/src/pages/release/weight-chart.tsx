/** The weight over time: what was wanted, and what was read back; as a picture and as a table. */
import { useMemo } from 'preact/hooks';
import type { CourseView } from '../../../../src/contract/course-views.ts';
import type { ReleaseView } from '../../../../src/contract/wire.ts';
import { endedAt } from '../../ended.ts';
import { percent } from '../../format.ts';
import { Chart } from '../../parts/chart.tsx';
import type { Column } from '../../parts/table.tsx';
import { Table } from '../../parts/table.tsx';
import { Moment, useSeenNow } from '../../parts/time.tsx';

type Change = CourseView['weights'][number];

const COLUMNS: readonly Column<Change>[] = [
  { title: 'At', cell: ({ at }) => <Moment at={at} /> },
  { title: 'Wanted', cell: ({ wantedBp }) => percent(wantedBp), end: true },
  { title: 'Read back', cell: ({ servedBp }) => percent(servedBp), end: true },
];

export function WeightChart({ release, course: { weights } }: { readonly release: ReleaseView; readonly course: CourseView }) {
  const now = useSeenNow();
  const end = endedAt(release) ?? now;
  const last = weights.at(-1);
  const { times, lines } = useMemo(() => {
    const shown = last && last.at < end ? [...weights, { ...last, at: end }] : weights;
    return {
      times: shown.map(({ at }) => at),
      lines: [
        { name: 'served', colour: 'accent', values: shown.map(({ servedBp }) => servedBp / 100), stepped: true, filled: true },
        { name: 'wanted', colour: 'text', values: shown.map(({ wantedBp }) => wantedBp / 100), stepped: true, dashed: true },
      ],
    };
  }, [weights, end]);
  return (
    <section class="section" aria-labelledby="weight-title">
      <h2 id="weight-title">Weight over time</h2>
      <div class="card chart-card">
        <Chart
          label={`Share of traffic on ${release.version} over time, now ${percent(release.wantedBp)} wanted; the table below has the same figures`}
          times={times}
          lines={lines}
          words={(value) => `${value} %`}
        />
        <details class="fold">
          <summary>As a table</summary>
          <Table
            small
            caption="Changes of the weight"
            columns={COLUMNS}
            rows={weights}
            keyOf={({ at, wantedBp, servedBp }) => `${at} ${wantedBp} ${servedBp}`}
          />
        </details>
      </div>
    </section>
  );
}
