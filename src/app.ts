/** The only place that knows every concrete part: from a configuration to a service that can be listened to and closed. */
import { serve } from '@hono/node-server';
import type { Server } from 'node:http';
import { passingTracer } from './adapters/outgoing/carrier.ts';
import { logScope } from './adapters/system/log.ts';
import { httpHooks } from './adapters/notify/hooks.ts';
import { systemClock } from './adapters/system/clock.ts';
import { promRecorder } from './adapters/system/recorder.ts';
import { systemRandom, tokenChance } from './adapters/system/random.ts';
import { sender } from './adapters/outgoing/access.ts';
import { client } from './adapters/outgoing/client.ts';
import { isEdge } from './adapters/metrics/edge.ts';
import { providerKinds } from './adapters/metrics/index.ts';
import type { Wire } from './adapters/notify/answer.ts';
import { notifierKinds } from './adapters/notify/index.ts';
import { webhook } from './adapters/notify/webhook.ts';
import type { Edge } from './adapters/traffic/edge/edge.ts';
import { routerKinds } from './adapters/traffic/index.ts';
import { isFlagServer } from './adapters/traffic/ofrep/ofrep.ts';
import type { Config } from './config.ts';
import { hookNotifier } from './config.ts';
import { leaveFirstToken } from './first-token.ts';
import { ownTargetsOf } from './own-flags.ts';
import { planWorldOf } from './plan-world.ts';
import { access } from './controller/access.ts';
import { webhookKinds } from './adapters/webhooks/index.ts';
import { calls } from './controller/calls.ts';
import { commands } from './controller/commands.ts';
import type { Commands } from './controller/commands.ts';
import type { Context } from './controller/context.ts';
import { servedFlags } from './controller/flags.ts';
import type { Flags } from './controller/flags.ts';
import { flagWork } from './controller/flag-work.ts';
import { takeStock } from './controller/stock.ts';
import { webhooksIn } from './controller/webhooks-in.ts';
import { createHttp, declaredRoutes } from './http/app.ts';
import type { DeclaredRoute } from './http/app.ts';
import { assert } from './lib/assert.ts';
import { keyedMutex } from './lib/keyed-mutex.ts';
import { err, ok } from './lib/result.ts';
import type { JobIdentity } from './ports/job-identity.ts';
import type { Log } from './ports/log.ts';
import type { Notifier } from './ports/notifier.ts';
import type { Store } from './ports/store.ts';
import type { Tracer } from './ports/tracer.ts';
import { calendar } from './scheduler/calendar.ts';
import { inboxLoops } from './scheduler/inbox.ts';
import { scheduler } from './scheduler/scheduler.ts';
import { countedStore } from './store/counted.ts';
import { openSqlite } from './store/sqlite/store.ts';
import { watchedStore } from './store/watched.ts';
import type { StoreWatcher } from './store/watched.ts';

export type App = {
  readonly context: Context;
  readonly commands: Commands;
  /** What can be asked of it, and by whom. */
  readonly routes: readonly DeclaredRoute[];
  /** Answers a request without a socket; for tests. */
  fetch(request: Request): Response | Promise<Response>;
  /** Starts listening; the answer is the address. */
  listen(): Promise<string>;
  /** Lets what runs come to a safe point, within the grace, and closes everything. */
  close(graceMs: number): Promise<void>;
};

const KEYS_MS = 3_000;
const KEYS_BYTES = 256 * 1_024;
const DISK_FULL = 'the disk is full: what runs goes on in the room that was kept for it, and nothing new starts; make room';
/** Loops that did not come round for so long are dead. */
const DEAD_AFTER_MS = 30_000;
/** A machine clock this far off is worth telling before anybody relies on a date. */
const CLOCK_STEP_MS = 60_000;

