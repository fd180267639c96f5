/** From what people write of a check to what is judged: kinds, defaults, profiles, providers, and what is refused. */
import { describe, expect, it } from 'vitest';
import type { Check, Plan } from '../domain/plan.ts';
import type { MetricProvider } from '../ports/metric-provider.ts';
import type { PlanWorld } from './plan-world.ts';
import { parsePlan } from './plan.ts';

const provider = (name: string): Pick<MetricProvider, 'name' | 'offers' | 'refuses'> => ({
  name,
  offers: {
    errors: { kind: 'ratio', query: { offered: 'errors' } },
    latency: { kind: 'latency', query: { offered: 'latency' } },
  },
  refuses: (check) => (check.kind === 'rate' && name === 'other' ? 'other has no rates' : null),
});
const world: PlanWorld = {
  services: new Map([['checkout', { provider: 'prom', promotion: 'swap', minNonZeroBp: 1 }]]),
  providers: new Map(['prom', 'other', 'third'].map((name) => [name, provider(name)])),
  notifiers: new Set(),
};

const parse = (rest: string) => parsePlan(`service: checkout\nsteps: [5%, 50%]\n${rest}`, world);
function planOf(rest: string): Plan {
  const parsed = parse(rest);
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join('; '));
  return parsed.value.plan;
}
const checksOf = (text: string, rest = ''): Readonly<Record<string, Check>> => planOf(`checks: { ${text} }\n${rest}`).checks;
const checkOf = (text: string, rest = ''): Check | undefined => checksOf(`a: { ${text} }`, rest)['a'];
const said = (rest: string): readonly string[] => {
  const parsed = parse(rest);
  return parsed.ok ? [] : parsed.error.map(({ message }) => message);
};

const RECOURSES = {
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
  dryRun: false,
  provider: 'prom',
};

describe('a check with nothing but its kind and its question', () => {
  const KINDS: Readonly<Record<string, readonly [string, object]>> = {
    ratio: [
      'kind: ratio, bad: b, total: t',
      {
        query: { bad: 'b', total: 't' },
        tolerance: 0.1,
        floor: 0.0001,
        worse: 'higher',
        max: null,
        hardMax: null,
        weight: 1,
        minRequests: null,
      },
    ],
    rate: [
      'kind: rate, events: e',
      { query: { events: 'e' }, tolerance: 0.1, floor: 0, worse: 'higher', weight: 1, minRequests: null },
    ],
    latency: [
      'kind: latency, histogram: h',
      { query: { histogram: 'h' }, tolerance: 0.25, quantile: 0.95, maxMs: null, hardMaxMs: null, weight: 1, minRequests: null },
    ],
    gauge: ['kind: gauge, query: q', { query: { query: 'q' }, tolerance: 0.1, floor: 0, worse: 'higher', weight: 1 }],
    slo: ['kind: slo, bad: b, total: t, max: 1%', { max: 0.01, hardMax: null, weight: 1, minRequests: null }],
    threshold: [
      'kind: threshold, query: q, max: 5',
      { min: null, max: 5, hardMin: null, hardMax: null, failures: { breaches: 3, of: 5 } },
    ],
    'mann-whitney': [
      'kind: mann-whitney, query: q',
      {
        direction: 'either',
        tolerance: 0.25,
        allowed: { increase: 1, decrease: 1 },
        criticalAllowed: { increase: 1, decrease: 1 },
        critical: false,
        mustHaveData: false,
        group: 'all',
        lookbackMs: null,
        minValues: 50,
      },
    ],
  };
  for (const [kind, [text, expected]] of Object.entries(KINDS))
    it(`has every default of its kind: ${kind}`, () => {
      expect(checkOf(text)).toMatchObject({ name: 'a', kind, ...RECOURSES, ...expected });
    });
});

