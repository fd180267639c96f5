/**
 * Everything that people and programs get wrong, and what they are told: the message, and the line where there is one.
 * One row each. A message that changes on purpose is changed here; one that changes by accident is seen.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import { parsePlan } from '../../src/contract/plan.ts';
import type { PlanWorld } from '../../src/contract/plan-world.ts';
import type { Problem } from '../../src/contract/problem.ts';
import type { MetricProvider } from '../../src/ports/metric-provider.ts';
import type { Result } from '../../src/lib/result.ts';
import { edgeProvider } from '../../src/adapters/metrics/edge.ts';
import { unfitNode } from '../../src/lib/node-version.ts';

const world: PlanWorld = {
  services: new Map([
    ['checkout', { provider: 'edge', promotion: 'swap', minNonZeroBp: 1 }],
    ['search', { provider: null, promotion: 'replace', minNonZeroBp: 100 }],
  ]),
  providers: new Map<string, Pick<MetricProvider, 'name' | 'offers' | 'refuses'>>([
    ['edge', edgeProvider('edge', [])],
    ['prom', { name: 'prom', offers: {}, refuses: () => null }],
  ]),
  notifiers: new Set(['payments-oncall']),
};

const said = (result: Result<unknown, readonly Problem[]>): string[] =>
  result.ok ? [] : result.error.map(({ line, column, message }) => `${line}:${column} ${message}`);

const base = 'service: checkout\nsteps: [5%, 50%]\nchecks: [errors]\n';

describe('plans', () => {
  const rows: readonly (readonly [what: string, text: string, ...messages: string[]])[] = [
    ['nothing at all', '', '1:1 the document is empty'],
    [
      'broken YAML',
      'service: [checkout',
      '1:19 Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'keys twice',
      'service: checkout\nservice: search\nsteps: [{ weight: 5%, weight: 6% }]',
      '2:1 the key "service" is there already',
      '3:23 the key "weight" is there already',
    ],
    [
      'a misspelt key beside the one that it could mean: what is there is judged',
      'service: checkout\nstepz: [5%]\nsteps: [10%, 5%]',
      '2:1 unknown key "stepz", did you mean "steps"?',
      '3:14 weights rise from step to step: 5 % comes after 10 %',
    ],
    [
      'a misspelt key: what it holds is judged as what was meant',
      'service: checkout\nstepz: [10%, 5%, { wieght: 4% }]\ncheks: { errors: { kind: ratio, maxx: 2%, tolerance: 5 } }',
      '2:1 unknown key "stepz", did you mean "steps"?',
      '2:14 weights rise from step to step: 5 % comes after 10 %',
      '2:20 unknown key "wieght", did you mean "weight"?',
      '3:1 unknown key "cheks", did you mean "checks"?',
      '3:33 unknown key "maxx", did you mean "max"?',
      '3:54 a share with its percent sign, such as 10% or 0.5%',
    ],
    [
      'two misspelt keys that mean the same',
      'service: checkout\nstepz: [10%, 5%]\nstpes: [10%, 5%]',
      '2:1 unknown key "stepz", did you mean "steps"?',
      '2:14 weights rise from step to step: 5 % comes after 10 %',
      '3:1 unknown key "stpes", did you mean "steps"?',
    ],
    ['a key without a value', 'service: checkout\nsteps:\nhold: 5m', '2:7 steps has no value'],
    [
      'an alias',
      'service: &a checkout\nname: *a\nsteps: [5%]',
      '1:1 anchors and aliases are not supported: write the values out',
    ],
    ['a list instead of a plan', '[5%]', '1:1 keys with values, not a list'],
    ['no service', 'steps: [5%]', '1:1 service is missing'],
    ['no steps', 'service: checkout', '1:1 a plan has at least one step with a weight, such as [1%, 10%, 50%]'],
    ['an unknown key', `${base}hodl: 5m\n`, '4:1 unknown key "hodl", did you mean "hold"?'],
    ['an unknown key far from any', `${base}colour: red\n`, '4:1 unknown key "colour"'],
    ['an unknown service', 'service: chekout\nsteps: [5%]', '1:10 no service named "chekout", did you mean "checkout"?'],
    ['a service nobody could mean', 'service: x\nsteps: [5%]', '1:10 no service named "x"; known: checkout, search'],
    [
      'a weight without percent',
      'service: checkout\nsteps: [5]',
      '2:9 a step is a weight with its percent sign such as 5%, or { weight, hold, checks }, { pause } or { approve }',
    ],
    ['a weight in words', 'service: checkout\nsteps: [half]', '2:9 a weight with its percent sign, such as 0.5% or 25%'],
    ['a weight above all', 'service: checkout\nsteps: [120%]', '2:9 a weight is 100% at most'],
    ['a weight too fine', 'service: checkout\nsteps: [0.001%]', '2:9 0.001% is finer than 0.01%, the smallest step there is'],
    [
      'a weight of nothing',
      'service: checkout\nsteps: [0%, 5%]',
      '2:9 a step of 0% would judge a canary that nobody sees: start above 0%',
    ],
    ['falling weights', 'service: checkout\nsteps: [10%, 5%]', '2:14 weights rise from step to step: 5 % comes after 10 %'],
    [
      'the same weight twice',
      'service: checkout\nsteps: [10%, 10%]',
      '2:14 weights rise from step to step: 10 % comes after 10 %',
    ],
    [
      'a weight a target cannot serve',
      'service: search\nsteps: [0.5%]',
      '2:9 a target of search can serve 1 % at the least, not 0.5 %',
    ],
    ['a duration without a unit', `${base}hold: "5"\n`, '4:7 a duration such as 30s, 5m or 1h30m'],
    ['a duration as a number', `${base}hold: 5\n`, '4:7 a duration in quotes or with its unit, such as 30s, 5m or 1h30m'],
    [
      'a hold too short for its measurements',
      `${base}hold: 10s\n`,
      '4:7 a hold of 10s is too short: 3 measurements every 10s take 30s; hold for 30s at least, or measure more often',
    ],
    [
      'a hold too short with warm-up',
      `${base}hold: 1m\nwarmUp: 45s\n`,
      '4:7 a hold of 1m is too short: 3 measurements every 10s after 45s of warm-up take 1m15s; hold for 1m15s at least, or measure more often',
    ],
    [
      "a step's own hold too short",
      'service: checkout\nsteps: [{ weight: 5%, hold: 5s }]\nchecks: [errors]',
      '2:29 a hold of 5s is too short: 3 measurements every 10s take 30s; hold for 30s at least, or measure more often',
    ],
    ['an interval too short', `${base}interval: 100ms\n`, '4:11 an interval is at least 1s'],
    ['no measurements', `${base}minMeasurements: 0\n`, '4:18 at least one measurement'],
    ['half a measurement', `${base}minMeasurements: 1.5\n`, '4:18 a whole number of measurements'],
    [
      'a deadline before the end',
      `${base}hold: 1h\ndeadline: { after: 90m }\n`,
      '5:20 the holds, pauses and the bake take 2h together, which is more than the deadline of 1h30m',
    ],
    [
      'a deadline that promotes',
      `${base}deadline: { after: 5h, otherwise: promote }\n`,
      '4:35 a release that runs out of time is rolled back',
    ],
    ['a deadline in the next year', `${base}deadline: { after: 400d }\n`, '4:20 a deadline is at most 60d'],
    [
      'a bake too short',
      `${base}bake: { for: 5s }\n`,
      '4:14 a bake of 5s is too short: 3 measurements every 10s take 30s; bake for 30s at least',
    ],
    [
      'a hold-back above the last step',
      `${base}bake: { for: 10m, holdBack: 60% }\n`,
      '4:29 a hold-back of 60 % bakes at 40 %, below the last step of 50 %: hold back 50 % at most',
    ],
    [
      'a bake where stable is replaced',
      'service: search\nsteps: [5%]\nbake: { for: 10m }',
      '3:7 search replaces its stable slot, so there is no full weight to bake at: hold the last step longer',
    ],
    [
      'a pause without an end',
      'service: checkout\nsteps: [5%, { pause: {} }]',
      '2:22 a pause says how long: { for: 10m }, or { within: 4h, otherwise: rollback }',
    ],
    [
      'a pause with two ends',
      'service: checkout\nsteps: [5%, { pause: { for: 1m, within: 2m } }]',
      '2:22 a pause has either "for" (then it goes on) or "within" (somebody has to resume it), not both',
    ],
    ['an approval by nobody', 'service: checkout\nsteps: [5%, { approve: { by: 0 } }]', '2:30 at least one person'],
    ['a step with a slip', 'service: checkout\nsteps: [{ wieght: 5% }]', '2:11 unknown key "wieght", did you mean "weight"?'],
    [
      'a strategy of a later version',
      `${base}strategy: ab\n`,
      '4:11 the strategy ab comes in a later version: use canary or blue-green',
    ],
    ['a strategy nobody knows', `${base}strategy: yolo\n`, '4:11 canary or blue-green'],
    [
      'blue-green in several steps',
      `${base}strategy: blue-green\n`,
      '2:8 a blue-green plan switches all traffic at once: leave the steps out, or use the strategy canary',
    ],
    [
      'an unknown check',
      'service: checkout\nsteps: [5%]\nchecks: [errorz]',
      '3:10 the check "errorz" edge offers no "errorz"; known: errors, latency',
    ],
    ['a check twice', 'service: checkout\nsteps: [5%]\nchecks: [errors, errors]', '3:18 the check "errors" is named twice'],
    ['a promise without its limit', 'service: checkout\nsteps: [5%]\nchecks: { a: { kind: slo } }', '3:14 max is missing'],
    [
      'a check of no kind that there is',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: anova } }',
      '3:22 a check says its kind: ratio, rate, latency, gauge, slo, threshold or mann-whitney',
    ],
    [
      'failures of what is judged by evidence',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, failures: 2 of 3 } }',
      '3:34 unknown key "failures"',
    ],
    [
      'one provider of several',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: ratio, providers: [edge] } }',
      '3:40 two providers at least, or one under "provider"',
    ],
    [
      'a rate of false rollbacks that nobody wants',
      `${base}falseRollbackRate: 50%\n`,
      '4:20 a rate of false rollbacks is between 0.0001% and 20%: 1% is usual',
    ],
    ['an early leave in words', `${base}advanceEarly: soon\n`, '4:15 written with its key: { after: … }'],
    [
      'scores the wrong way round',
      `${base}score: { pass: 50, marginal: 60 }\n`,
      '4:30 a marginal score (60) is at most the one that passes (50)',
    ],
    [
      'a check without a kind',
      'service: checkout\nsteps: [5%]\nchecks: { a: { query: up } }',
      '3:14 a check says its kind: ratio, rate, latency, gauge, slo, threshold or mann-whitney',
    ],
    [
      'a check that asks nothing',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: ratio } }',
      '3:14 the check "a" says nothing to ask (bad and total), and edge offers no "a"; known: errors, latency',
    ],
    [
      'a check without a provider',
      'service: search\nsteps: [5%]\nchecks: { a: { kind: threshold, query: up, min: 1 } }',
      '3:14 the check "a" names no provider, and the service has none',
    ],
    [
      'an unknown provider',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: threshold, provider: promm, query: up, min: 1 } }',
      '3:43 no provider named "promm", did you mean "prom"?',
    ],
    [
      'a question that the edge cannot answer',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: threshold, query: up, min: 1 } }',
      '3:14 the edge does not know "up"; it offers errors and latency',
    ],
    [
      'a check at a step that the plan lacks',
      'service: checkout\nsteps: [{ weight: 5%, checks: [error] }]\nchecks: [errors]',
      '2:32 no check in this plan named "error", did you mean "errors"?',
    ],
    [
      'failures that cannot happen',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: threshold, query: q, max: 1, provider: prom, failures: 5 of 3 } }',
      '3:77 "5 of 3" can never happen: the first number is at least 1 and at most the second',
    ],
    [
      'failures in words',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: threshold, query: q, max: 1, provider: prom, failures: often } }',
      '3:77 such as "3 of 5"',
    ],
    [
      'a tolerance below nothing',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, tolerance: -5% } }',
      '3:45 a share with its percent sign, such as 10% or 0.5%',
    ],
    [
      'a limit that is never broken',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, max: 100% } }',
      '3:39 a limit of 100% is never broken: say a smaller one',
    ],
    [
      'a hard limit that is never broken',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, hardMax: 100% } }',
      '3:43 a limit of 100% is never broken: say a smaller one',
    ],
    [
      'a floor above everything',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, floor: 200% } }',
      '3:41 a floor of 100% accepts everything: 0.01% is usual',
    ],
    [
      'a tolerance of a hundred times',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, tolerance: 9900% } }',
      '3:45 9900% is more than is taken anywhere: 999% at most',
    ],
    [
      'a latency limit of nothing',
      'service: checkout\nsteps: [5%]\nchecks: { latency: { kind: latency, max: 0ms } }',
      '3:42 a limit of no time at all is always broken: say a larger one',
    ],
    [
      'one provider twice',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, providers: [edge, edge] } }',
      '3:45 providers names edge twice: name each once',
    ],
    [
      'two questions of one rank test',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: mann-whitney, provider: prom, query: q, bad: b, total: t } }',
      '3:14 a rank test asks "query", or "bad" and "total", not both',
    ],
    [
      'a hard limit below the soft one',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, max: 10%, hardMax: 5% } }',
      '3:53 hardMax is the limit that acts at once, so it is above max',
    ],
    [
      'a quantile of more than all',
      'service: checkout\nsteps: [5%]\nchecks: { latency: { kind: latency, quantile: 99 } }',
      '3:47 a quantile is between 0 and 1, such as 0.95, not 99',
    ],
    [
      'a threshold without a limit',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: threshold, provider: prom, query: up } }',
      '3:14 a threshold needs a limit: min, max, hardMin or hardMax',
    ],
    [
      'a threshold upside down',
      'service: checkout\nsteps: [5%]\nchecks: { a: { kind: threshold, provider: prom, query: up, min: 3, max: 1 } }',
      '3:65 min (3) is below max (1)',
    ],
    [
      'the wrong kind of an offer',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: latency } }',
      '3:27 edge offers errors as ratio, not latency',
    ],
    [
      'an unknown notifier',
      `${base}notify: [payments-oncal]\n`,
      '4:10 no notifier named "payments-oncal", did you mean "payments-oncall"?',
    ],
    [
      'several things at once',
      'service: chekout\nsteps: [10%, 5%]\nbake: { for: 1m, holdBack: 95% }',
      '1:10 no service named "chekout", did you mean "checkout"?',
      '2:14 weights rise from step to step: 5 % comes after 10 %',
      '3:28 a hold-back of 95 % bakes at 5 %, below the last step of 10 %: hold back 90 % at most',
    ],
    [
      'a hold that is no duration: what the default would be wrong with is not said',
      'service: checkout\nsteps: [5%]\nhold: 5\ninterval: 10m\nchecks: [errors]',
      '3:7 a duration in quotes or with its unit, such as 30s, 5m or 1h30m',
    ],
    [
      'a step that names a check whose own trouble is told: the step is right',
      'service: checkout\nsteps: [{ weight: 5%, checks: [errors, slow] }]\nchecks: { errors: { kind: raito }, slow: { kind: slo, max: 5 } }',
      '3:27 a check says its kind: ratio, rate, latency, gauge, slo, threshold or mann-whitney',
      '3:60 a share with its percent sign, such as 10% or 0.5%',
    ],
    [
      'a limit that cannot be meant, of a check whose provider is unknown',
      'service: checkout\nsteps: [5%]\nchecks: { errors: { kind: ratio, provider: promm, max: 100% } }',
      '3:44 no provider named "promm", did you mean "prom"?',
      '3:56 a limit of 100% is never broken: say a smaller one',
    ],
  ];
  test.each(rows)('%s', (_what, text, ...messages) => {
    expect(said(parsePlan(text, world))).toEqual(messages);
  });

  test('all of it in one run: flaws of shape and of meaning on every level, each with its pointer and its line', () => {
    const plan = `service: checkout
intervall: 5s
steps:
  - 5%
  - 1%
  - { weight: 50, hold: 5m }
  - { weight: 60%, checks: [errors, latencies, speed] }
bake: { for: 10m, holdBack: 60% }
checks:
  errors: { kind: raito, provider: promm, max: 100%, floor: 5 }
  latency: { kind: latency, quantile: 95 }
  speed: { kind: something, provider: prmo, dryRun: maybe }
notify: [nobody-there]
`;
    const parsed = parsePlan(plan, world);
    expect(
      parsed.ok ? [] : parsed.error.map(({ path, line, message }) => `${line} ${path} ${message.split(/[,;:]/)[0]}`),
    ).toEqual([
      '2 /intervall unknown key "intervall"',
      '5 /steps/1 weights rise from step to step',
      '6 /steps/2/weight a weight with its percent sign',
      '7 /steps/3/checks/1 no check in this plan named "latencies"',
      '8 /bake/holdBack a hold-back of 60 % bakes at 40 %',
      '10 /checks/errors/kind a check says its kind',
      '10 /checks/errors/provider no provider named "promm"',
      '10 /checks/errors/max a limit of 100% is never broken',
      '10 /checks/errors/floor a share with its percent sign',
      '11 /checks/latency/quantile a quantile is between 0 and 1',
      '12 /checks/speed/kind a check says its kind',
      '12 /checks/speed/provider no provider named "prmo"',
      '12 /checks/speed/dryRun true or false',
      '13 /notify/0 no notifier named "nobody-there"',
    ]);
  });

  /** Every plan of these is wrong in one way only, so whatever else was said would be made up. */
  test.each([
    ['steps: [5%, 50%]', 'steps: 5%'],
    ['steps: [5%, 50%]', 'steps: [5%, 50]'],
    ['steps: [5%, 50%]', 'steps: [{ weight: 5%, hold: 7 }, 50%]'],
    ['hold: 5m', 'hold: fast'],
    ['interval: 10s', 'interval: 10'],
    ['minMeasurements: 3', 'minMeasurements: three'],
    ['strategy: canary', 'strategy: canery'],
    ['bake: { for: 10m }', 'bake: { for: 10 }'],
    ['bake: { for: 10m }', 'bake: 10m'],
    ['deadline: { after: 2h }', 'deadline: { after: 2 }'],
    ['score: { pass: 95, marginal: 90 }', 'score: { pass: high, marginal: 97 }'],
    ['{ kind: ratio, max: 2% }', '{ kind: ratio, max: 2 }'],
    ['{ kind: ratio, max: 2% }', '{ kind: raito, max: 2% }'],
    ['{ kind: ratio, max: 2% }', '{ max: 2% }'],
    ['{ kind: ratio, max: 2% }', '5'],
    ['checks: [errors]', 'checks: errors'],
    ['notify: [payments-oncall]', 'notify: [5]'],
    ['service: checkout', 'service: 5'],
    ['service: checkout', 'service: chekout'],
  ])('%s, written as %s, is one mistake', (right, wrong) => {
    const plan = [
      ...['service: checkout', 'strategy: canary', 'steps: [5%, 50%]', 'hold: 5m', 'interval: 10s', 'minMeasurements: 3'],
      ...['bake: { for: 10m }', 'deadline: { after: 2h }', 'score: { pass: 95, marginal: 90 }', 'notify: [payments-oncall]'],
      right.startsWith('checks') ? right : 'checks: { errors: { kind: ratio, max: 2% } }',
    ].join('\n');
    expect(said(parsePlan(plan, world))).toEqual([]);
    expect(plan).toContain(right);
    expect(
      said(
        parsePlan(
          plan.replace(right, () => wrong),
          world,
        ),
      ),
    ).toHaveLength(1);
  });

  test('a plan of more than 256 kB', () => {
    expect(said(parsePlan(`name: ${'x'.repeat(300_000)}`, world))).toEqual(['1:1 the document is larger than 256 kB']);
  });
});

