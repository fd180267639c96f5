/**
 * Everything that is wrong with a document is told in one run, in the order in which one reads, and nothing else: whatever
 * mistakes are planted into a good one together, each says what it says alone.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { edgeProvider } from '../../src/adapters/metrics/edge.ts';
import { parseConfig } from '../../src/config.ts';
import { parsePlan } from '../../src/contract/plan.ts';
import type { PlanWorld } from '../../src/contract/plan-world.ts';
import type { Problem } from '../../src/contract/problem.ts';
import type { Result } from '../../src/lib/result.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const secrets = { env: (name: string) => (name === 'HERE' ? SECRET : undefined), file: () => undefined };
const config = (text: string) => parseConfig({ text, secrets, dev: false });

const world: PlanWorld = {
  services: new Map([['shop', { provider: 'edge', promotion: 'swap', minNonZeroBp: 1 }]]),
  providers: new Map([['edge', edgeProvider('edge', [])]]),
  notifiers: new Set(['oncall']),
};

type Plant = readonly [right: string, wrong: string, says: string];

const GOOD_CONFIG = `server:
  listen: 127.0.0.1:8080
  url: https://headgate.example
store: { sqlite: ./headgate.db, reserveMb: 64 }
access:
  oidc:
    - issuer: https://gitlab.example
      audience: https://headgate.example
      rules:
        - role: operator
          projectId: 7
          ref: refs/heads/main
          services: [shop]
routers:
  front:
    type: edge
    listen: 127.0.0.1:8000
    upstreamTimeoutMs: 1000
    routes:
      app:
        overrideHeader: x-slot
        slots:
          blue: { url: http://127.0.0.1:3001, health: /healthz }
          green: { url: http://127.0.0.1:3002 }
      till: { slots: { blue: { url: http://127.0.0.1:3003 }, green: { url: http://127.0.0.1:3004 } } }
  flag:
    type: unleash
    url: http://127.0.0.1:4242
    token: env:HERE
    environment: production
providers:
  edge:
    type: edge
    router: front
  prom:
    type: prometheus
    url: http://127.0.0.1:9090
    timeoutMs: 500
    checks:
      errors: { kind: ratio, bad: b, total: t }
notify:
  hook:
    type: webhook
    url: https://hook.example
    secret: env:HERE
  oncall:
    type: slack
    url: https://slack.example
webhooks:
  ld:
    type: launchdarkly
    secret: env:HERE
services:
  shop:
    team: storefront
    provider: edge
    promotion: swap
    notify: [oncall]
    targets:
      - router: front
        route: app
        slots: [blue, green]
      - router: flag
        route: shop
    flags:
      - source: ld
        flag: shop-v2
    hooks:
      afterPromote: https://hook.example
      secret: env:HERE
  till:
    provider: prom
    targets:
      - router: front
        route: till
settings:
  lease: 30s
  concurrency: 4
`;

/** Each as it stands in one line; what it says does not depend on the others. */
const IN_CONFIG: readonly Plant[] = [
  ['127.0.0.1:8080', 'localhost', 'host:port, such as 127.0.0.1:8080'],
  ['  url: https://headgate', '  ulr: https://headgate', 'unknown key "ulr", did you mean "url"?'],
  ['reserveMb: 64', 'reserveMb: lots', 'a number, not text'],
  ['role: operator', 'role: deployer', 'a role is one of viewer, responder, operator, approver, admin'],
  ['issuer: https://', 'issuer: http://', 'https, unless it is on this machine'],
  ['          ref:', '          rev:', 'unknown key "rev", did you mean "ref"?'],
  ['projectId: 7', 'projectId: mine', 'the number of it, not its name'],
  ['services: [shop]', 'services: [shpo]', 'no service named "shpo", did you mean "shop"?'],
  ['routers:', 'roters:', 'unknown key "roters", did you mean "routers"?'],
  ['    type: edge\n    listen', '    type: egde\n    listen', 'no router type named "egde", did you mean "edge"?'],
  ['127.0.0.1:8000', 'here', 'host:port, such as 127.0.0.1:8000'],
  ['upstreamTimeoutMs: 1000', 'upstreamTimeoutMs: 5', '100 at least'],
  ['overrideHeader: x-slot', 'overrideHeadr: x-slot', 'unknown key "overrideHeadr", did you mean "overrideHeader"?'],
  ['health: /healthz', 'helth: /healthz', 'unknown key "helth", did you mean "health"?'],
  ['http://127.0.0.1:3002', 'there', 'an http:// address, such as http://127.0.0.1:3001'],
  ['    token: env:HERE', '    token: env:GONE', 'the environment has no GONE'],
  ['    environment: production', '    environmnt: production', 'unknown key "environmnt", did you mean "environment"?'],
  ['    router: front', '    router: frnt', 'no router named "frnt", did you mean "front"?'],
  ['    url: http://127.0.0.1:9090', '    url: 9090', 'an address such as http://127.0.0.1:9090'],
  ['timeoutMs: 500', 'timeoutMs: soon', 'a number, not text'],
  ['kind: ratio, bad: b,', 'kind: ratio,', 'bad is missing'],
  ['notify:\n', 'notfiy:\n', 'unknown key "notfiy", did you mean "notify"?'],
  ['    type: webhook', '    type: webhok', 'no notifier type named "webhok", did you mean "webhook"?'],
  ['    url: https://hook.example', '    url: file:/gone', 'the file /gone cannot be read'],
  ['    type: slack', '    type: 7', 'a type as text, such as edge'],
  ['    secret: env:HERE\nservices', '    sekret: env:HERE\nservices', 'unknown key "sekret", did you mean "secret"?'],
  ['team: storefront', 'team: 7', 'text, not a number'],
  ['    provider: edge', '    provider: edg', 'no provider named "edg", did you mean "edge"?'],
  ['promotion: swap', 'promotion: later', 'swap, replace, or { replace: { within: 30m, otherwise: hold } }'],
  ['    notify: [oncall]', '    notify: [oncal]', 'no notifier named "oncal", did you mean "oncall"?'],
  ['        route: app', '        route: ap', 'no route in front named "ap", did you mean "app"?'],
  ['slots: [blue, green]', 'slots: [blue, gren]', 'no slot in front/app named "gren", did you mean "green"?'],
  ['      - router: flag', '      - rooter: flag', 'unknown key "rooter", did you mean "router"?'],
  ['source: ld', 'source: lld', 'no webhook named "lld", did you mean "ld"?'],
  ['      afterPromote', '      afterPromot', 'unknown key "afterPromot", did you mean "afterPromote"?'],
  ['      secret: env:HERE', '      secret: hush', 'a secret is whsec_ and base64: openssl rand -base64 32 makes one'],
  ['  till:\n', '  "till 2":\n', 'the name "till 2": a name of letters, digits, dots, dashes and underscores'],
  ['        route: till', '        rout: till', 'unknown key "rout", did you mean "route"?'],
  ['lease: 30s', 'lease: 30', 'a duration in quotes or with its unit, such as 30s, 5m or 1h30m'],
  ['concurrency: 4', 'concurrency: 0', 'at least 1'],
];

