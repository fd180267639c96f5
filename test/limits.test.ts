/** What somebody may send on purpose or by accident: too much, too deep, too long, too many. Refused in words, and quickly. */
import { describe, expect, it } from 'vitest';
import { edgeProvider } from '../src/adapters/metrics/edge.ts';
import { parseConfig } from '../src/config.ts';
import { parsePlan } from '../src/contract/plan.ts';
import type { PlanWorld } from '../src/contract/plan-world.ts';

const world: PlanWorld = {
  services: new Map([['shop', { provider: 'edge', promotion: 'swap', minNonZeroBp: 1 }]]),
  providers: new Map([['edge', edgeProvider('edge', [])]]),
  notifiers: new Set(),
};
const base = { service: 'shop', steps: ['5%'], checks: ['errors'] };

/** As long as the loop may stand still for one request, on a slow machine; what is quadratic takes ten times as long. */
const QUICK_MS = 3_000;

const numbered = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

describe('a plan that is made to hurt is refused, quickly and with few words', () => {
  it.each<[what: string, plan: unknown]>([
    ['a hundred thousand steps', { ...base, steps: Array<string>(100_000).fill('5%') }],
    ['a weight beyond all numbers', { ...base, steps: [`${'9'.repeat(400)}%`] }],
    ['a weight in exponents', { ...base, steps: ['1e308%'] }],
    ['a time beyond all numbers', { ...base, hold: `${'9'.repeat(400)}h` }],
    ['lists in lists', { ...base, steps: JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown }],
    ['YAML lists in lists', `service: shop\nsteps: ${'['.repeat(100_000)}`],
    ['YAML maps in maps', `service: shop\nsteps: ${'{a: '.repeat(40_000)}1${'}'.repeat(40_000)}`],
    ['25,000 keys that nobody knows', numbered(25_000, (index) => `k${index}: 1\n`)],
    ['20,000 checks without a kind', `service: shop\nsteps: [5%]\nchecks:\n${numbered(20_000, (index) => ` k${index}: 1\n`)}`],
    [
      '13,000 checks that ask nothing',
      `service: shop\nsteps: [5%]\nchecks:\n${numbered(13_000, (index) => ` k${index}: {kind: ratio}\n`)}`,
    ],
    ['a key of half a megabyte', { ...base, ['x'.repeat(500_000)]: 1 }],
    ['aliases that multiply', `a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nservice: shop\nsteps: *c\n`],
  ])('%s', (_what, plan) => {
    const startedMs = performance.now();
    const parsed = parsePlan(plan, world);
    expect(performance.now() - startedMs).toBeLessThan(QUICK_MS);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? 0 : parsed.error.length).toBeLessThanOrEqual(50);
  });
});

describe('names that every object has by itself', () => {
  const told = (plan: unknown): string[] => {
    const parsed = parsePlan(plan, world);
    return parsed.ok ? [] : parsed.error.map(({ message }) => message);
  };

  it('never lose a check, and never reach the prototype of anything', () => {
    const proto = '{"service":"shop","steps":["5%"],"checks":{"__proto__":{"kind":"ratio"}},"x":0}';
    expect(told(JSON.parse(proto))).toEqual(['__proto__ is no key of any document']);
    expect(told(proto)).toEqual(['__proto__ is no key of any document']);
    expect(told(JSON.parse('{"__proto__":{"isAdmin":true},"service":"shop","steps":["5%"]}'))).toHaveLength(1);
    expect(Object.keys(Object.prototype)).toEqual([]);
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      for (const checks of [[name], { [name]: { kind: 'ratio' } }, { errors: { kind: 'ratio', provider: name } }])
        expect(told({ ...base, checks })).toEqual([expect.stringContaining('every object has this one by itself')]);
  });

  it('are names of nothing in a configuration either', () => {
    const messages = (text: string): string[] => {
      const parsed = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: false });
      return parsed.ok ? [] : parsed.error.map(({ message }) => message);
    };
    expect(messages('routers: { a: { type: constructor } }')).toEqual([expect.stringContaining('no router type named')]);
    expect(messages('services: { shop: { provider: constructor } }')).toHaveLength(1);
    expect(messages('services: { __proto__: { provider: gone } }')).toEqual(['__proto__ is no key of any document']);
  });
});
