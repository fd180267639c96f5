/** From a webhook to what it does: read again, told once, believed as far as it is signed, and nothing lost in between. */
import { afterEach, expect, it, vi } from 'vitest';
import { flagWork } from '../../src/controller/flag-work.ts';
import type { FlagWork } from '../../src/controller/flag-work.ts';
import type { FlagDeps } from '../../src/controller/flag-changes.ts';
import { webhooksIn } from '../../src/controller/webhooks-in.ts';
import type { FlagState } from '../../src/domain/flag.ts';
import type { OnFlagChange } from '../../src/domain/plan.ts';
import type { Release } from '../../src/domain/release.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { Result } from '../../src/lib/result.ts';
import type { FlagError } from '../../src/ports/flag-source.ts';
import { StoreUnavailable } from '../../src/ports/store.ts';
import type { Store } from '../../src/ports/store.ts';
import type { WebhookSource } from '../../src/ports/webhook-source.ts';
import { MINUTE, SECOND, threshold, weightStep } from '../story.ts';
import { APP, quickPlan, world } from '../world.ts';
import { senders, sourceOf } from './senders.ts';

const calm = new AbortController().signal;
const FLAG = { source: 'launchdarkly', flag: 'checkout-v2' };

const stateOf = (percent: number, more: Partial<FlagState> = {}): FlagState => ({
  exists: true,
  enabled: true,
  percent,
  variations: { new: percent, old: 100 - percent },
  revision: String(percent),
  updatedBy: null,
  fingerprint: `f${percent}`,
  ...more,
});

type Given = {
  readonly type?: 'launchdarkly' | 'unleash' | 'standard';
  readonly onFlagChange?: OnFlagChange;
  readonly wrap?: (store: Store) => Store;
  readonly start?: { readonly plan: string; readonly version: string };
  readonly own?: boolean;
  readonly readable?: boolean;
};

async function flagging({ type = 'launchdarkly', onFlagChange = 'hold', wrap, start, own = false, readable = true }: Given = {}) {
  const sender = senders.find((each) => each.type === type);
  if (!sender) throw new Error('no sender');
  let served: Result<FlagState, FlagError> = ok(stateOf(25));
  let reads = 0;
  const real = sourceOf(sender);
  const source: WebhookSource = {
    ...real,
    flags: readable
      ? {
          async read() {
            reads += 1;
            return served;
          },
        }
      : null,
  };
  const w = await world({
    webhooks: new Map([[type, source]]),
    service: { flags: [{ source: type, flag: 'checkout-v2', start: start ?? null }] },
    ...(wrap ? { wrap } : {}),
  });
  const planWorld = {
    services: new Map([['checkout', { provider: 'prom', promotion: 'swap' as const, minNonZeroBp: 1 }]]),
    providers: w.ctx.providers,
    notifiers: new Set<string>(),
    dev: true,
  };
  const deps: FlagDeps = { ...w.commands, planWorld, ownTargets: () => (own ? [APP] : []) };
  const made = (): FlagWork => flagWork(w.ctx, deps, () => {});
  const work = made();
  const door = webhooksIn(w.ctx, () => {});
  let serial = 0;
  const post = async (body = sender.payload('checkout-v2', ++serial), headers = sender.sign(body, w.clock.now(), serial)) =>
    door.receive(type, { header: (name) => headers[name], body: new TextEncoder().encode(body) });
  /** Works off all that is due now. */
  const drain = async (by = work): Promise<void> => {
    for (;;) {
      const rows = await w.store.claimInbox({ leaseMs: MINUTE, limit: 5 });
      if (rows.length === 0) return;
      for (const row of rows) await by.take(row, calm);
    }
  };
  /** Works off everything, letting time pass. */
  const finish = async (): Promise<void> => {
    for (let at = await w.store.nextInboxAt(); at !== null; at = await w.store.nextInboxAt()) {
      w.clock.advance(Math.max(0, at - w.clock.now()));
      await drain();
    }
  };
  const plan = quickPlan({
    onFlagChange,
    steps: [weightStep(5, { holdMs: 10 * MINUTE, checks: ['cpu'] }), weightStep(50, { checks: ['cpu'] })],
    checks: { cpu: threshold('cpu', { provider: 'prom' }) },
  });
  const running = async (): Promise<Release['id']> => {
    const id = await w.start(plan);
    await w.until(id, ({ phase }) => phase.kind === 'watching');
    return id;
  };
  const flagged = async (id: Release['id']) =>
    (await w.store.releaseEvents(id, { afterSeq: 0, limit: 500 })).rows.flatMap((event) =>
      event.type === 'flag.changed' ? [event] : [],
    );
  const inbox = async () => (await w.store.inbox({ source: null, state: null, limit: 50, before: null })).rows;
  return {
    ...w,
    sender,
    work,
    made,
    door,
    post,
    drain,
    finish,
    plan,
    running,
    flagged,
    inbox,
    reads: () => reads,
    serve(next: Result<FlagState, FlagError>) {
      served = next;
    },
  };
}
const down: Result<FlagState, FlagError> = err({ kind: 'unreachable', detail: 'ECONNREFUSED' });

