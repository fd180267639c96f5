/** What would have been measured in the past: one range query of the question as it is asked today, cut into its steps. */
import type { Measurement } from '../../../domain/analysis/measurement.ts';
import { Instant } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Span } from '../../../ports/metric-provider.ts';
import { answerOf, failed } from './answer.ts';
import type { Asked } from './asked.ts';
import type { Client, Course, Sample } from './client.ts';
import { queryOf } from './rows.ts';
import { isOurs, measured, newestIn, newestOf, reduced, severalSeries, stepWithin } from './value.ts';
import type { ValueForm } from './value.ts';

/** Prometheus refuses more for each series; of all series together, what can be held and read at once. */
const MOST_STEPS = 11_000;
const MOST_POINTS = 500_000;

export async function historyOf(
  client: Client,
  asked: Asked,
  span: Span,
  signal: AbortSignal,
): Promise<Result<readonly Measurement[], string>> {
  const { from, to, stepMs } = span;
  const isSpan = [from, to, stepMs].every(Number.isSafeInteger) && from <= to && 0 < stepMs;
  if (!isSpan) return err('a span of time ends after it begins, and has steps above nothing');
  if (MOST_STEPS <= (to - from) / stepMs) return err(`${stepsIn(span)} steps, and ${MOST_STEPS} are the most: take longer steps`);
  if (asked.form.kind === 'value') return valuesOf(client, asked, asked.form, { span, signal });
  const answer = await client.past(queryOf(asked), { fromMs: from, toMs: to, stepMs }, signal);
  const steps = cut(answer, span);
  if (!steps.ok) return steps;
  return ok(
    steps.value.map(({ at, samples }) => answerOf({ ...asked, question: { ...asked.question, now: at } }, samples, 'past')),
  );
}

const stepsIn = ({ from, to, stepMs }: Span): number => Math.floor((to - from) / stepMs) + 1;

type StepOf = { readonly at: Instant; readonly samples: readonly Sample[] };

/** A sample that lies on no step is another's answer. */
function cut(answer: Result<readonly Course[], string>, span: Span): Result<readonly StepOf[], string> {
  if (!answer.ok) return answer;
  const points = answer.value.reduce((sum, course) => sum + course.length, 0);
  if (MOST_POINTS < points) return err(`${points} points in the answer, and ${MOST_POINTS} are the most: take longer steps`);
  const steps = Array.from({ length: stepsIn(span) }, (_, index) => ({
    at: Instant(span.from + index * span.stepMs),
    samples: [] as Sample[],
  }));
  for (const { atMs, sample } of answer.value.flat()) {
    const index = Math.round((atMs - span.from) / span.stepMs);
    const step = steps[index];
    if (!step || 1 < Math.abs(step.at - atMs)) return err('an answer with times that nobody asked for');
    step.samples.push(sample);
  }
  return ok(steps);
}

type Wanted = { readonly span: Span; readonly signal: AbortSignal };

/** With a range, each step looks back over it, as it would have at its time. */
async function valuesOf(
  client: Client,
  asked: Asked,
  { query, selectors, rangeMs, reduce }: ValueForm,
  { span, signal }: Wanted,
): Promise<Result<readonly Measurement[], string>> {
  const fine = rangeMs === 0 ? span : { from: Instant(span.from - rangeMs), to: span.to, stepMs: stepWithin(rangeMs) };
  if (MOST_STEPS <= (fine.to - fine.from) / fine.stepMs)
    return err(`${stepsIn(fine)} steps of its range, and ${MOST_STEPS} are the most`);
  const ask = (text: string, { from, to, stepMs }: Span) => client.past(text, { fromMs: from, toMs: to, stepMs }, signal);
  const [values, ...times] = await Promise.all([
    ask(query, fine).then((answer) => cut(answer, fine)),
    ...selectors.map((selector) => ask(newestOf(asked, selector), span).then((answer) => cut(answer, span))),
  ]);
  if (!values.ok) return values;
  const seen = values.value.map(({ at, samples }) => ({ at, own: samples.filter((sample) => isOurs(asked, sample)) }));
  const ages: (readonly StepOf[])[] = [];
  for (const time of times) {
    if (!time.ok) return time;
    ages.push(time.value);
  }
  return ok(
    Array.from({ length: stepsIn(span) }, (_, index) => {
      const now = Instant(span.from + index * span.stepMs);
      const question = { ...asked.question, now };
      const ends = (ms: number): number => (index * span.stepMs + ms) / fine.stepMs;
      const within = seen.slice(Math.ceil(ends(0)), Math.floor(ends(rangeMs)) + 1);
      const several = within.find(({ own }) => 1 < own.length);
      if (several) return failed(question, severalSeries(several.own.length));
      const numbers = within.flatMap(({ own }) => own.map(({ value }) => value));
      const newest = ages.map((steps, place) => ({
        selector: selectors[place] ?? '',
        newest: newestIn(asked, steps[index]?.samples ?? []),
      }));
      return measured(question, numbers.length === 0 ? null : reduced(numbers, reduce), newest);
    }),
  );
}