describe('configurations', () => {
  const edge =
    'routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: http://a }, green: { url: http://b } } } } } }\n';
  const rows: readonly (readonly [what: string, text: string, ...messages: string[]])[] = [
    ['an unknown section', 'sever: {}', '1:1 unknown key "sever", did you mean "server"?'],
    ['an address without a port', 'server: { listen: localhost }', '1:19 host:port, such as 127.0.0.1:8080'],
    [
      'a router of an unknown type',
      'routers: { a: { type: haproxi } }',
      '1:15 nodes is missing',
      '1:23 no router type named "haproxi", did you mean "haproxy"?',
    ],
    ['a router without a type', 'routers: { a: { listen: 127.0.0.1:0 } }', '1:15 type is missing'],
    [
      'a route with three slots',
      'routers: { a: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { a: { url: http://a }, b: { url: http://b }, c: { url: http://c } } } } } }',
      '1:74 exactly two slots, such as blue and green',
    ],
    [
      'a slot that is no address',
      'routers: { a: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { a: { url: here }, b: { url: http://b } } } } } }',
      '1:86 an http:// address, such as http://127.0.0.1:3001',
    ],
    [
      'a target on an unknown router',
      `${edge}services: { shop: { targets: [{ router: frnt, route: app }] } }`,
      '2:41 no router named "frnt", did you mean "front"?',
    ],
    [
      'a target on an unknown route',
      `${edge}services: { shop: { targets: [{ router: front, route: ap }] } }`,
      '2:55 no route in front named "ap", did you mean "app"?',
    ],
    [
      'a target with unknown slots',
      `${edge}services: { shop: { targets: [{ router: front, route: app, slots: [blu, green] }] } }`,
      '2:68 no slot in front/app named "blu", did you mean "blue"?',
    ],
    [
      'a target with one slot twice',
      `${edge}services: { shop: { targets: [{ router: front, route: app, slots: [blue, blue] }] } }`,
      '2:67 the two slots are two different ones, not blue twice',
    ],
    [
      'one route for two services',
      `${edge}services: { shop: { targets: [{ router: front, route: app }] }, till: { targets: [{ router: front, route: app }] } }`,
      '2:107 the route app of front is managed by /services/shop/targets/0 already',
    ],
    [
      'a service with an unknown provider',
      'services: { shop: { provider: prom } }',
      '1:31 no provider named "prom"; there is none',
    ],
    [
      'a secret that is not there',
      'notify: { hook: { type: webhook, url: env:NOT_SET } }',
      '1:39 the environment has no NOT_SET',
    ],
    [
      'a file that is not there',
      'notify: { hook: { type: webhook, url: file:/not/there } }',
      '1:39 the file /not/there cannot be read',
    ],
    [
      'a promotion nobody knows',
      'services: { shop: { promotion: later } }',
      '1:32 swap, replace, or { replace: { within: 30m, otherwise: hold } }',
    ],
    [
      'a section without a value, beside what names something in it',
      `routers:\nservices: { shop: { targets: [{ router: front, route: app }] } }`,
      '1:9 routers has no value',
    ],
    [
      'a provider that reads what no router counts, or one of another kind',
      `${edge}providers: { a: { type: edge, router: frnt }, b: { type: haproxy, router: front } }`,
      '2:39 no router named "frnt", did you mean "front"?',
      '2:75 it reads what a router of type haproxy counts, and front is of type edge',
    ],
    [
      'options in words of the wrong kind',
      'providers: { p: { type: prometheus, timeoutMs: "5", headers: [], checks: { e: { kind: ratio, bad: "", total: t } } } }',
      '1:17 url is missing',
      '1:48 a number, not text',
      '1:62 keys with values, not a list',
      '1:99 not an empty text',
    ],
    [
      'a document of both kinds of mistakes, of which none hides another',
      `${edge}sever: { listen: here }
providers: { edge: { type: edgy, router: fornt }, prom: { type: prometheus, ulr: http://p, timeoutMs: 5 } }
notify: { hook: { type: webhook, url: env:NOT_SET, secret: short } }
services:
  shop:
    provider: edgee
    targets: [{ router: front, route: ap, slots: [blu, green] }, { router: front, rute: app }]
    notify: [hok]
    promotion: later
  my shop: { provider: prom, flags: [{ source: ld, flag: x }] }
settings: { lease: 30, concurency: 4 }
`,
      '2:1 unknown key "sever", did you mean "server"?',
      '2:18 host:port, such as 127.0.0.1:8080',
      '3:28 no provider type named "edgy", did you mean "edge"?',
      '3:42 no router named "fornt", did you mean "front"?',
      '3:77 unknown key "ulr", did you mean "url"?',
      '3:103 100 at least',
      '4:39 the environment has no NOT_SET',
      '4:60 a secret is whsec_ and base64: openssl rand -base64 32 makes one',
      '7:15 no provider named "edgee", did you mean "edge"?',
      '8:39 no route in front named "ap", did you mean "app"?',
      '8:51 no slot in front/app named "blu", did you mean "blue"?',
      '8:83 unknown key "rute", did you mean "route"?',
      '9:14 no notifier named "hok", did you mean "hook"?',
      '10:16 swap, replace, or { replace: { within: 30m, otherwise: hold } }',
      '11:3 the name "my shop": a name of letters, digits, dots, dashes and underscores',
      '11:48 no webhook named "ld"; there is none',
      '12:20 a duration in quotes or with its unit, such as 30s, 5m or 1h30m',
      '12:24 unknown key "concurency", did you mean "concurrency"?',
    ],
    ['no workers', 'settings: { concurrency: 0 }', '1:26 at least 1'],
  ];
  test.each(rows)('%s', (_what, text, ...messages) => {
    expect(said(parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: false }))).toEqual(messages);
  });
});

