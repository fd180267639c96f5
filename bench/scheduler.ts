/**
 * A thousand active releases in one process: how late is each picked up, and what does it cost? Each has three checks and
 * is looked at every ten seconds. Router and provider answer at once, so that what is measured is Headgate's own work, on
 * a real SQLite file with full durability.
 *
 * `npm run bench:scheduler -- [--releases 1000] [--seconds 60]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/adapters/system/clock.ts';
import { systemRandom } from '../src/adapters/system/random.ts';
import { memoryRouter } from '../src/adapters/traffic/memory.ts';
import { calls } from '../src/controller/calls.ts';
import { DEFAULT_SETTINGS } from '../src/controller/context.ts';
import type { Context } from '../src/controller/context.ts';
import { create } from '../src/domain/create.ts';
import { ReleaseId, TargetId, Weight, Instant } from '../src/domain/ids.ts';
import type { Check, Plan } from '../src/domain/plan.ts';
import type { Slots } from '../src/domain/target.ts';
import { keyedMutex } from '../src/lib/keyed-mutex.ts';
import { err, ok } from '../src/lib/result.ts';
import type { MetricProvider } from '../src/ports/metric-provider.ts';
import { noScope } from '../src/ports/log.ts';
import { noTracer } from '../src/ports/tracer.ts';
import type { Recorder } from '../src/ports/recorder.ts';
import { scheduler } from '../src/scheduler/scheduler.ts';
import { openSqlite } from '../src/store/sqlite/store.ts';

const { values } = parseArgs({
  options: { releases: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '60' } },
});
const count = Number(values.releases);
const seconds = Number(values.seconds);

const lags: number[] = [];
let ticks = 0;
const nothing = (): void => {};
const recorder: Recorder = {
  tick: () => ticks++,
  lag: (queue, late) => queue === 'release' && lags.push(late),
  routerCall: nothing,
  providerCall: nothing,
  delivery: nothing,
  event: nothing,
  weight: nothing,
  drift: nothing,
  breaker: nothing,
  verdict: nothing,
  timeToSafe: nothing,
  ended: nothing,
  webhook: nothing,
  flagRead: nothing,
  storeFailed: nothing,
  stock: nothing,
};
const log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: (fields: unknown, message: string) => console.error(message, fields),
};
const slots: Slots = ['blue', 'green'];

const bornMs = Date.now();
const provider: MetricProvider = {
  name: 'bench',
  type: 'bench',
  offers: {},
  refuses: () => null,
  async measure({ now }) {
    const total = Math.floor((now - bornMs) / 10);
    return {
      kind: 'counters',
      at: now,
      series: [
        { key: 'canary', role: 'canary', startedAt: Instant(bornMs), total, bad: Math.floor(total / 100) },
        {
          key: 'stable',
          role: 'stable',
          startedAt: Instant(bornMs),
          total: total * 9,
          bad: Math.floor((total * 9) / 100),
        },
      ],
    };
  },
  history: async () => err('nothing is remembered'),
  close: async () => {},
};

const check = (name: string): Check => ({
  name,
  provider: 'bench',
  query: { offered: 'errors' },
  dryRun: false,
  onFail: 'rollback',
  onNoData: 'hold',
  onError: 'hold',
  onInconclusive: 'hold',
  kind: 'ratio',
  worse: 'higher',
  weight: 1,
  tolerance: 0.1,
  floor: 0.001,
  max: null,
  hardMax: null,
  minRequests: 50,
});
const names = ['errors', 'checkout', 'search'];
const plan = (service: string): Plan => ({
  name: 'bench',
  service,
  strategy: 'canary',
  steps: [{ kind: 'weight', weight: Weight(500), holdMs: 3_600_000, checks: names }],
  bake: null,
  deadlineMs: 24 * 3_600_000,
  intervalMs: 10_000,
  warmUpMs: 0,
  minMeasurements: 3,
  falseRollbackRate: 0.01,
  missRate: 0.05,
  earlyAfterMs: null,
  score: { pass: 95, marginal: 75, groups: {} },
  onBusy: 'reject',
  checks: Object.fromEntries(names.map((name) => [name, check(name)])),
  notify: [],
});

const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
const clock = systemClock();
const store = await openSqlite({ file: join(folder, 'bench.db'), now: () => clock.now() });
const services = Array.from({ length: count }, (_, index) => `service-${index}`);
const router = memoryRouter({ name: 'bench', nodes: ['n1'], routes: services });
const target = (service: string) => TargetId(`${service}/bench/${service}`);
await store.configure(
  services.map((name) => ({ name, slots })),
  services.map((service) => ({
    id: target(service),
    service,
    router: 'bench',
    route: service,
    cell: 'one',
    slots,
    management: 'enforce' as const,
  })),
);
const random = systemRandom();
for (const service of services) {
  const { next, events } = create(
    {
      id: ReleaseId(random.id()),
      plan: plan(service),
      version: 'v2',
      stableVersion: 'v1',
      first: false,
      startPaused: false,
      promotion: { kind: 'swap' },
      targets: [target(service)],
      settleMs: 30_000,
      behind: null,
      by: { kind: 'ci', name: 'bench' },
    },
    clock.now(),
  );
  const audit = { actor: 'bench', action: 'release.start', subject: next.id, reason: null, data: {} };
  await store.create({ release: next, events, audit, notify: [], dueAt: clock.now(), expectActive: null });
}

const ctx: Context = {
  store,
  clock,
  random,
  log,
  scope: noScope,
  recorder,
  tracer: noTracer,
  hooks: { has: () => false, call: async () => ok('done') },
  routers: new Map([['bench', router]]),
  providers: new Map([['bench', provider]]),
  notifiers: new Map(),
  webhooks: new Map(),
  services: new Map(),
  settings: DEFAULT_SETTINGS,
  calls: calls(clock, recorder),
  targetLocks: keyedMutex(),
  tries: new Map(),
  looks: new Map(),
  worker: 'bench',
};
const running = scheduler(ctx);
await clock.sleep(25_000); // all of them are past their first step and in their own rhythm
lags.length = 0;
ticks = 0;
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const cpuBefore = process.cpuUsage();
const startedMs = performance.now();
await clock.sleep(seconds * 1000);
const cpu = process.cpuUsage(cpuBefore);
const elapsedMs = performance.now() - startedMs;
delay.disable();
await running.stop(2_000);

const sorted = lags.toSorted((a, b) => a - b);
const at = (q: number): string =>
  `${Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 1000)} ms`;
console.log(
  `${count} active releases, 3 checks each, every 10 s, one process, SQLite with synchronous=FULL, ${Math.round(elapsedMs / 1000)} s:`,
);
console.log(
  `  ticks               ${ticks} (${(ticks / (elapsedMs / 1000)).toFixed(1)} per s, due ${(count / 10).toFixed(1)} per s)`,
);
console.log(`  tick lag            p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
console.log(`  cpu                 ${(((cpu.user + cpu.system) / 1000 / elapsedMs) * 100).toFixed(0)} % of one core`);
console.log(`  memory              ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`);
console.log(
  `  event-loop delay    p50 ${(delay.percentile(50) / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms`,
);
await store.close();
rmSync(folder, { recursive: true, force: true });
