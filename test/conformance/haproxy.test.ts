/** HAProxy itself before the suite, in each of its forms, and what only a real load balancer shows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as connections } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { client } from '../../src/adapters/outgoing/client.ts';
import { haproxy } from '../../src/adapters/traffic/haproxy/haproxy.ts';
import { haproxyOptions } from '../../src/adapters/traffic/haproxy/options.ts';
import { pairs } from '../../src/adapters/traffic/haproxy/weights.ts';
import { Weight } from '../../src/domain/ids.ts';
import type { Route, TrafficRouter } from '../../src/ports/traffic-router.ts';
import { realHaproxy } from '../real/haproxy.ts';
import type { HaproxyForm, RealHaproxy } from '../real/haproxy.ts';
import { freePort, until } from '../real/programs.ts';
import type { RouterSubject } from './router.suite.ts';
import { backend, closeAtEnd, sender, suite, urlOf, visit } from './router-run.ts';

const route: Route = { name: 'app', slots: ['blue', 'green'] };
const signal = new AbortController().signal;
const answering = (name: string) => (_: unknown, answer: { end(text: string): unknown }) => void answer.end(name);
const portOf = (server: Awaited<ReturnType<typeof backend>>): number => Number(new URL(urlOf(server)).port);

const slots = async () => ({
  blue: portOf(await backend(answering, 'blue')),
  green: portOf(await backend(answering, 'green')),
});

type Options = Readonly<Record<string, unknown>>;

const routerOf = (nodes: readonly RealHaproxy[], more: Options = {}): TrafficRouter =>
  haproxy(
    'front',
    haproxyOptions.parse({ type: 'haproxy', nodes: nodes.map(({ socket }) => socket), map: nodes[0]?.map, ...more }),
    { send: client({ timeoutMs: 5_000 }) },
  );

const WEIGHTS = {
  map: undefined,
  routes: { app: { backend: 'app', slots: { blue: { servers: ['blue1'] }, green: { servers: ['green1'] } } } },
};

/** One HAProxy per form, put back to its start between the cases. */
async function opened(form: HaproxyForm): Promise<() => Promise<RouterSubject>> {
  const real = await realHaproxy(await slots(), form);
  closeAtEnd(() => real.close());
  const router = routerOf(
    [real],
    form === 'weights'
      ? WEIGHTS
      : { routes: { app: { slots: { blue: {}, green: {} } } }, sticky: form === 'sticky' ? 'hash' : 'none' },
  );
  const table = pairs(1, 1);
  return async () => {
    if (form === 'weights')
      await real.ask(
        'set server app/blue1 state ready;set server app/blue1 weight 256;set server app/green1 state ready;set server app/green1 weight 0',
      );
    else await real.ask(`set map ${real.map} app 0`);
    return {
      router,
      route,
      send: sender(real.url),
      async edit(share, seq = 0) {
        // As large as a number gets that is read there.
        const value = seq === 0 ? `${share}` : `9007199254${String(share).padStart(5, '0')}`;
        if (form !== 'weights') return void (await real.ask(`set map ${real.map} app ${value}`));
        const [first, second] = table.find((one) => one.share === share)?.pair ?? [1, 1];
        await real.ask(`set server app/blue1 weight ${first};set server app/green1 weight ${second}`);
      },
      restart: async () => {
        await real.restart();
        await until('the slots', async () => (await visit(real.url)).status === 200);
      },
    };
  };
}

for (const form of ['map', 'sticky', 'weights'] as const) {
  let open: Promise<() => Promise<RouterSubject>> | null = null;
  suite(`haproxy, ${form}`, async () => {
    open ??= opened(form);
    const made = await open;
    return made();
  });
}

const show = async (router: TrafficRouter) => {
  const read = await router.read(route, signal);
  if (!read.ok) throw new Error(read.error.detail);
  return read.value;
};
const put = (router: TrafficRouter, share: number, seq: number, direction: 'raise' | 'lower' = 'raise') =>
  router.apply({ route, secondShare: Weight(share), seq, direction }, signal);