/** `traces`: where spans are sent to, if anywhere. */
export async function createApp(config: Config, log: Log, traces: string | null = null): Promise<App> {
  const clock = systemClock();
  const random = systemRandom();
  const { recorder, metricsText } = promRecorder();
  const reserve = { bytes: config.reserveBytes, onGivenUp: () => log.error({ file: config.sqliteFile }, DISK_FULL) };
  const opened = await openSqlite({ file: config.sqliteFile, now: () => clock.now(), reserve });
  const heard: Heard = { flags: null };
  const store = watchedStore(countedStore(opened, recorder.storeFailed), watcherOf(heard));
  await store.configure(servicesOf(config), config.targets);
  const tracer = await tracerOf(traces, log);
  const context = await contextOf(config, { store, clock, random, log, scope: logScope, recorder, tracer });
  const flags = await flagsOf(context);
  heard.flags = flags;
  const running = scheduler(context);
  const alarms = calendar(context, { retainMs: config.retainMs });
  const orders = commands(context, (claimed) => running.work(claimed));
  const planWorld = planWorldOf(config, context);
  const nudgeInbox = (): void => inbox.nudge();
  const flagging = flagWork(context, { ...orders, planWorld, ownTargets: ownTargetsOf(config) }, nudgeInbox);
  const inbox = inboxLoops(context, flagging);
  const closing = new AbortController();
  const following = flags.follow(closing.signal);
  const who = access({ store, log, chance: tokenChance, jobs: await jobsOf(config, context, closing.signal), dev: config.dev });
  if (!config.dev) await leaveFirstToken(who, config.sqliteFile, log);
  const health = () => healthOf(context, clock.stepMs(), Math.max(running.silentMs(), inbox.silentMs()));
  const http = createHttp({
    context,
    commands: orders,
    flags,
    planWorld,
    webhooks: webhooksIn(context, nudgeInbox),
    flagWork: flagging,
    nudgeInbox,
    async metricsText() {
      await takeStock(context, { loopSilence: running.silentMs() / 1000, clockStep: clock.stepMs() / 1000 });
      return metricsText();
    },
    health,
    access: who,
    publicUrl: config.publicUrl,
    closing: closing.signal,
  });
  let server: Server | null = null;
  return {
    context,
    commands: orders,
    routes: declaredRoutes(http),
    fetch: (request) => http.fetch(request),
    async listen() {
      server = await listening(http.fetch, config.listen);
      return addressOf(server, config.listen);
    },
    async close(graceMs) {
      closing.abort();
      await Promise.all([running.stop(graceMs / 2), inbox.stop(graceMs / 2)]);
      await Promise.all([alarms.stop(), following]);
      if (server) await closed(server, (signal) => clock.sleep(graceMs / 4, signal));
      await Promise.all([
        tracer.close(),
        ...[...context.routers.values(), ...context.providers.values(), ...context.notifiers.values()].map((part) =>
          part.close(),
        ),
      ]);
      await store.close();
    },
  };
}

/** Loaded only where identity providers are configured. */
async function jobsOf(
  { oidc: providers }: Config,
  { clock, calls, store, log }: Context,
  signal: AbortSignal,
): Promise<JobIdentity | null> {
  if (providers.length === 0) return null;
  const { oidc } = await import('./adapters/identity/oidc.ts');
  const send = sender({ timeoutMs: KEYS_MS, mostBytes: KEYS_BYTES });
  return oidc(providers, {
    clock,
    store,
    log,
    async get(url) {
      const spec = { dependency: `identity provider ${new URL(url).host}`, ms: 2 * KEYS_MS, signal, lowering: false };
      const asked = await calls.call(
        spec,
        (until) => send({ method: 'GET', url }, until),
        ({ status }) => status === 200,
      );
      if (!asked.ok) return asked;
      return asked.value.status === 200 ? ok(asked.value.body) : err(`it answered ${asked.value.status}`);
    },
  });
}

async function healthOf({ store }: Context, stepMs: number, silentMs: number) {
  const problems: string[] = [];
  await store.ping().catch((error: unknown) => problems.push(`the store does not answer: ${String(error)}`));
  if (Math.abs(stepMs) > CLOCK_STEP_MS)
    problems.push(`the machine's clock was set by ${Math.round(stepMs / 1000)} s; Headgate follows it slowly`);
  return { alive: silentMs < DEAD_AFTER_MS, problems };
}

/** Receivers compare a signature's time with their own clocks, so it is the machine's, and not the one that only runs steadily. */
const wireOf = ({ settings: { hookTimeoutMs, deliverTimeoutMs } }: Config): Wire => ({
  send: client({ timeoutMs: Math.max(hookTimeoutMs, deliverTimeoutMs) }),
  wallSeconds: () => Math.floor(Date.now() / 1_000),
});

type Given = Pick<Context, 'store' | 'clock' | 'random' | 'log' | 'scope' | 'recorder' | 'tracer'>;

/** Nobody who collects no traces pays for loading what makes them. */
async function tracerOf(url: string | null, log: Log): Promise<Tracer> {
  if (url === null) return passingTracer();
  if (!URL.canParse(url) || !/^https?:/i.test(url)) {
    log.warn({ url }, 'this is no address to send traces to (http://HOST:4318), so none are sent');
    return passingTracer();
  }
  const { otlpTracer } = await import('./adapters/system/tracer.ts');
  return otlpTracer({ url, log });
}

