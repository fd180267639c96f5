/** What a plan is warned of, and what it is not. */
import { describe, expect, it } from 'vitest';
import type { PlanWorld } from './plan-world.ts';
import { parsePlan } from './plan.ts';

const world: PlanWorld = {
  services: new Map([['checkout', { provider: 'prom', promotion: 'swap', minNonZeroBp: 1 }]]),
  providers: new Map([
    [
      'prom',
      {
        name: 'prom',
        offers: {
          errors: { kind: 'ratio', query: { offered: 'errors' } },
          latency: { kind: 'latency', query: { offered: 'latency' } },
        },
        refuses: () => null,
      },
    ],
  ]),
  notifiers: new Set(),
};

function warnings(rest: string): readonly string[] {
  const parsed = parsePlan(`service: checkout\n${rest}`, world);
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join('; '));
  return parsed.value.warnings.map(({ line, message }) => `${line} ${message}`);
}

const BLIND = 'at 100 % nothing is judged: stable has no traffic then to compare';

describe('full weight', () => {
  it('is judged by nothing where all checks compare, which is said of a blue-green plan', () => {
    expect(warnings('strategy: blue-green\nchecks: [errors, latency]')).toEqual([
      `2 ${BLIND} errors, latency with; give a check a max or hardMax, or use a step below 100%`,
    ]);
  });

  it('is said of a last step and of a bake without hold-back', () => {
    expect(warnings('steps: [10%, 100%]\nbake: { for: 1h }\nchecks: [errors]')).toEqual([
      `2 ${BLIND} errors with; give a check a max or hardMax, or use a step below 100%`,
      `3 ${BLIND} errors with; give a check a max or hardMax, or hold some traffic back, such as holdBack: 10%`,
    ]);
  });

  it.each([
    ['strategy: blue-green\nchecks: { errors: { kind: ratio, hardMax: 5% } }'],
    ['strategy: blue-green\nchecks: { errors: { kind: ratio }, latency: { kind: latency, max: 1s } }'],
    ['steps: [10%]\nbake: { for: 1h, holdBack: 10% }\nchecks: [errors]'],
    ['steps: [10%, 50%]\nchecks: [errors]'],
  ])('is no matter with a limit, or below it: %j', (rest) => {
    expect(warnings(rest)).toEqual([]);
  });

  it('is not watched by a limit that is a dry run', () => {
    const checks = 'checks: { errors: { kind: ratio }, latency: { kind: latency, max: 1s, dryRun: true } }';
    expect(warnings(`strategy: blue-green\n${checks}`)).toEqual([expect.stringContaining(`${BLIND} errors with`)]);
  });
});

it('says that nothing decides where there are no checks, or only dry runs', () => {
  expect(warnings('steps: [10%]')).toEqual(['1 the plan has no checks: nothing but a person can stop it']);
  expect(warnings('steps: [10%]\nchecks: { errors: { kind: ratio, dryRun: true } }')).toEqual([
    '3 every check is a dry run: nothing but a person can stop the release',
  ]);
});

it('says which weights are of groups that no rank test is in', () => {
  const check = '{ a: { kind: mann-whitney, query: q, group: cpu } }';
  expect(warnings(`steps: [10%]\nscore: { groups: { cpu: 50, sped: 50 } }\nchecks: ${check}`)).toEqual([
    '3 no group of a rank test named "sped"; known: cpu',
  ]);
});

describe('advanceEarly', () => {
  it('is said never to act beside a check that proves nothing', () => {
    const checks = 'checks: { errors: { kind: ratio }, memory: { kind: gauge, query: m } }';
    expect(warnings(`steps: [10%]\nadvanceEarly: { after: 1m }\n${checks}`)).toEqual([
      '3 advanceEarly never acts while memory (gauge) decides: such a check cannot prove that a canary is not worse',
    ]);
  });

  it('is not said to where another step can be left early', () => {
    const checks = 'checks: { errors: { kind: ratio }, memory: { kind: gauge, query: m } }';
    expect(warnings(`steps: [{ weight: 10%, checks: [errors] }, 50%]\nadvanceEarly: { after: 1m }\n${checks}`)).toEqual([]);
  });

  it('is said never to act when every hold has passed by then', () => {
    expect(warnings('steps: [10%]\nhold: 1m\nadvanceEarly: { after: 20m }\nchecks: [errors]')).toEqual([
      '4 advanceEarly never acts: every hold has passed after 20m',
    ]);
  });

  it('is as it should be otherwise', () => {
    expect(warnings('steps: [10%]\nhold: 10m\nadvanceEarly: { after: 2m }\nchecks: [errors, latency]')).toEqual([]);
  });
});

describe('a target that moves in steps', () => {
  const flag = { target: 'flags/checkout', stepBp: 100 };
  const inWorld = (coarse: readonly (typeof flag)[], targets: number): readonly string[] => {
    const service = { provider: 'prom', promotion: 'swap' as const, minNonZeroBp: 1, coarse, targets };
    const text = 'service: checkout\nsteps: [0.5%, 2%, 12.5%]\nhold: 5m\nchecks: [errors]\nbake: { for: 5m, holdBack: 10% }';
    const parsed = parsePlan(text, { ...world, services: new Map([['checkout', service]]) });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    return parsed.value.warnings.map(({ line, message }) => `${line} ${message}`);
  };

  it('is said to wait where it cannot represent a weight', () => {
    expect(inWorld([flag], 2)).toEqual([
      '2 flags/checkout moves in steps of 1 %: it serves 0 % where 0.5 % is wanted',
      '2 flags/checkout moves in steps of 1 %: it serves 12 % where 12.5 % is wanted',
    ]);
    expect(inWorld([], 2)).toEqual([]);
  });

  it('alone leaves nobody to judge', () => {
    expect(inWorld([flag], 1)).toContain(
      '2 nobody gets the new version at 0.5 %, so there would be nothing to judge: begin with a larger step',
    );
  });
});
