/** Previews, simulations and replays for a terminal of a hundred columns. */
import type { BacktestView, PreviewView, SimulatedView } from '../contract/ahead-views.ts';
import { countWords, durationWords, numberWords, shareWords } from '../domain/analysis/words.ts';
import { percent, Weight } from '../domain/ids.ts';
import { formatDuration } from '../lib/duration.ts';

type Course = SimulatedView['first'];
type Moment = Course['moments'][number];

const COLUMNS = 100;
const share = (value: number): string => (value === 0 ? '0 %' : value < 0.005 ? '<1 %' : `${Math.round(100 * value)} %`);
const placeOf = (step: number | null): string => (step === null ? 'bake' : String(step));
const headOf = (step: number | null): string => (step === null ? 'bake' : `step ${step}`);
const plainShare = (value: number): string => (value === 0 ? '0 %' : shareWords(value));
const known = <T>(value: T | null, words: (value: T) => string): string => (value === null ? '-' : words(value));

export function previewText({ requestsPerSecond, measured, runs, steps, regressions, ...rest }: PreviewView): string {
  const units = new Map(regressions.map(({ check, unit }) => [check, unit]));
  const seen = (check: string, sees: { readonly from: number; readonly to: number } | null): string => {
    if (sees === null) return 'nothing';
    if (units.get(check) === 'times') return `${numberWords(+sees.to.toPrecision(3))} times as slow`;
    return `from ${plainShare(sees.from)} to ${plainShare(sees.to)}`;
  };
  const stepRows = steps.flatMap(({ step, weightBp, holdMs, checks }) =>
    Object.entries(checks).map(([name, check], index) => [
      ...(index === 0 ? [placeOf(step), percent(Weight(weightBp)), formatDuration(holdMs)] : ['', '', '']),
      name,
      countWords(check.requests),
      known(check.needed, countWords) + (check.enough ? '' : ' !'),
      seen(name, check.sees),
    ]),
  );
  const columns = evenly(steps, MOST_STEPS_SHOWN);
  const regressionRows = regressions.map(({ check, unit, change, steps: places, medianMs, badRequests }) => [
    `${check} ${unit === 'times' ? `${numberWords(change.to)} times as slow` : `${plainShare(change.from)} to ${plainShare(change.to)}`}`,
    ...columns.map((index) => share(places[index]?.byEnd ?? 0)),
    known(medianMs, durationWords),
    known(badRequests, countWords),
  ]);
  return [
    `${numberWords(+requestsPerSecond.toPrecision(4))} requests per second${measured ? ', measured' : ''}; each figure comes from ${runs} runs`,
    '',
    ...table(['step', 'weight', 'hold', 'check', 'requests', 'needed', 'sees, with 90 %, a regression'], stepRows, ENDS_LEFT),
    '',
    'Found by the end of',
    ...table(
      ['a regression of', ...columns.map((index) => headOf(steps[index]?.step ?? null)), 'after', 'bad until then'],
      regressionRows,
      1,
    ),
    '',
    ...endsOf(rest),
  ].join('\n');
}

/** Which ones are shown: as many as there is room for, the last one among them. */
function evenly(items: readonly unknown[], most: number): readonly number[] {
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, k) => Math.round(((k + 1) * items.length) / count) - 1);
}

const MOST_STEPS_SHOWN = 5;

/** Columns of words at the left of a table; numbers stand at the right of theirs. */
const ENDS_LEFT = 4;

function endsOf({ good, notForetold, advice }: Pick<PreviewView, 'good' | 'notForetold' | 'advice'>): readonly string[] {
  const early = good.earlyMedianMs === null ? '' : `, or ${durationWords(good.earlyMedianMs)} with advanceEarly`;
  const through =
    good.medianMs === null
      ? `A good release does not get through; its plan takes ${durationWords(good.plannedMs)}.`
      : `A good release is promoted after ${durationWords(good.medianMs)}${early} (planned ${durationWords(good.plannedMs)}).`;
  return [
    ...wrapped(`${through} Taken back by mistake: ${share(good.takenBack)}.`, ''),
    ...notForetold.flatMap(({ check, why }) => wrapped(`Not foretold: ${check}, ${why}.`, '')),
    ...advice.flatMap((line) => wrapped(line, '! ')),
  ];
}

