/**
 * The one query for all that a check needs of an instant, the times of the samples included, and the rows of its answer.
 * It names no release, so that releases that ask the same share one answer and each takes its own rows.
 */
import type { Role } from '../../../domain/analysis/measurement.ts';
import { unreachable } from '../../../lib/assert.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Asked } from './asked.ts';
import type { Range, Sample } from './client.ts';
import { PART, together } from './promql.ts';

/** One row of an answer: a part of the question, of one instance of one version. */
export type Row = {
  readonly part: string;
  readonly role: Role | null;
  /** Names the series: version, instance, and the part of the traffic where there are parts. */
  readonly key: string;
  readonly stratum: string;
  /** The bucket: its upper bound, or in VictoriaMetrics its range. */
  readonly le: string;
  readonly vmrange: string;
  readonly value: number;
  readonly ranges: readonly Range[] | null;
};

/** Times of samples; of a level there are several, one for each selector in its query. */
export const AT = 'at';
export const NATIVE = 'native';
/** A level that several series of one instance give cannot be summed up without being told how. */
const TIME = new RegExp(`^${AT}\\d*$`);

export function queryOf({ form, labels }: Asked): string {
  const { service, version, instance, by } = labels;
  const own = [...(service === undefined ? [] : [service]), version];
  const each = [...own, instance];
  const sum = (selector: string, more: readonly (string | undefined)[] = []): string =>
    `sum by (${[...each, ...more.filter((label) => label !== undefined)].join(', ')}) (${selector})`;
  const newest = (selector: string, of = each): string => `max by (${of.join(', ')}) (timestamp(${selector}))`;
  switch (form.kind) {
    case 'counters':
      return together({
        bad: sum(form.bad, [by]),
        ...(form.total === null ? {} : { total: sum(form.total, [by]) }),
        [AT]: newest(form.total ?? form.bad),
      });
    case 'histogram': {
      const { classic, native } = form;
      const buckets = sum(classic, ['le', 'vmrange']);
      if (native === null) return together({ bucket: buckets, [AT]: newest(classic) });
      // `label_replace` of an older Prometheus makes nothing of a native histogram: it is told by its form.
      const times = `max by (${each.join(', ')}) (timestamp(${classic}) or timestamp(${native}))`;
      return `${sum(native)} or ${together({ bucket: buckets, [AT]: times })}`;
    }
    case 'gauges': {
      const times = form.selectors.map((selector, index) => [`${AT}${index}`, newest(selector, own)]);
      // A comment at its end is ended, too.
      return together({ level: `${form.query}\n`, ...Object.fromEntries(times) });
    }
    case 'value':
      return form.query;
    default:
      return unreachable(form);
  }
}

/** The rows of this question's service; an error for rows that cannot belong to its answer. */
export function rowsOf({ form, labels, question }: Asked, samples: readonly Sample[]): Result<readonly Row[], string> {
  const rows: Row[] = [];
  const seen = new Set<string>();
  for (const sample of samples) {
    const { [PART]: told } = sample.labels;
    const isNative = told === undefined && form.kind === 'histogram' && form.native !== null && !('le' in sample.labels);
    const part = told ?? (isNative ? NATIVE : '');
    const of = labels.service === undefined ? question.service : sample.labels[labels.service];
    // What a level was made of may be the same for all services.
    const isMine = of === question.service || (of === undefined && form.kind === 'gauges' && TIME.test(part));
    if (!isMine) continue;
    if (!PARTS[form.kind].test(part)) return err(`a row that nobody asked for: ${JSON.stringify(sample.labels).slice(0, 200)}`);
    // A counter or gauge that has the histogram's bare name is no part of it.
    if (isNative && !sample.ranges) continue;
    const row = rowOf(sample, part, { labels, question });
    const name = JSON.stringify([row.part, row.key, row.le, row.vmrange]);
    if (form.kind === 'gauges' && row.part === 'level' && row.role === null) continue;
    if (seen.has(name))
      return err(`${form.kind === 'gauges' ? 'several series' : 'two counts'} of ${row.key.trim()}${HINT[form.kind]}`);
    seen.add(name);
    rows.push(row);
  }
  return ok(rows);
}

const PARTS = {
  counters: /^(bad|total|at)$/,
  histogram: /^(bucket|native|at)$/,
  gauges: /^(level|at\d+)$/,
  value: /^$/,
} as const;

const HINT = {
  counters: '',
  histogram: '',
  gauges: ': aggregate them, such as with sum by (version, instance)',
  value: '',
} as const;

function rowOf(
  { labels: own, value, ranges }: Sample,
  part: string,
  { labels, question }: Pick<Asked, 'labels' | 'question'>,
): Row {
  const version = own[labels.version];
  const role =
    version === question.canaryVersion ? 'canary' : version !== undefined && version === question.stableVersion ? 'stable' : null;
  const stratum = labels.by === undefined ? '' : (own[labels.by] ?? '');
  const isTime = TIME.test(part);
  const names = [version ?? '', own[labels.instance] ?? '', ...(labels.by === undefined || isTime ? [] : [stratum])];
  return {
    part,
    role,
    key: names.join(' '),
    stratum,
    le: own['le'] ?? '',
    vmrange: own['vmrange'] ?? '',
    value,
    ranges: ranges ?? null,
  };
}
