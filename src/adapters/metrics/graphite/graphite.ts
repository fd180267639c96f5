/**
 * Graphite as a metric provider. Counters are read as they were stored, one series per instance, with no function over
 * them: the judge makes disjoint intervals of them, and sees a restart. Gaps stay gaps.
 */
import type { Measurement, Role } from '../../../domain/analysis/measurement.ts';
import type { Check } from '../../../domain/plan.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { MetricProvider, Question } from '../../../ports/metric-provider.ts';
import type { Send } from '../../outgoing/client.ts';
import { failed, historyOf, measurementOf, named, stepsOf, unitMs } from '../lines.ts';
import type { Line } from '../lines.ts';
import { offersOf, partsOf, textsOf } from '../texts.ts';
import type { Texts } from '../texts.ts';
import { render } from './client.ts';
import type { Series } from './client.ts';
import type { GraphiteOptions } from './options.ts';
import { boundOf, foundIn, isTagged, targetWith, wrongSeries, wrongTarget } from './target.ts';
import type { Values } from './target.ts';

export function graphite(name: string, options: GraphiteOptions, send: Send): MetricProvider {
  const { lookbackMs } = options;
  return {
    name,
    type: 'graphite',
    offers: offersOf(options.checks),
    refuses: (check) => refusal(name, options, check),
    async measure(question, signal) {
      const back = Math.max(lookbackMs, Number(question.check.query['range'] ?? 0));
      const lines = await linesOf({ options, question, send, signal }, question.now - back, question.now);
      return named(
        name,
        lines.ok ? measurementOf(question, lines.value, { lookbackMs, aligned: true }) : failed(question, lines.error),
      );
    },
    async history(question, span, signal): Promise<Result<readonly Measurement[], string>> {
      const instants = stepsOf(span);
      if (!instants.ok) return instants;
      const back = Math.max(lookbackMs, Number(question.check.query['range'] ?? 0));
      const lines = await linesOf({ options, question, send, signal }, span.from - back, span.to);
      return lines.ok
        ? ok(historyOf(question, lines.value, instants.value, { lookbackMs, aligned: true }))
        : err(`${name}: ${lines.error}`);
    },
    close: async () => {},
  };
}

function refusal(name: string, options: GraphiteOptions, check: Check): string | null {
  const texts = textsOf(options.checks, check);
  const parts = partsOf(name, check, texts);
  if (!parts.ok) return parts.error;
  if (texts['version'] !== undefined)
    return `${name} knows no label of the version: say with {{version}} in the path where it stands`;
  if (check.kind === 'rate' && !parts.value.includes('per'))
    return `${name} does not know how long an instance lives: say with "per" what the events are counted against`;
  for (const key of parts.value) {
    const text = texts[key] ?? '';
    if (texts['by'] !== undefined && !isTagged(text))
      return `${key}: parts are told apart by a tag, so with "by" it is seriesByTag(...)`;
    const wrong = check.kind === 'threshold' ? wrongTarget(text) : wrongSeries(text, { isHistogram: key === 'histogram' });
    if (wrong !== null) return `${key}: ${wrong}`;
  }
  return null;
}

type Asked = {
  readonly options: GraphiteOptions;
  readonly question: Question;
  readonly send: Send;
  readonly signal: AbortSignal;
};

async function linesOf(asked: Asked, fromMs: number, toMs: number): Promise<Result<readonly Line[], string>> {
  const { options, question, send, signal } = asked;
  const { check, canaryVersion, stableVersion } = question;
  const refused = refusal('graphite', options, check);
  if (refused !== null) return err(refused);
  const texts = textsOf(options.checks, check);
  const parts = partsOf('graphite', check, texts);
  if (!parts.ok) return parts;
  const isValue = check.kind === 'threshold';
  const versions: readonly (readonly [Role, string])[] = [
    ['canary', canaryVersion],
    ...(isValue || stableVersion === null ? [] : [['stable', stableVersion] as const]),
  ];
  const lines: Line[] = [];
  // Bad requests first: those that come in between are in the total only.
  for (const part of parts.value) {
    const targets: string[] = [];
    for (const [role, version] of versions) {
      const template = texts[part] ?? '';
      const values = valuesOf(question, version);
      const target = targetWith(template, values);
      if (!target.ok) return err(`${part}: ${target.error}`);
      if (targets.includes(target.value))
        return err(`canary ${canaryVersion} and stable ${stableVersion} are both ${target.value}: they cannot be told apart`);
      targets.push(target.value);
      const found = await render(options.url, { target: target.value, fromMs, toMs }, send, signal);
      if (!found.ok) return found;
      for (const series of found.value) {
        const line = isValue
          ? ok({ part, role, key: series.target, points: series.points })
          : lineOf(series, { part, role, version, template, values, texts, options });
        if (!line.ok) return line;
        lines.push(line.value);
      }
    }
  }
  return ok(lines);
}

const valuesOf = ({ service, canaryVersion, stableVersion, intervalMs }: Question, version: string): Values => ({
  service,
  version,
  canary: canaryVersion,
  stable: stableVersion ?? '',
  interval: `${Math.max(1, Math.round(intervalMs / 1000))}s`,
});

type Origin = {
  readonly part: string;
  readonly role: Role;
  readonly version: string;
  readonly template: string;
  readonly values: Values;
  readonly texts: Texts;
  readonly options: GraphiteOptions;
};

function lineOf({ target, tags, points }: Series, origin: Origin): Result<Line, string> {
  const { part, role, version, template, values, texts, options } = origin;
  const base = { part, role, points, isPart: part !== 'query' };
  const unit = unitMs(template);
  if (isTagged(template)) {
    const by = texts['by'];
    const le = part === 'histogram' ? boundOf(tags[options.tags.le]) * unit : undefined;
    const stratum = by === undefined ? undefined : (tags[by] ?? '');
    return ok({ ...base, key: `${version} ${tags[options.tags.instance] ?? ''}`.trim(), le, stratum });
  }
  const found = foundIn(template, values, target);
  if (found === null) return err(`a series that nobody asked for: ${target.slice(0, 200)}`);
  const le = part === 'histogram' ? boundOf(found.le) * unit : undefined;
  return ok({ ...base, key: `${version} ${found.key}`.trim(), le });
}