describe('haproxy', () => {
  it('raises all of its nodes or none', async () => {
    const ports = await slots();
    const [one, two] = [await realHaproxy(ports), await realHaproxy(ports)];
    closeAtEnd(() => one.close());
    closeAtEnd(() => two.close());
    const far = haproxy('far', haproxyOptions.parse({ type: 'haproxy', nodes: [one.socket, two.socket], map: one.map }), {
      send: client({ timeoutMs: 5_000 }),
    });
    expect(await put(far, 500, 1)).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect((await show(far)).map(({ secondShare }) => secondShare)).toEqual([0, null]);
  });

  it('lowers every node that answers, names the one that does not, and fences the slot until all are lowered', async () => {
    const asked: string[] = [];
    const fence = createServer((request, answer) => {
      request.on('data', (part: Buffer) => asked.push(`${request.method} ${part.toString()}`));
      request.on('end', () => answer.end());
    });
    fence.listen(0, '127.0.0.1');
    await once(fence, 'listening');
    closeAtEnd(() => void fence.close());
    const real = await realHaproxy(await slots());
    closeAtEnd(() => real.close());
    const gone = `tcp:127.0.0.1:${await freePort()}`;
    const url = `http://127.0.0.1:${(fence.address() as AddressInfo).port}/fence`;
    const router = routerOf([real], {
      nodes: [real.socket, gone],
      routes: { app: { slots: { blue: {}, green: { fence: url } } } },
    });
    await real.ask(`set map ${real.map} app 100500`);
    const cut = await router.cutOff(route, 'green', 2, signal);
    expect(cut).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(cut.ok ? '' : cut.error.detail).toBe(
      `${gone}: ECONNREFUSED; the others are lowered; the slot was told to fail its health checks`,
    );
    expect((await show(router))[0]).toMatchObject({ secondShare: 0, seq: 2 });
    const alone = routerOf([real], { routes: { app: { slots: { blue: {}, green: { fence: url } } } } });
    expect(await alone.cutOff(route, 'green', 2, signal)).toMatchObject({ ok: true });
    expect(asked).toEqual(['PUT {"fenced":true}', 'PUT {"fenced":false}']);
  });

  it('shows after a reload what the boot file says, by another marker, also where a write was acknowledged meanwhile', async () => {
    const real = await realHaproxy(await slots());
    closeAtEnd(() => real.close());
    const router = routerOf([real], { bootFile: real.map });
    expect(await put(router, 5_000, 3)).toMatchObject({ ok: true });
    const [before] = await show(router);
    await real.reload();
    expect((await show(router))[0]).toMatchObject({ secondShare: 0, seq: 0 });
    expect((await show(router))[0]?.boot).not.toBe(before?.boot);
    expect(await put(router, 5_000, 3)).toMatchObject({ ok: true, value: { changed: true } });

    expect(await router.setBootShare?.(route, Weight(10_000))).toEqual({ ok: true, value: true });
    expect(await router.setBootShare?.(route, Weight(10_000))).toEqual({ ok: true, value: false });
    await real.reload();
    expect((await show(router))[0]).toMatchObject({ secondShare: 10_000, seq: 0 });
  });

  it('keeps what else is in the boot file, and says before a release when it cannot be written', async () => {
    const real = await realHaproxy(await slots());
    closeAtEnd(() => real.close());
    const file = `${real.dir}/other.map`;
    writeFileSync(file, '# by hand\nbilling 10000\napp 17\n');
    await routerOf([real], { bootFile: file }).setBootShare?.(route, Weight(0));
    expect(readFileSync(file, 'utf8')).toBe('# by hand\nbilling 10000\napp 0\n');
    expect(await routerOf([real], { bootFile: '/nowhere/at/all' }).preflight(route, signal)).toMatchObject({
      ok: false,
      error: { kind: 'rejected', detail: 'the boot file /nowhere/at/all cannot be written: ENOENT' },
    });
  });

  it('takes what a hand put into the map for what the frontend makes of it', async () => {
    const real = await realHaproxy(await slots());
    closeAtEnd(() => real.close());
    const router = routerOf([real]);
    for (const [value, secondShare, seq] of [
      ['500', 500, 0],
      ['-3', 0, 0],
      ['99999', 10_000, 0],
      ['700500', 500, 7],
    ] as const) {
      await real.ask(`set map ${real.map} app ${value}`);
      expect((await show(router))[0], value).toMatchObject({ secondShare, seq });
    }
    await real.ask(`clear map ${real.map}`);
    expect((await show(router))[0]).toMatchObject({ secondShare: 0, seq: 0 });
    expect(await put(router, 500, 8)).toMatchObject({ ok: true });
    expect(await real.ask(`show map ${real.map}`)).toMatch(/^0x\S+ app 800500\n\n$/);
  });

  it('does not believe a map that is not there, a node that hangs, or one that is no HAProxy', async () => {
    const real = await realHaproxy(await slots());
    closeAtEnd(() => real.close());
    expect(await routerOf([real], { map: '/no/such.map' }).preflight(route, signal)).toMatchObject({
      error: { kind: 'not_found', detail: `${real.socket}: its configuration has no map /no/such.map` },
    });
    const hung = connections({ allowHalfOpen: true }, (socket) => void socket.resume());
    const strange = connections((socket) => void socket.end('220 mail.example ESMTP\r\n'));
    for (const [server, detail] of [
      [hung, 'no answer within 200 ms'],
      [strange, 'an answer that is none: 220 mail.example ESMTP'],
    ] as const) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      closeAtEnd(() => void server.close());
      const node = `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`;
      const read = await show(routerOf([real], { nodes: [node], nodeTimeoutMs: 200 }));
      expect(read[0]).toMatchObject({ secondShare: null, detail });
    }
  });

  it('moves those whom a cookie ties to the canary when it is cut off', async () => {
    const ports = await slots();
    const real = await realHaproxy(ports, 'weights');
    closeAtEnd(() => real.close());
    const router = routerOf([real], WEIGHTS);
    expect(await put(router, 5_000, 1)).toMatchObject({ ok: true });
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({ ok: true });
    expect(await real.ask('show servers state app')).toMatch(/green1 127\.0\.0\.1 0 [1-9]/);
    expect(await put(router, 5_000, 3)).toMatchObject({ ok: true });
    expect(await real.ask('show servers state app')).toMatch(/green1 127\.0\.0\.1 2 0/);
  });
});
