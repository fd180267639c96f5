/**
 * Prometheus as a metric provider. It asks for the counters themselves, summed per version and instance, never for rates:
 * the judge makes disjoint intervals of them, and sees a restart. One question brings all counts of one instant, with the
 * time of the samples behind them, so that a stopped scrape is not taken for calm.
 */
import type { Measurement } from '../../../domain/analysis/measurement.ts';
import { err } from '../../../lib/result.ts';
import type { MetricProvider, OfferedCheck } from '../../../ports/metric-provider.ts';
import { answerOf, failed } from './answer.ts';
import { askedOf, refusal } from './asked.ts';
import type { Asked } from './asked.ts';
import type { Client } from './client.ts';
import { historyOf } from './history.ts';
import type { PrometheusOptions } from './options.ts';
import { queryOf } from './rows.ts';
import { measureValue } from './value.ts';

export function prometheus(name: string, options: PrometheusOptions, client: Client): MetricProvider {
  const offers = Object.fromEntries(
    Object.entries(options.checks).map(([offered, { kind }]): [string, OfferedCheck] => [offered, { kind, query: { offered } }]),
  );
  return {
    name,
    type: 'prometheus',
    offers,
    constant: 'vector(1)',
    refuses: (check) => refusal(name, options, check),
    async measure(question, signal) {
      const asked = askedOf(options, question);
      if (!asked.ok) return failed(question, `${name}: ${asked.error}`);
      const measurement = await measure(client, asked.value, signal);
      return measurement.kind === 'failed' ? { ...measurement, detail: `${name}: ${measurement.detail}` } : measurement;
    },
    async history(question, span, signal) {
      const asked = askedOf(options, question);
      const past = asked.ok ? await historyOf(client, asked.value, span, signal) : asked;
      return past.ok ? past : err(`${name}: ${past.error}`);
    },
    close: async () => {},
  };
}

async function measure(client: Client, asked: Asked, signal: AbortSignal): Promise<Measurement> {
  if (asked.form.kind === 'value') return measureValue(client, asked, asked.form, signal);
  const answer = await client.instant(queryOf(asked), signal);
  return answer.ok ? answerOf(asked, answer.value) : failed(asked.question, answer.error);
}