export function simulatedText({ runs, measured, ends, met, extraUntilBack, first }: SimulatedView): string {
  const named = { rolledBack: 'rolled back', promoted: 'promoted', held: 'still held' } as const;
  const lines = (['rolledBack', 'promoted', 'held'] as const).map((end) => {
    const { share: part, medianMs, p95Ms } = ends[end];
    const when = medianMs === null ? '' : `   median ${durationWords(medianMs)}, 95 % within ${durationWords(p95Ms ?? medianMs)}`;
    return `${named[end].padEnd(12)} ${share(part).padStart(6)}${end === 'held' ? '' : when}`;
  });
  const users = `Users of the canary met ${countWords(met.bad)} bad requests of ${countWords(met.requests)} on average, ${countWords(met.extra)} more than on stable`;
  return [
    `${runs} ${runs === 1 ? 'run' : 'runs'}${measured ? ', on the traffic that was measured' : ''}`,
    ...lines,
    ...wrapped(
      `${users}${extraUntilBack === null ? '.' : `; ${countWords(Math.max(0, extraUntilBack))} in the middle of those that were rolled back.`}`,
      '',
    ),
    '',
    'The first run:',
    ...courseLines(first),
  ].join('\n');
}

export const backtestText = ({ course, caveats, unanswered }: BacktestView): string =>
  [
    ...courseLines(course),
    '',
    ...(course.cause === null ? [] : wrapped(course.cause, '')),
    ...unanswered.flatMap(({ check, why }) => wrapped(`${check} could not be replayed: ${why}`, '! ')),
    ...caveats.flatMap((line) => wrapped(line, '- ')),
  ].join('\n');

const MOST_LINES = 40;
const BAR = 20;
/** Told by the line before it, or by the verdicts. */
const SILENT = new Set(['weight.verified', 'verdict.changed', 'weight.intended', 'hold.ended']);

/** Looks where something changed and some between, each with the evidence as a bar against the threshold; what was said between them. */
function courseLines({ moments, events }: Course): readonly string[] {
  const every = Math.max(1, Math.ceil(moments.length / MOST_LINES));
  const looks: { readonly ms: number; readonly lines: readonly string[] }[] = [];
  let shown: Moment | null = null;
  for (const [index, moment] of moments.entries()) {
    const isNews = shown === null || shown.weightBp !== moment.weightBp || shown.verdict !== moment.verdict;
    const isOther = shown === null || filledOf(shown) !== filledOf(moment);
    if (!isNews && !(isOther && index % every === 0)) continue;
    looks.push({ ms: moment.ms, lines: [lookLine(moment)] });
    shown = moment;
  }
  const said = events
    .filter(({ type }) => !SILENT.has(type))
    .map(({ ms, sentence }) => ({ ms, lines: wrapped(sentence, `${clock(ms)}  `) }));
  return [...looks, ...said].toSorted((a, b) => a.ms - b.ms).flatMap(({ lines }) => lines);
}

const filledOf = ({ logE, threshold }: Pick<Moment, 'logE' | 'threshold'>): number =>
  Math.floor(BAR * Math.min(1, Math.max(0, logE / threshold)));

function lookLine({ ms, weightBp, logE, threshold, verdict }: Moment): string {
  const filled = filledOf({ logE, threshold });
  const odds = `${numberWords(+Math.exp(Math.min(logE, threshold)).toPrecision(2))} of ${countWords(Math.exp(threshold))}`;
  return `${clock(ms)}  ${percent(Weight(weightBp)).padStart(7)}  ▕${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}▏ ${odds.padEnd(13)} ${verdict}`;
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${String(Math.floor(seconds / 3600)).padStart(3)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], left: number): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const isWords = column < left || (left === ENDS_LEFT && column === head.length - 1);
        return isWords ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Lines of words, the later ones indented as far as the head is long. */
function wrapped(text: string, head: string): readonly string[] {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(' ')) {
    if (COLUMNS < line.length + word.length + 1 && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = ' '.repeat(head.length);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