afterEach(() => void vi.restoreAllMocks());

it('reads the flag again and holds the release that it confounds, once, however often it is told', async () => {
  const w = await flagging();
  const id = await w.running();
  await w.work.poll(calm);
  w.serve(ok(stateOf(50)));
  expect(await w.post()).toBe('kept');
  await w.drain();
  expect(await w.release(id)).toMatchObject({ hold: { reason: 'flag' }, flags: { 'launchdarkly/checkout-v2': 'f50' } });
  expect(await w.flagged(id)).toMatchObject([
    { what: 'on, new 25 %, old 75 % → on, new 50 %, old 50 %', changedBy: 'ann@example.com', confirmed: 'read', effect: 'hold' },
  ]);
  expect(await w.types(id)).toContain('evidence.restarted');
  // Another webhook of the same change, and a look of ours.
  await w.post();
  await w.drain();
  w.clock.advance(2 * MINUTE);
  await w.work.poll(calm);
  await w.drain();
  expect(await w.flagged(id)).toHaveLength(1);
  expect((await w.inbox()).map(({ state, detail }) => [state, detail])).toEqual([
    ['done', 'checkout-v2 is as it was'],
    ['done', `checkout-v2: on, new 25 %, old 75 % → on, new 50 %, old 50 %; told release ${id}`],
  ]);
  expect(await w.store.flag('launchdarkly', 'checkout-v2')).toMatchObject({
    state: { percent: 50 },
    change: { changedBy: 'ann@example.com', confirmed: 'read' },
  });
});

it('only notes a webhook after which the flag is what it was', async () => {
  const w = await flagging();
  const id = await w.running();
  await w.work.poll(calm);
  await w.post();
  await w.drain();
  expect(await w.flagged(id)).toEqual([]);
  expect(await w.inbox()).toMatchObject([{ state: 'done', detail: 'checkout-v2 is as it was' }]);
});

it('believes a signature when the platform stays away, and says so; and takes what is read later for the same change', async () => {
  const w = await flagging();
  const id = await w.running();
  await w.work.poll(calm);
  w.serve(down);
  await w.post();
  await w.drain();
  expect(await w.flagged(id)).toEqual([]);
  expect(await w.inbox()).toMatchObject([{ state: 'pending', attempts: 1, detail: expect.stringContaining('ECONNREFUSED') }]);
  await w.finish();
  const [told] = await w.flagged(id);
  expect(told).toMatchObject({ confirmed: 'signed', effect: 'hold' });
  expect(told?.sentence).toContain('signed, but it could not be read again');
  expect(w.reads()).toBe(6);
  w.serve(ok(stateOf(50)));
  w.clock.advance(2 * MINUTE);
  await w.work.poll(calm);
  await w.finish();
  expect(await w.flagged(id)).toHaveLength(1);
  expect(await w.store.flag('launchdarkly', 'checkout-v2')).toMatchObject({ state: { percent: 50 }, failure: null });
  // From there on every change is one again.
  w.serve(ok(stateOf(75)));
  w.clock.advance(2 * MINUTE);
  await w.work.poll(calm);
  await w.finish();
  expect(await w.flagged(id)).toMatchObject([{ confirmed: 'signed' }, { confirmed: 'read', fingerprint: 'f75' }]);
});

it('makes nothing but a note of what somebody with a token says while the platform stays away', async () => {
  const w = await flagging({ type: 'unleash', onFlagChange: 'rollback' });
  const id = await w.running();
  await w.work.poll(calm);
  w.serve(down);
  await w.post();
  await w.finish();
  expect(await w.flagged(id)).toMatchObject([{ confirmed: 'claimed', effect: 'annotate' }]);
  expect(await w.release(id)).toMatchObject({ phase: { kind: 'watching' }, hold: null, rollback: null });
  // Nor does the note hide what is really changed.
  w.serve(ok(stateOf(50)));
  w.clock.advance(2 * MINUTE);
  await w.work.poll(calm);
  await w.finish();
  expect(await w.release(id)).toMatchObject({ rollback: { cause: { kind: 'flag', source: 'unleash', flag: 'checkout-v2' } } });
});

it('believes who signs where there is nothing to read', async () => {
  const w = await flagging({ type: 'standard', readable: false });
  const id = await w.running();
  await w.post();
  await w.post();
  await w.drain();
  expect(await w.flagged(id)).toMatchObject([{ confirmed: 'signed' }, { confirmed: 'signed' }]);
});

