/** The reference provider: it says what it is told to say, one answer after the other, and the last one for ever. */
import type { Measurement } from '../../domain/analysis/measurement.ts';
import { err, ok } from '../../lib/result.ts';
import type { MetricProvider, Question } from '../../ports/metric-provider.ts';

/** A script: each entry is an answer, or makes one from the question. */
export type Answers = readonly (Measurement | ((question: Question) => Measurement))[];

/** `past` is what it says of any span, or null when it keeps no history. */
export function memoryProvider(
  name: string,
  answers: Answers,
  past: readonly Measurement[] | null = null,
): MetricProvider & { readonly asked: readonly Question[] } {
  const asked: Question[] = [];
  return {
    name,
    type: 'memory',
    asked,
    offers: { errors: { kind: 'ratio', query: { offered: 'errors' } } },
    refuses: () => null,
    async measure(question) {
      asked.push(question);
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      if (answer === undefined) return { kind: 'no_data', at: question.now, detail: `${name} has no answer` };
      return typeof answer === 'function' ? answer(question) : answer;
    },
    history: async (_question, { from, to }) =>
      past ? ok(past.filter(({ at }) => from <= at && at <= to)) : err(`${name} keeps no history`),
    close: async () => {},
  };
}
