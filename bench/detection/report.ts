/** The tables: false rollbacks of good releases, and how soon the bad ones were rolled back. */
import type { Group, Scenario } from './scenarios.ts';
import { twinOf } from './scenarios.ts';
import type { Summary } from './summary.ts';
import type { Kind } from './tick.ts';

export type Results = {
  readonly scenarios: readonly Scenario[];
  readonly judges: readonly string[];
  readonly summaries: readonly Summary[];
};

/** A judge that rolls back this share of good releases with the same traffic is not fast, but nervous. */
const NERVOUS = 0.25;

export function reportOf(results: Results, { runs, seed }: { readonly runs: number; readonly seed: number }): string {
  const parts = [
    `# Detection bench: ${runs} runs each, seed ${seed}`,
    section(results, 'False rollbacks, % of good releases', ['counts'], 'good'),
    section(results, 'Rollbacks at the edge of what is tolerated, %', ['counts'], 'tolerated'),
    section(
      results,
      'Seconds to rollback since the onset, median/p95 [failed canary requests until then]; `det`: share that was rolled back at all, when under 99 %; `*`: rolls back 25 % or more of good releases with the same traffic',
      ['counts'],
      'bad',
    ),
    section(results, 'The same traffic with a good release: false rollbacks, %', ['counts'], 'twin'),
    section(results, 'Latency and gauges: false rollbacks, %', ['latency', 'gauge'], 'good'),
    section(results, 'Latency and gauges: seconds to rollback, median/p95', ['latency', 'gauge'], 'bad'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function section(results: Results, title: string, kinds: readonly Kind[], group: Group): string {
  const tables = kinds.map((kind) => table(results, kind, group)).filter((text) => text !== '');
  return tables.length === 0 ? '' : [`## ${title}`, ...tables].join('\n\n');
}

function table({ scenarios, judges, summaries }: Results, kind: Kind, group: Group): string {
  const columns = scenarios.filter((scenario) => scenario.kind === kind && scenario.group === group);
  const find = (judge: string, scenario: string): Summary | undefined =>
    summaries.find((summary) => summary.judge === judge && summary.scenario === scenario);
  const rows = judges.flatMap((judge) => {
    const own = columns.map(({ name }) => find(judge, name));
    if (own.every((summary) => summary === undefined)) return [];
    const cells = own.map((summary) => {
      if (summary === undefined) return '';
      if (group !== 'bad') return shareCell(summary);
      const twin = find(judge, twinOf(summary.scenario));
      return timeCell(summary, kind === 'counts') + (twin && twin.falseShare >= NERVOUS ? ' *' : '');
    });
    return [`| ${[judge, ...cells].join(' | ')} |`];
  });
  if (rows.length === 0) return '';
  const heads = ['judge', ...columns.map(({ name }) => name.replace(/, if good$|, at the limit$/, ''))];
  return [`| ${heads.join(' | ')} |`, `|${heads.map(() => '---|').join('')}`, ...rows].join('\n');
}

function shareCell({ falseShare, falseError }: Summary): string {
  const [percent, error] = [100 * falseShare, 100 * falseError];
  return error === 0 ? String(percent) : `${percent.toFixed(percent < 10 ? 1 : 0)}±${error.toFixed(1)}`;
}

function timeCell({ medianS, p95S, detected, failedMedian }: Summary, withFailed: boolean): string {
  const times = medianS === null ? 'det' : `${medianS}/${p95S ?? '-'}${detected < 0.99 ? ' det' : ''}`;
  const share = detected < 0.99 ? ` ${detected.toFixed(2)}` : '';
  return `${times}${share}${withFailed ? ` [${failedMedian}]` : ''}`;
}
