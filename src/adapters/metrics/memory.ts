/** The reference provider: it says what it is told to say, one answer after the other, and the last one for ever. */
import type { Measurement } from '../../domain/analysis/measurement.ts';
import type { MetricProvider, Question } from '../../ports/metric-provider.ts';

/** A script: each entry is an answer, or makes one from the question. */
export type Answers = readonly (Measurement | ((question: Question) => Measurement))[];

export function memoryProvider(name: string, answers: Answers): MetricProvider & { readonly asked: readonly Question[] } {
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
    close: async () => {},
  };
}