it('sees by itself what no webhook told', async () => {
  const w = await flagging();
  // A week ago it was another: that is no change in the middle of this release.
  await w.work.look(FLAG, calm);
  w.serve(ok(stateOf(50)));
  w.clock.advance(7 * 24 * 60 * MINUTE);
  const id = await w.running();
  await w.work.poll(calm);
  await w.drain();
  expect(await w.flagged(id)).toEqual([]);
  const asked = w.reads();
  await w.work.poll(calm);
  expect(w.reads()).toBe(asked);
  w.clock.advance(MINUTE);
  w.serve(ok(stateOf(75, { updatedBy: 'bob' })));
  await w.work.poll(calm);
  await w.drain();
  expect(await w.flagged(id)).toMatchObject([{ changedBy: 'bob', confirmed: 'read', effect: 'hold' }]);
});

it('looks at nothing while no release runs, and goes on looking when the platform was away', async () => {
  const w = await flagging();
  await w.work.poll(calm);
  expect(w.reads()).toBe(0);
  await w.running();
  w.serve(down);
  await w.work.poll(calm);
  expect(await w.store.flag('launchdarkly', 'checkout-v2')).toMatchObject({
    state: null,
    failure: expect.stringContaining('ECONNREFUSED'),
  });
  w.clock.advance(MINUTE);
  w.serve(ok(stateOf(25)));
  await w.work.poll(calm);
  expect(await w.store.flag('launchdarkly', 'checkout-v2')).toMatchObject({ state: { percent: 25 }, failure: null });
});

it('takes a flag that Headgate moves itself for an echo: its target is looked at, and the release goes on', async () => {
  const w = await flagging({ own: true });
  const id = await w.running();
  const read = vi.spyOn(w.router, 'read');
  await w.post();
  await w.drain();
  expect(read).toHaveBeenCalled();
  expect(await w.flagged(id)).toEqual([]);
  await w.work.poll(calm);
  expect(w.reads()).toBe(0);
});

it.each(['before the release was told', 'before it was written down', 'before the row was settled'])(
  'tells a release once when the process dies %s',
  async (when) => {
    let isDead = false;
    const dying =
      <T extends unknown[], R>(original: (...args: T) => Promise<R>) =>
      async (...args: T): Promise<R> => {
        if (isDead) throw new StoreUnavailable('the process is gone');
        return original(...args);
      };
    const w = await flagging({
      wrap: (store) => {
        const method = when.includes('told') ? 'load' : when.includes('written') ? 'saveFlag' : 'settleInbox';
        return { ...store, [method]: dying(store[method] as never) };
      },
    });
    const id = await w.running();
    await w.work.poll(calm);
    w.serve(ok(stateOf(50)));
    await w.post();
    isDead = true;
    await expect(w.drain()).rejects.toThrow('the process is gone');
    isDead = false;
    expect(await w.inbox()).toMatchObject([{ state: 'pending', attempts: 0 }]);
    w.clock.advance(MINUTE);
    await w.drain(w.made());
    expect(await w.inbox()).toMatchObject([{ state: 'done' }]);
    expect(await w.flagged(id)).toHaveLength(1);
  },
);

it('waits for a moving weight before it pauses', async () => {
  const w = await flagging({ onFlagChange: 'pause' });
  const id = await w.start(w.plan);
  w.router.mode = 'rejects';
  await w.until(id, ({ phase }) => phase.kind === 'shifting');
  await w.post();
  await w.drain();
  expect(await w.inbox()).toMatchObject([{ state: 'pending', detail: expect.stringContaining('the weight is moving') }]);
  w.router.mode = 'works';
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  await w.finish();
  expect(await w.release(id)).toMatchObject({ phase: { kind: 'paused', by: 'flag', otherwise: 'rollback' } });
});

it('keeps signed rubbish, parks it in words, and works on it again when asked', async () => {
  const w = await flagging();
  const audit = { actor: 'ann', action: 'webhook.retry', subject: 'inbox/1', reason: null, data: null };
  expect(await w.post('no json at all')).toBe('kept');
  const raw = new Uint8Array([0xff, 0xfe, 0x00]);
  const { createHmac } = await import('node:crypto');
  const signature = createHmac('sha256', w.sender.secret).update(raw).digest('hex');
  expect(await w.door.receive('launchdarkly', { header: () => signature, body: raw })).toBe('kept');
  await w.drain();
  expect((await w.inbox()).map(({ state, detail }) => [state, detail])).toEqual([
    ['parked', 'the body is no text in UTF-8'],
    ['parked', 'the body is no JSON'],
  ]);
  expect(await w.store.retryInbox(1, audit)).toBe(true);
  await w.drain();
  expect(await w.inbox()).toMatchObject([{ state: 'parked' }, { state: 'parked', attempts: 1 }]);
});

