/** What a check asks of a Prometheus: the texts of the plan or of the operator, whether they can be meant, and in which form. */
import type { Check } from '../../../domain/plan.ts';
import { unreachable } from '../../../lib/assert.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import { kindsServed } from '../../../ports/metric-provider.ts';
import type { Question } from '../../../ports/metric-provider.ts';
import type { PrometheusOptions } from './options.ts';
import { bucketsOf, filled, isLabel, isSelector, losesLabel, selectorsIn, syntaxError } from './promql.ts';

type Texts = Readonly<Record<string, string>>;

export type Asked = {
  readonly question: Question;
  readonly form: Form;
  readonly labels: {
    /** Set when one question is asked for all services. */
    readonly service: string | undefined;
    readonly version: string;
    readonly instance: string;
    /** Of the parts of the traffic. */
    readonly by: string | undefined;
  };
};

/** How the texts of a question become an answer. */
export type Form =
  /** Without `total`, what is bad is counted against the seconds of its instance. */
  | { readonly kind: 'counters'; readonly bad: string; readonly total: string | null }
  | { readonly kind: 'histogram'; readonly classic: string; readonly native: string | null }
  | { readonly kind: 'gauges'; readonly query: string; readonly selectors: readonly string[] }
  | {
      readonly kind: 'value';
      readonly query: string;
      readonly selectors: readonly string[];
      readonly rangeMs: number;
      readonly reduce: string;
    };

/** What is no query, and is said by the plan beside what an operator wrote. */
const BESIDES: readonly string[] = ['version', 'offered', 'by', 'range', 'reduce'];

const offerOf = ({ checks }: PrometheusOptions, offered: string | undefined) =>
  offered !== undefined && Object.hasOwn(checks, offered) ? checks[offered] : undefined;

/** The texts of a check: its own, or those that the operator wrote for the name that it gives. */
function templateOf(options: PrometheusOptions, { query }: Check): Texts {
  const template = offerOf(options, query['offered']);
  if (!template) return query;
  const { kind: _, ...texts } = template;
  const written = Object.entries(texts).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]]));
  return Object.fromEntries([...written, ...Object.entries(query).filter(([key]) => BESIDES.includes(key))]);
}

type Wish = { readonly needs: readonly string[]; readonly takes: readonly string[] };

function wishOf(kind: Check['kind'], texts: Texts): Wish {
  switch (kind) {
    case 'ratio':
    case 'slo':
      return { needs: ['bad', 'total'], takes: [] };
    case 'rate':
      return { needs: ['events'], takes: ['per'] };
    case 'latency':
      return { needs: ['histogram'], takes: [] };
    case 'gauge':
    case 'threshold':
      return { needs: ['query'], takes: [] };
    case 'mann-whitney':
      return { needs: 'query' in texts ? ['query'] : ['bad', 'total'], takes: [] };
    default:
      return unreachable(kind);
  }
}

/** Why this check cannot be asked, or null. */
export function refusal(name: string, options: PrometheusOptions, check: Check): string | null {
  const { kind, query } = check;
  const offered = query['offered'];
  const offer = offerOf(options, offered);
  if (offered !== undefined && !offer) return `${name} offers no "${offered}"`;
  if (offer && !kindsServed(offer.kind).includes(kind)) return `${name} offers ${offered} as ${offer.kind}, not ${kind}`;
  const texts = templateOf(options, check);
  for (const key of ['version', 'by'])
    if (texts[key] !== undefined && !isLabel(texts[key])) return `${key}: "${texts[key]}" is no name of a label`;
  const { needs, takes } = wishOf(kind, texts);
  const missing = needs.some((key) => texts[key] === undefined);
  if (missing) {
    const wanted = kind === 'mann-whitney' ? 'query, or bad and total,' : needs.join(' and ');
    return `${name} needs ${wanted} for a check of kind ${kind}`;
  }
  const surplus = Object.keys(texts).find((key) => ![...needs, ...takes, ...BESIDES].includes(key));
  if (surplus !== undefined) return `a check of kind ${kind} that asks for ${needs.join(' and ')} does not ask for ${surplus}`;
  for (const key of [...needs, ...takes]) {
    const wrong = texts[key] === undefined ? null : wrongText(key, texts[key], kind);
    if (wrong !== null) return wrong;
  }
  return kind === 'threshold' ? null : labelRefusal(texts, options);
}

function wrongText(key: string, text: string, kind: Check['kind']): string | null {
  const wrong = syntaxError(text);
  if (wrong !== null) return `${key}: ${wrong}`;
  if (key === 'query' || isSelector(text)) return null;
  const what = kind === 'rate' ? 'differences' : 'sums and differences';
  return `${key} is a selector, such as http_requests_total{service="shop"}: Headgate takes ${what} itself`;
}

/** A level of each instance has to say whose it is. */
function labelRefusal({ query, version }: Texts, { labels }: PrometheusOptions): string | null {
  if (query === undefined) return null;
  for (const label of [version ?? labels.version, labels.instance])
    if (losesLabel(query, label))
      return `query: an aggregation takes the label ${label} away: add by (${version ?? labels.version}, ${labels.instance})`;
  return null;
}

export function askedOf(options: PrometheusOptions, question: Question): Result<Asked, string> {
  const { check, service, canaryVersion, stableVersion, intervalMs } = question;
  if (stableVersion === canaryVersion)
    return err(`canary and stable are both version ${canaryVersion}: their series cannot be told apart`);
  const values = {
    service,
    canary: canaryVersion,
    stable: stableVersion ?? '',
    interval: `${Math.max(1, Math.round(intervalMs / 1000))}s`,
  };
  const texts: Record<string, string> = {};
  for (const [key, template] of Object.entries(templateOf(options, check))) {
    const text = BESIDES.includes(key) ? ok(template) : filled(template, values);
    if (!text.ok) return err(`${key}: ${text.error}`);
    texts[key] = text.value;
  }
  const { labels } = options;
  const form = formOf(check.kind, texts);
  return ok({
    question,
    form,
    labels: {
      service: check.query['offered'] === undefined ? undefined : labels.service,
      version: texts['version'] ?? labels.version,
      instance: labels.instance,
      by: form.kind === 'counters' && form.total !== null ? texts['by'] : undefined,
    },
  });
}

function formOf(kind: Check['kind'], texts: Texts): Form {
  const { bad = '', total = '', events = '', per = null, histogram = '', query = '', range = '0', reduce = 'max' } = texts;
  const selectors = selectorsIn(query);
  switch (kind) {
    case 'threshold':
      return { kind: 'value', query, selectors, rangeMs: Number(range), reduce };
    case 'latency': {
      const classic = bucketsOf(histogram);
      return { kind: 'histogram', classic, native: classic === histogram ? null : histogram };
    }
    case 'rate':
      return { kind: 'counters', bad: events, total: per };
    case 'gauge':
      return { kind: 'gauges', query, selectors };
    case 'mann-whitney':
      return 'query' in texts ? { kind: 'gauges', query, selectors } : { kind: 'counters', bad, total };
    case 'ratio':
    case 'slo':
      return { kind: 'counters', bad, total };
    default:
      return unreachable(kind);
  }
}