/** Ports to adapters: every router, provider and notifier that the configuration names. */
async function contextOf(config: Config, given: Given): Promise<Context> {
  const wire = wireOf(config);
  const routers = new Map(
    Object.entries(config.routers).map(([name, options]) => [
      name,
      made(routerKinds, options.type).create(name, options, { clock: given.clock, random: given.random, send: wire.send }),
    ]),
  );
  const edges = [...routers.values()].filter(isEdge);
  await startEdges(edges, given.store, given.log);
  return {
    ...given,
    hooks: httpHooks(new Map(Object.entries(config.hooks)), new Map(Object.entries(config.hookSecrets)), wire),
    routers,
    providers: new Map(
      Object.entries(config.providers).map(([name, options]) => [
        name,
        made(providerKinds, options.type).create(name, options, {
          routers: [...routers.values()],
          monotonicMs: given.clock.monotonicMs,
          pushed: given.store.pushed,
        }),
      ]),
    ),
    notifiers: notifiersOf(config, wire, given.log),
    webhooks: new Map(
      Object.entries(config.webhooks).map(([name, options]) => [name, made(webhookKinds, options.type).create(name, options)]),
    ),
    services: new Map(config.services.map((service) => [service.name, service])),
    settings: config.settings,
    calls: calls(given.clock, given.recorder),
    targetLocks: keyedMutex(),
    tries: new Map(),
    looks: new Map(),
    worker: given.random.id(),
  };
}

function made<T>(kinds: Readonly<Record<string, T>>, type: string): T {
  const kind = kinds[type];
  assert(kind, `the configuration was checked to name a known type, not ${type}`);
  return kind;
}

const servicesOf = ({ services, targets }: Config) =>
  services.flatMap(({ name }) => {
    const slots = targets.find((target) => target.service === name)?.slots ?? (['blue', 'green'] as const);
    return [{ name, slots }];
  });

/** An edge takes its first request with the weights that were promised last: nobody sees the boot state in between. */
async function startEdges(edges: readonly Edge[], store: Store, log: Log): Promise<void> {
  const targets = await store.targets(null);
  for (const edge of edges) {
    const mine = targets.filter((target) => target.router === edge.name);
    const url = await edge.start(
      mine.map(({ route, slots, desiredSecond, seq }) => ({ route, slots, secondShare: desiredSecond, seq })),
    );
    log.info({ router: edge.name, url }, `edge ${edge.name} takes requests at ${url}`);
  }
}

/** Who hears of commits; there is nobody until the store can be read. */
type Heard = { flags: Flags | null };

const watcherOf = (heard: Heard): StoreWatcher => ({
  committed: (commit, committed) => heard.flags?.committed(commit, committed),
  stableSet: async (service) => heard.flags?.stableSet(service),
});

/** Flags are answered with the weights that were promised last, from the first question on. */
async function flagsOf(context: Context): Promise<Flags> {
  const servers = [...context.routers.values()].filter(isFlagServer);
  const targets = servers.length > 0 ? await context.store.targets(null) : [];
  for (const { router, route, slots, desiredSecond, seq } of targets)
    servers.find(({ name }) => name === router)?.put({ route, slots, secondShare: desiredSecond, seq });
  const flags = servedFlags(context, servers);
  await flags.look();
  return flags;
}

function notifiersOf({ notifiers, hooks, hookSecrets, publicUrl }: Config, wire: Wire, log: Log): ReadonlyMap<string, Notifier> {
  const configured = Object.entries(notifiers).map(([name, options]): [string, Notifier] => [
    name,
    made(notifierKinds, options.type).create(name, options, { log, ...wire, consoleUrl: publicUrl }),
  ]);
  const hooked = Object.entries(hooks).flatMap(([service, urls]) =>
    urls['afterPromote'] || urls['afterRollback']
      ? [hooksNotifier(service, urls, { secrets: hookSecrets[service] ?? [], wire })]
      : [],
  );
  return new Map([...configured, ...hooked.map((notifier): [string, Notifier] => [notifier.name, notifier])]);
}

/** `afterPromote` and `afterRollback`: a notifier that calls one address for one end and another for the other. */
function hooksNotifier(
  service: string,
  urls: Readonly<Record<string, string>>,
  { secrets, wire }: { readonly secrets: readonly string[]; readonly wire: Wire },
): Notifier {
  const name = hookNotifier(service);
  const to = (url: string | undefined, event: string): readonly Notifier[] =>
    url ? [webhook(name, { url, events: [event], secrets }, wire)] : [];
  const ends = [...to(urls['afterPromote'], 'release.promoted'), ...to(urls['afterRollback'], 'release.rolledBack')];
  return {
    name,
    type: 'webhook',
    async deliver(notice, signal) {
      const answers = await Promise.all(ends.map((end) => end.deliver(notice, signal)));
      return answers.find((answer) => !answer.ok) ?? { ok: true, value: undefined };
    },
    close: async () => {},
  };
}

async function listening(handler: (request: Request) => Response | Promise<Response>, at: string): Promise<Server> {
  const [hostname = '127.0.0.1', port = '8080'] = at.split(':');
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: handler, hostname, port: Number(port) }, () => resolve(server as Server)); // without TLS options it is node:http's
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot listen on ${at}: ${error.code ?? error.message}; is another program using it?`)),
    );
  });
}

function addressOf(server: Server, at: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : at.split(':')[1];
  return `http://${at.split(':')[0]}:${port}`;
}

async function closed(server: Server, grace: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController();
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await Promise.race([done, grace(over.signal)]);
  over.abort('closed');
  server.closeAllConnections();
  await done;
}