it('parks a row whose work crashes, after many tries, and never in silence', async () => {
  const w = await flagging();
  const broken: WebhookSource = {
    ...sourceOf(w.sender),
    hints: () => {
      throw new Error('a bug');
    },
  };
  (w.ctx.webhooks as Map<string, WebhookSource>).set('launchdarkly', broken);
  await w.post();
  await w.finish();
  expect(await w.inbox()).toMatchObject([{ state: 'parked', detail: 'tried 20 times: working on it crashed: Error: a bug' }]);
});

it('writes nothing for who is not believed, however many they are, and says so now and then', async () => {
  let writes = 0;
  const w = await flagging({
    wrap: (store) => ({ ...store, keepWebhook: async (given) => ((writes += 1), store.keepWebhook(given)) }),
  });
  const before = w.logged.length;
  for (let i = 0; i < 500; i++) {
    expect(await w.post('{}', { 'x-ld-signature': 'f'.repeat(64) })).toBe('refused');
    expect(await w.door.receive('nobody', { header: () => undefined, body: new Uint8Array() })).toBe('unknown');
  }
  expect(writes).toBe(0);
  expect(w.logged.slice(before)).toHaveLength(2);
  w.clock.advance(10 * SECOND);
  await w.post('{}', {});
  expect(w.logged.at(-1)).toBe('refused 500 webhooks to launchdarkly: the signature does not fit');
});

it('takes each delivery once, and no more than it can keep waiting', async () => {
  const w = await flagging();
  const body = w.sender.payload('checkout-v2', 7_777);
  expect([await w.post(body), await w.post(body)]).toEqual(['kept', 'known']);
  for (let i = 0; i < 999; i++) expect(await w.post()).toBe('kept');
  expect(await w.post()).toBe('full');
  expect(await w.post(body)).toBe('known');
  await w.drain();
  expect(await w.post()).toBe('kept');
});

const STORED = 'service: checkout\nsteps: [5%]\nhold: 5m\nchecks: {}\n';

it('starts a release by a flag change, once for each revision, over crashes and repetitions', async () => {
  let settled = 0;
  const w = await flagging({
    start: { plan: 'by-flag', version: 'flag-{{revision}}' },
    wrap: (store) => ({
      ...store,
      async settleInbox(row) {
        settled += 1;
        if (settled === 1) throw new StoreUnavailable('gone');
        return store.settleInbox(row);
      },
    }),
  });
  await w.store.savePlan(
    { name: 'by-flag', service: 'checkout', document: STORED },
    { actor: 'a', action: 'b', subject: 'c', reason: null, data: null },
  );
  await w.work.poll(calm);
  w.serve(ok(stateOf(50)));
  await w.post();
  await expect(w.drain()).rejects.toThrow('gone');
  w.clock.advance(MINUTE);
  await w.drain();
  await w.post();
  await w.drain();
  const releases = (await w.store.releases({ service: 'checkout', phases: null, limit: 9, cursor: null })).rows;
  expect(releases).toMatchObject([
    { release: { version: 'flag-50', createdBy: { kind: 'ci', name: 'flag checkout-v2 of launchdarkly (50)' } } },
  ]);
  // The release that it started is busy: the next one waits for it, visibly, and is parked in the end.
  w.serve(ok(stateOf(75)));
  await w.post();
  await w.finish();
  expect((await w.inbox())[0]).toMatchObject({
    state: 'parked',
    detail: expect.stringMatching(/^tried 20 times: checkout is busy with release/),
  });
});

it.each([
  ['a plan that is not there', {}, 'no plan named by-flag: apply it first'],
  ['a flag that tells no revision', { revision: null }, 'flag-{{revision}} cannot be filled in: checkout-v2 tells no such thing'],
  ['a flag that is off', { enabled: false }, null],
])('does not start a release by %s', async (_, more, parked) => {
  const w = await flagging({ start: { plan: 'by-flag', version: 'flag-{{revision}}' } });
  await w.work.poll(calm);
  w.serve(ok(stateOf(50, more)));
  await w.post();
  await w.drain();
  expect(await w.inbox()).toMatchObject([parked === null ? { state: 'done' } : { state: 'parked', detail: parked }]);
  expect((await w.store.releases({ service: null, phases: null, limit: 9, cursor: null })).rows).toEqual([]);
});

it('is about nothing where no service names the flag', async () => {
  const w = await flagging();
  await w.post(w.sender.payload('another', 5));
  await w.drain();
  expect(await w.inbox()).toMatchObject([{ state: 'done', detail: 'no service names another' }]);
  expect(w.reads()).toBe(0);
});