describe('what a check says for itself', () => {
  it('goes before the defaults', () => {
    expect(
      checkOf('kind: ratio, bad: b, total: t, tolerance: 3%, floor: 1%, weight: 2.5, minRequests: 7, max: 20%, hardMax: 40%'),
    ).toMatchObject({ tolerance: 0.03, floor: 0.01, weight: 2.5, minRequests: 7, max: 0.2, hardMax: 0.4 });
    expect(checkOf('kind: ratio, bad: b, total: t, worse: lower')).toMatchObject({ worse: 'lower' });
    expect(checkOf('kind: latency, histogram: h, quantile: 0.5, max: 100ms, hardMax: 2s')).toMatchObject({
      quantile: 0.5,
      maxMs: 100,
      hardMaxMs: 2000,
    });
    expect(checkOf('kind: gauge, query: q, floor: 12.5, worse: lower')).toMatchObject({ floor: 12.5, worse: 'lower' });
    expect(checkOf('kind: rate, events: e, per: p, floor: 0.5')).toMatchObject({ query: { events: 'e', per: 'p' }, floor: 0.5 });
    expect(
      checkOf(
        'kind: mann-whitney, bad: b, total: t, direction: increase, critical: true, group: g, lookback: 1h, minValues: 9, allowed: { increase: 1.5 }',
      ),
    ).toMatchObject({
      direction: 'increase',
      critical: true,
      group: 'g',
      lookbackMs: 3_600_000,
      minValues: 9,
      allowed: { increase: 1.5, decrease: 1 },
    });
  });

  it('goes before what the plan says for all, which goes before the defaults', () => {
    const plan = 'onNoData: rollback\nonError: continue\nonInconclusive: rollback\n';
    expect(checkOf('kind: slo, bad: b, total: t, max: 1%', plan)).toMatchObject({
      onNoData: 'rollback',
      onError: 'continue',
      onInconclusive: 'rollback',
    });
    expect(checkOf('kind: slo, bad: b, total: t, max: 1%, onNoData: hold, onFail: hold', plan)).toMatchObject({
      onNoData: 'hold',
      onError: 'continue',
      onFail: 'hold',
    });
  });

  it('may be told parts of the traffic apart, which only the provider looks at', () => {
    expect(checkOf('kind: ratio, bad: b, total: t, by: route, version: app_version')?.query).toEqual({
      bad: 'b',
      total: 't',
      by: 'route',
      version: 'app_version',
    });
    expect(checkOf('kind: threshold, query: q, max: 1, range: 5m')?.query).toEqual({
      query: 'q',
      range: '300000',
      reduce: 'max',
    });
  });
});

describe('the profile', () => {
  const all =
    'r: { kind: ratio, bad: b, total: t }, l: { kind: latency, histogram: h }, g: { kind: gauge, query: q }, e: { kind: rate, events: e }';
  const tolerances = (checks: Readonly<Record<string, Check>>) =>
    Object.values(checks).map((check) => ('tolerance' in check ? check.tolerance : null));

  it('strict accepts no excess at all', () => {
    expect(tolerances(checksOf(all, 'profile: strict\n'))).toEqual([0, 0, 0, 0]);
    expect(checksOf(all, 'profile: strict\n')['r']).toMatchObject({ floor: 0 });
    expect(tolerances(checksOf(all, 'profile: default\n'))).toEqual([0.1, 0.25, 0.1, 0.1]);
  });

  it('of a check goes before that of its plan', () => {
    expect(checkOf('kind: ratio, bad: b, total: t, profile: strict')).toMatchObject({ tolerance: 0, floor: 0 });
    expect(checkOf('kind: ratio, bad: b, total: t, profile: default', 'profile: strict\n')).toMatchObject({ tolerance: 0.1 });
    expect(checkOf('kind: ratio, bad: b, total: t, profile: strict, tolerance: 5%')).toMatchObject({ tolerance: 0.05, floor: 0 });
  });

  it('of the plan holds for checks by name alone, and for others that say none of their own', () => {
    expect(planOf('profile: strict\nchecks: [errors, latency]\n').checks).toMatchObject({
      errors: { tolerance: 0 },
      latency: { tolerance: 0 },
    });
    expect(checkOf('kind: ratio, bad: b, total: t', 'profile: strict\n')).toMatchObject({ tolerance: 0 });
  });
});

