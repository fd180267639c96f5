/** What the judge would see of a release by this plan: by measured traffic, or by traffic that is given. */
import { useState } from 'preact/hooks';
import type { PreviewView } from '../../../../src/contract/ahead-views.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/client.ts';
import { count, figure, percent, share, span, unbroken } from '../../format.ts';
import { Act } from '../../parts/act.tsx';
import { Badge } from '../../parts/badge.tsx';
import { beside, errorAt, Field } from '../../parts/field.tsx';
import { Icon } from '../../parts/icon.tsx';
import { ErrorBox } from '../../parts/notices.tsx';
import type { Column } from '../../parts/table.tsx';
import { Table } from '../../parts/table.tsx';

/** It is measured first, and then played some hundred times. */
const PATIENCE_MS = 90_000;

type Step = PreviewView['steps'][number];
type Regression = PreviewView['regressions'][number];
type Change = NonNullable<Step['checks'][string]['sees']>;

/** `document` null: there is no valid plan to look at. */
export function Preview({ document }: { readonly document: string | null }) {
  const [seen, setSeen] = useState<{ readonly of: string; readonly view: PreviewView } | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  const [rate, setRate] = useState('');
  const asked = `${rate.trim()}\n${document}`;
  const look = async (): Promise<void> => {
    if (document === null) return;
    const traffic = rate.trim() === '' ? {} : { traffic: { requestsPerSecond: Number(rate) } };
    const answer = await call<PreviewView>('/v1/plans:preview', {
      method: 'POST',
      body: { document, ...traffic },
      patienceMs: PATIENCE_MS,
    });
    setError(answer.ok ? null : answer.error);
    // Figures of another question would stand there as the answer to this one.
    setSeen(answer.ok ? { of: asked, view: answer.value } : null);
  };
  const left = beside(error, ['/traffic']);
  return (
    <section class="section card side-card" aria-labelledby="preview-title">
      <h2 id="preview-title">What it can see</h2>
      <p class="soft">
        Before it runs: how small a regression each step can find, and how soon. The traffic is measured now, or you give it.
      </p>
      <div class="row ask">
        <Field label="Requests per second" hint="Empty: measured, which takes some seconds." error={errorAt(error, '/traffic')}>
          {(given) => (
            <input {...given} inputMode="decimal" value={rate} onInput={({ currentTarget }) => setRate(currentTarget.value)} />
          )}
        </Field>
        <Act whyNot={document === null ? 'The plan has to be valid first.' : null} run={look}>
          Look ahead
        </Act>
      </div>
      {left ? <ErrorBox error={left} /> : null}
      <div role="status">
        {seen && document !== null && seen.of !== asked ? (
          <p class="notice warn">
            <Icon name="warn" />
            <span>The plan or its traffic has changed since: look again.</span>
          </p>
        ) : null}
      </div>
      {seen ? <Seen view={seen.view} /> : null}
    </section>
  );
}

export function changeText(unit: 'share' | 'times', { from, to }: Change): string {
  return unbroken(unit === 'share' ? `from ${share(from)} to ${share(to)}` : `${figure(to)} times as slow`);
}

type Row = {
  readonly step: Step;
  readonly check: string;
  readonly seen: Step['checks'][string];
  readonly unit: 'share' | 'times';
};

const STEPS: readonly Column<Row>[] = [
  { title: 'Step', cell: ({ step }) => step.step ?? 'bake' },
  { title: 'Weight', cell: ({ step }) => percent(step.weightBp), end: true },
  { title: 'Hold', cell: ({ step }) => span(step.holdMs), end: true },
  { title: 'Check', cell: ({ check }) => check },
  { title: 'Requests', cell: ({ seen }) => count(seen.requests), end: true },
  {
    title: 'Needed',
    cell: ({ seen }) => (
      <>
        {seen.needed === null ? '–' : count(seen.needed)}
        {seen.enough ? null : (
          <span class="under">
            <Badge tone="warn" icon="warn">
              too few
            </Badge>
          </span>
        )}
      </>
    ),
    end: true,
  },
  {
    title: 'Smallest regression found, 9 times in 10',
    cell: ({ seen, unit }) => (seen.sees === null ? <span class="soft">none within its hold</span> : changeText(unit, seen.sees)),
  },
];

const regressionColumns = (steps: readonly Step[]): readonly Column<Regression>[] => [
  {
    title: 'A regression of',
    cell: ({ check, unit, change }) => (
      <>
        <span class="strong">{check}</span> {changeText(unit, change)}
      </>
    ),
  },
  ...steps.map((step, index): Column<Regression> => ({
    title: step.step === null ? 'By the bake' : `By step ${step.step}`,
    cell: (row) => percentOf(row.steps[index]?.byEnd),
    end: true,
  })),
  { title: 'Found', cell: ({ found }) => percentOf(found), end: true },
  { title: 'Found after', cell: ({ medianMs }) => (medianMs === null ? '–' : span(medianMs)), end: true },
  { title: 'Bad requests until then', cell: ({ badRequests }) => (badRequests === null ? '–' : count(badRequests)), end: true },
];

const percentOf = (chance: number | undefined): string => (chance === undefined ? '–' : `${Math.round(100 * chance)} %`);

function Seen({ view }: { readonly view: PreviewView }) {
  const { steps, regressions, good, advice, notForetold, requestsPerSecond, measured, runs } = view;
  const unitOf = (check: string): 'share' | 'times' => regressions.find((one) => one.check === check)?.unit ?? 'share';
  const rows = steps.flatMap((step) =>
    Object.entries(step.checks).map(([check, seen]) => ({ step, check, seen, unit: unitOf(check) })),
  );
  return (
    <div class="history">
      <p>
        {figure(requestsPerSecond)} requests a second{measured ? ', measured just now' : ', as given'}; each figure comes from{' '}
        {count(runs)} runs. A good release is promoted after{' '}
        {good.medianMs === null ? 'longer than was looked at' : span(good.medianMs)} (planned {span(good.plannedMs)}), and is
        rolled back by mistake in {percentOf(good.takenBack)}.
      </p>
      {advice.map((one) => (
        <p key={one} class="notice warn">
          <Icon name="warn" />
          <span>{one}</span>
        </p>
      ))}
      <Table
        caption="What each step can show within its hold"
        columns={STEPS}
        rows={rows}
        keyOf={({ step, check }) => `${step.step} ${check}`}
      />
      {regressions.length > 0 ? (
        <>
          <h3>Found by the end of each step</h3>
          <Table
            caption="Regressions that begin with the release, and how soon they are found"
            columns={regressionColumns(steps)}
            rows={regressions}
            keyOf={({ check, change }) => `${check} ${change.to}`}
          />
        </>
      ) : null}
      {notForetold.map(({ check, why }) => (
        <p key={check} class="small soft">
          No forecast for {check}: {why}
        </p>
      ))}
    </div>
  );
}