describe('requests', () => {
  let app: App;
  beforeAll(async () => {
    const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ":memory:" }
routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: http://127.0.0.1:9 }, green: { url: http://127.0.0.1:9 } } } } } }
providers: { edge: { type: edge } }
services: { shop: { provider: edge, targets: [{ router: front, route: app }] }, empty: {} }
`;
    const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
    if (!config.ok) throw new Error(JSON.stringify(config.error));
    const quiet = () => {};
    app = await createApp(config.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
  });
  afterAll(() => app.close(1_000));

  const json = { 'content-type': 'application/json', 'if-match': '*' };
  const plan = { service: 'shop', steps: ['5%'], checks: ['errors'] };
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: json,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const rows: readonly (readonly [
    what: string,
    path: string,
    init: RequestInit,
    status: number,
    detail: string,
    ...errors: string[],
  ])[] = [
    ['a path that is not there', '/v1/nothing', {}, 404, 'no /v1/nothing; the API is described at /openapi.json'],
    [
      'a method that is not there',
      '/v1/releases',
      { method: 'PUT', headers: json, body: '{}' },
      405,
      '/v1/releases takes GET or POST',
    ],
    ['a body that is no JSON', '/v1/releases', post('{"plan":'), 400, 'Malformed JSON in request body'],
    [
      'a body of another type',
      '/v1/releases',
      { method: 'POST', headers: { 'content-type': 'text/yaml' }, body: 'plan: a' },
      415,
      'the body is JSON (application/json), not text/yaml',
    ],
    [
      'a body that is too large',
      '/v1/releases',
      post({ plan: 'x'.repeat(600_000), version: '2' }),
      413,
      'a request body has 512 kB at most',
    ],
    [
      'a release of nothing',
      '/v1/releases',
      post({}),
      422,
      'the body has 2 problems',
      '/plan the name of a plan, or a plan',
      '/version version is missing',
    ],
    [
      'a release with an unknown key',
      '/v1/releases',
      post({ plan, version: '2', force: true }),
      422,
      'the body has a problem',
      '/force unknown key "force"',
    ],
    [
      'an empty version',
      '/v1/releases',
      post({ plan, version: '' }),
      422,
      'the body has a problem',
      '/version a version is not empty',
    ],
    [
      'a plan that is not applied',
      '/v1/releases',
      post({ plan: 'nope', version: '2' }),
      404,
      'no plan named "nope": apply it first',
    ],
    [
      'a plan with a problem',
      '/v1/releases',
      post({ plan: { ...plan, steps: ['5%', '2%'] }, version: '2' }),
      422,
      'the plan has problems',
      '/plan/steps/1 weights rise from step to step: 2 % comes after 5 %',
    ],
    [
      'a release of a plan with problems, in a body with problems',
      '/v1/releases',
      post({ plan: { ...plan, service: 'shpo', steps: ['5%', '2%'], hodl: '5m' }, verson: '2', onBusy: 'wait', reson: 'why' }),
      422,
      'the body has 6 problems',
      '/onBusy reject, queue or supersede',
      '/verson unknown key "verson", did you mean "version"?',
      '/reson unknown key "reson", did you mean "reason"?',
      '/plan/hodl unknown key "hodl", did you mean "hold"?',
      '/plan/service no service named "shpo", did you mean "shop"?',
      '/plan/steps/1 weights rise from step to step: 2 % comes after 5 %',
    ],
    [
      'the same with the plan as text',
      '/v1/releases',
      post({ plan: 'service: shpo\nsteps: [5%]\nhodl: 5m\n', force: true }),
      422,
      'the body has 4 problems',
      '/version version is missing',
      '/force unknown key "force"',
      '/plan/service no service named "shpo", did you mean "shop"?',
      '/plan/hodl unknown key "hodl", did you mean "hold"?',
    ],
    [
      'a preview of a plan with problems, with traffic that cannot be',
      '/v1/plans:preview',
      post({ document: { ...plan, steps: ['5%', '2%'] }, traffic: { requestsPerSecond: 0, erors: '1%' } }),
      422,
      'the body has 3 problems',
      '/traffic/requestsPerSecond some requests',
      '/traffic/erors unknown key "erors", did you mean "errors"?',
      '/document/steps/1 weights rise from step to step: 2 % comes after 5 %',
    ],
    [
      'a backtest of a plan with problems, over a span that ends before it begins',
      '/v1/plans:backtest',
      post({ document: { ...plan, steps: ['2'] }, version: '2', from: '2026-11-20T10:00Z', to: '2026-11-20T09:00Z' }),
      422,
      'the body has 2 problems',
      '/to the span ends after it begins',
      '/document/steps/0 a weight with its percent sign, such as 0.5% or 25%',
    ],
    [
      'a plan to keep, with problems, in a body with problems',
      '/v1/plans',
      post({ document: { ...plan, notify: ['x'] }, name: 'shop' }),
      422,
      'the body has 2 problems',
      '/name unknown key "name"',
      '/document/notify/0 no notifier named "x"; there is none',
    ],
    [
      'a service without a stable version',
      '/v1/releases',
      post({ plan, version: '2' }),
      422,
      'shop has no stable version to compare with: say which one serves now (headgate service stable shop VERSION, or PUT /v1/services/shop/stable), or that this is its first release (--first, or "first": true)',
      '/version shop has no stable version to compare with: say which one serves now (headgate service stable shop VERSION, or PUT /v1/services/shop/stable), or that this is its first release (--first, or "first": true)',
    ],
    [
      'a service without a target',
      '/v1/releases',
      post({ plan: { service: 'empty', steps: ['5%'] }, version: '2' }),
      422,
      'empty has no target: add one to the service in headgate.yaml',
    ],
    [
      'what to do when busy, in other words',
      '/v1/releases',
      post({ plan, version: '2', onBusy: 'wait' }),
      422,
      'the body has a problem',
      '/onBusy reject, queue or supersede',
    ],
    ['a release that is not there', '/v1/releases/nope', {}, 404, 'no release nope'],
    ['an id that cannot be one', '/v1/releases/no%20pe', {}, 422, 'the param has a problem', '/id a release id'],
    ['a command for a release that is not there', '/v1/releases/nope/commands/pause', post({}), 404, 'no release nope'],
    [
      'a command nobody knows',
      '/v1/releases/nope/commands/explode',
      post({}),
      422,
      'the param has a problem',
      '/verb a command is one of pause, resume, promote, approve, reject, rollback, abort',
    ],
    [
      'a precondition that is none',
      '/v1/releases/nope/commands/promote',
      { ...post({}), headers: { ...json, 'if-match': 'yes' } },
      400,
      'If-Match is one version in quotes, such as "12", or *',
    ],
    [
      'a page that is too long',
      '/v1/releases?limit=1000',
      {},
      422,
      'the query has a problem',
      '/limit a page has 200 rows at most',
    ],
    ['a page of nothing', '/v1/releases?limit=0', {}, 422, 'the query has a problem', '/limit a whole number of rows, 1 to 200'],
    [
      'a phase nobody knows',
      '/v1/releases?phase=flying',
      {},
      422,
      'a phase is one of queued, starting, shifting, watching, paused, awaitingApproval, baking, promoting, rollingBack, settling, promoted, rolledBack, superseded',
    ],
    ['a filter nobody knows', '/v1/releases?sort=name', {}, 422, 'the query has a problem', '/sort unknown key "sort"'],
    [
      'a wait for something else',
      '/v1/releases/nope/wait?until=friday',
      {},
      422,
      'until is terminal, promoted, paused or step:N, not "friday"',
    ],
    ['a wait for too long', '/v1/releases/nope/wait?timeout=2h', {}, 422, 'timeout is a duration of 60s at most'],
    [
      'a stable slot that is not there',
      '/v1/services/shop/stable',
      { method: 'PUT', headers: json, body: JSON.stringify({ version: '1', slot: 'red' }) },
      422,
      'shop has no slot red; it has blue and green',
    ],
    [
      'a stable slot without the traffic',
      '/v1/services/shop/stable',
      { method: 'PUT', headers: json, body: JSON.stringify({ version: '1', slot: 'green' }) },
      409,
      'the traffic of shop is not on green: saying so would not move it',
    ],
    ['a service that is not there', '/v1/services/nope', {}, 404, 'no service named nope'],
    ['a plan that is not there', '/v1/plans/nope', {}, 404, 'no plan named nope'],
    [
      'more errors than requests',
      '/v1/plans:preview',
      post({ document: plan, traffic: { requestsPerSecond: 1, errors: '200%' } }),
      422,
      'the body has a problem',
      '/traffic/errors 100% at most',
    ],
    ['an empty plan', '/v1/plans', post({ document: '' }), 422, 'the plan has problems', '/document the document is empty'],
    [
      'a plan that is no document',
      '/v1/plans',
      post({ document: 5 }),
      422,
      'the body has a problem',
      '/document the plan as text or as an object',
    ],
  ];
  test.each(rows)('%s', async (...row) => {
    // The table is a tuple per row; the runner's own types flatten it.
    const [, path, init, status, detail, ...errors] = row as unknown as (typeof rows)[number];
    const answer = await app.fetch(new Request(`http://headgate${path}`, init));
    const body = (await answer.json()) as { status: number; detail: string; errors?: { pointer: string; detail: string }[] };
    expect(body.detail).toBe(detail);
    expect((body.errors ?? []).map((error) => `${error.pointer} ${error.detail}`)).toEqual(errors);
    expect(answer.status).toBe(status);
    expect(body.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
});

test('an old Node is told what to do', () => {
  expect(unfitNode('v20.19.0')).toBe(
    'Headgate runs on Node 24, and this is v20.19.0. Start it with "npm start" (which brings the right Node along) or install Node 24.',
  );
  expect(unfitNode('v24.0.0')).toBeNull();
});