describe('several providers', () => {
  it('make one check each, by its name', () => {
    const checks = checksOf('a: { kind: ratio, bad: b, total: t, providers: [prom, other, third] }');
    expect(Object.keys(checks)).toEqual(['a@prom', 'a@other', 'a@third']);
    for (const [name, check] of Object.entries(checks)) expect([check.name, check.provider]).toEqual([name, name.slice(2)]);
    const [step] = planOf('checks: { a: { kind: ratio, bad: b, total: t, providers: [prom, other] } }\n').steps;
    expect(step).toMatchObject({ checks: ['a@prom', 'a@other'] });
  });

  it('are asked for the same offer', () => {
    expect(checksOf('errors: { kind: ratio, providers: [prom, other] }')).toMatchObject({
      'errors@prom': { query: { offered: 'errors' } },
      'errors@other': { query: { offered: 'errors' } },
    });
  });

  it('are two at the least, not named beside a provider, and not the same twice', () => {
    const ratio = 'kind: ratio, bad: b, total: t';
    expect(said(`checks: { a: { ${ratio}, providers: [prom] } }`)).toEqual(['two providers at least, or one under "provider"']);
    expect(said(`checks: { a: { ${ratio}, provider: prom, providers: [prom, other] } }`)).toEqual([
      'a check names one provider, or several that must agree, not both',
    ]);
    expect(said(`checks: { a: { ${ratio}, providers: [prom, prom] } }`)).toEqual(['providers names prom twice: name each once']);
    expect(said('checks: { a: { kind: rate, events: e, providers: [prom, other] } }')).toEqual(['other has no rates']);
    expect(said(`checks: { a: { ${ratio}, providers: [prom, othr] } }`)[0]).toMatch(/othr.*did you mean "other"/);
  });
});

describe('what a plan says of its evidence', () => {
  it('has defaults', () => {
    expect(planOf('checks: [errors]\n')).toMatchObject({
      falseRollbackRate: 0.01,
      missRate: 0.05,
      earlyAfterMs: null,
      score: { pass: 95, marginal: 75, groups: {} },
    });
  });

  it('is taken as it is written', () => {
    expect(planOf('falseRollbackRate: 0.1%\nmissRate: 1%\nscore: { pass: 80, marginal: 50, groups: { a: 70 } }\n')).toMatchObject(
      {
        falseRollbackRate: 0.001,
        missRate: 0.01,
        score: { pass: 80, marginal: 50, groups: { a: 70 } },
      },
    );
    expect(planOf('advanceEarly: {}\n').earlyAfterMs).toBe(120_000);
    expect(planOf('advanceEarly: { after: 45s }\n').earlyAfterMs).toBe(45_000);
  });

  const WRONG: readonly (readonly [string, string])[] = [
    ['falseRollbackRate: 0%', 'a rate of false rollbacks is between 0.0001% and 20%: 1% is usual'],
    ['falseRollbackRate: 30%', 'a rate of false rollbacks is between 0.0001% and 20%: 1% is usual'],
    ['falseRollbackRate: 0.01', 'a share with its percent sign, such as 10% or 0.5%'],
    ['missRate: 60%', 'a rate of misses is between 0.0001% and 50%: 5% is usual'],
    ['score: { pass: 50, marginal: 60 }', 'a marginal score (60) is at most the one that passes (50)'],
    ['profile: lax', 'default or strict'],
    ['onError: retry', 'hold, rollback or continue'],
    ['onInconclusive: pass', 'hold, rollback or continue'],
    ['checks: { a: { kind: ratio, bad: b, total: t, onFail: continue } }', 'rollback or hold'],
    ['checks: { a: { kind: ratio, bad: b, total: t, worse: sideways } }', 'higher or lower'],
    ['checks: { a: { kind: ratio, bad: b, total: t, weight: 0 } }', 'a weight above 0'],
    ['checks: { a: { kind: slo, bad: b, total: t, max: 100% } }', 'a limit of 100% is never broken: say a smaller one'],
    [
      'checks: { a: { kind: ratio, bad: b, total: t, worse: lower, hardMax: 99% } }',
      'where fewer is worse, max and hardMax would fail a canary that is better: leave them out',
    ],
    [
      'checks: { a: { kind: slo, bad: b, total: t, max: 2%, hardMax: 1% } }',
      'hardMax is the limit that acts at once, so it is above max',
    ],
    ['checks: { a: { kind: mann-whitney, query: q, direction: up } }', 'increase, decrease or either'],
    [
      'checks: { a: { kind: anova, query: q } }',
      'a check says its kind: ratio, rate, latency, gauge, slo, threshold or mann-whitney',
    ],
    ['checks: { a: { kind: threshold, query: q, max: 1, range: 5m, reduce: median } }', 'max, min, mean or last'],
  ];
  for (const [text, message] of WRONG)
    it(`is refused with what would work: ${text}`, () => {
      expect(said(`${text}\n`)).toEqual([message]);
    });

  it('says what there is to ask when nothing is asked', () => {
    expect(said('checks: { a: { kind: gauge } }')).toEqual([
      'the check "a" says nothing to ask (query), and prom offers no "a"; known: errors, latency',
    ]);
    expect(said('checks: { a: { kind: rate, offered: errors } }')).toEqual(['prom offers errors as ratio, not rate']);
  });
});