const GOOD_PLAN = `service: shop
strategy: canary
interval: 10s
minMeasurements: 3
steps:
  - weight: 5%
    hold: 5m
  - weight: 20%
    checks: [errors]
  - pause:
      for: 10m
  - weight: 60%
hold: 5m
bake:
  for: 10m
  holdBack: 10%
deadline:
  after: 2h
score:
  pass: 95
  marginal: 90
checks:
  errors:
    kind: ratio
    max: 2%
    tolerance: 10%
  latency:
    kind: latency
    quantile: 0.9
notify: [oncall]
`;

const IN_PLAN: readonly Plant[] = [
  ['service: shop', 'service: shpo', 'no service named "shpo", did you mean "shop"?'],
  ['strategy: canary', 'strategy: canery', 'canary or blue-green'],
  ['minMeasurements: 3', 'minMeasurements: three', 'a number, not text'],
  ['steps:', 'stepz:', 'unknown key "stepz", did you mean "steps"?'],
  ['    hold: 5m', '    hodl: 5m', 'unknown key "hodl", did you mean "hold"?'],
  ['checks: [errors]', 'checks: [erors]', 'no check in this plan named "erors", did you mean "errors"?'],
  ['  - pause:', '  - puase:', 'unknown key "puase", did you mean "pause"?'],
  ['60%', '15%', 'weights rise from step to step: 15 % comes after 20 %'],
  ['  holdBack: 10%', '  holdBack: a tenth', 'a weight with its percent sign, such as 0.5% or 25%'],
  ['  after: 2h', '  after: 70d', 'a deadline is at most 60d'],
  ['marginal: 90', 'marginal: 97', 'a marginal score (97) is at most the one that passes (95)'],
  ['checks:\n', 'cheks:\n', 'unknown key "cheks", did you mean "checks"?'],
  ['    max: 2%', '    max: 2', 'a share with its percent sign, such as 10% or 0.5%'],
  ['    tolerance', '    tolerence', 'unknown key "tolerence", did you mean "tolerance"?'],
  ['    quantile: 0.9', '    quantile: 90', 'a quantile is between 0 and 1, such as 0.95, not 90'],
  ['notify: [oncall]', 'notify: [oncal]', 'no notifier named "oncal", did you mean "oncall"?'],
];

const told = (result: Result<unknown, readonly Problem[]>): readonly Problem[] => (result.ok ? [] : result.error);
const lines = (problems: readonly Problem[]): string[] => problems.map(({ line, message }) => `${line} ${message}`);

function planted(text: string, plants: readonly Plant[]): { readonly text: string; readonly says: string[] } {
  const says = plants.map(([right, , message]) => {
    const parts = text.split(right);
    expect(parts, right).toHaveLength(2);
    const lead = /^\n*/.exec(right)?.[0].length ?? 0;
    return `${(parts[0] ?? '').split('\n').length + lead} ${message}`;
  });
  return { text: plants.reduce((all, [right, wrong]) => all.replace(right, () => wrong), text), says };
}

describe.each([
  ['headgate.yaml', GOOD_CONFIG, IN_CONFIG, config],
  ['a plan', GOOD_PLAN, IN_PLAN, (text: string) => parsePlan(text, world)],
] as const)('of %s', (_what, good, plants, read) => {
  test('nothing is said when it is good', () => {
    expect(told(read(good))).toEqual([]);
  });

  test.each(plants)('%j written as %j is one mistake', (...plant) => {
    const { text, says } = planted(good, [plant]);
    expect(lines(told(read(text)))).toEqual(says);
  });

  test('any mistakes together are all told, and nothing else', () => {
    fc.assert(
      fc.property(fc.subarray([...plants]), (some) => {
        const { text, says } = planted(good, some);
        const problems = told(read(text));
        expect(lines(problems).toSorted()).toEqual(says.toSorted());
        const places = problems.map(({ line, column }) => 1_000 * (line ?? 0) + (column ?? 0));
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      }),
      { numRuns: 100, examples: [[[...plants]]] },
    );
  });
});
