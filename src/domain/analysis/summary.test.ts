import { expect, it } from 'vitest';
import { overallVerdict } from './summary.ts';

const of = (...verdicts: ('pass' | 'fail' | 'inconclusive' | 'no_data' | 'error')[]) =>
  overallVerdict(
    verdicts.map((_, index) => `check${index}`),
    Object.fromEntries(verdicts.map((verdict, index) => [`check${index}`, { verdict }])),
  );

it('takes the worst verdict: fail, error, no data, inconclusive, pass', () => {
  expect(of('pass', 'inconclusive', 'no_data', 'error', 'fail')).toBe('fail');
  expect(of('pass', 'inconclusive', 'no_data', 'error')).toBe('error');
  expect(of('pass', 'inconclusive', 'no_data')).toBe('no_data');
  expect(of('pass', 'inconclusive')).toBe('inconclusive');
  expect(of('pass', 'pass')).toBe('pass');
});

it('does not pass a check that was never measured', () => {
  expect(overallVerdict(['errors', 'latency'], { errors: { verdict: 'pass' } })).toBe('inconclusive');
  expect(overallVerdict(['toString'], {})).toBe('inconclusive');
});

it('passes when nothing is required, whatever a check outside says', () => {
  expect(overallVerdict([], { dry: { verdict: 'fail' } })).toBe('pass');
});
