/** What every router promises. Cases are plain functions, so that deliberately broken routers can be put before them, too. */
import { expect } from 'vitest';
import { ALL, NONE, Weight } from '../../src/domain/ids.ts';
import { prng } from '../../src/lib/prng.ts';
import type { NodeReading, Route, TrafficRouter } from '../../src/ports/traffic-router.ts';

export type RouterSubject = {
  readonly router: TrafficRouter;
  readonly route: Route;
  /** Sends so many requests (with headers) and says how many each slot served and how many failed; null without a data plane. */
  readonly send: ((count: number, headers?: Record<string, string>) => Promise<Sent>) | null;
  /** Changes the share behind the adapter's back; null where that cannot be done. */
  readonly edit: ((secondShare: Weight, seq?: number) => Promise<void> | void) | null;
  readonly restart: (() => Promise<void> | void) | null;
};

export type Sent = { readonly bySlot: Readonly<Record<string, number>>; readonly failed: number };

export type RouterCase = {
  readonly name: string;
  readonly needs: 'nothing' | 'send' | 'edit' | 'restart' | 'sticky' | 'header';
  run(subject: RouterSubject): Promise<void>;
};

const signal = new AbortController().signal;
const first = (nodes: readonly NodeReading[]): NodeReading => nodes[0] as NodeReading;

/** The nearest that it can represent. */
const near = ({ router, route }: RouterSubject, share: number): Weight => router.quantize(route, Weight(share), 'down');

async function set(subject: RouterSubject, share: number, seq: number, direction: 'raise' | 'lower' = 'raise') {
  const { router, route } = subject;
  const applied = await router.apply({ route, secondShare: near(subject, share), seq, direction }, signal);
  expect(applied).toMatchObject({ ok: true });
}

async function served({ router, route }: RouterSubject): Promise<NodeReading> {
  const read = await router.read(route, signal);
  if (!read.ok) throw new Error(read.error.detail);
  return first(read.value);
}

const sent = async ({ send }: RouterSubject, count: number, headers?: Record<string, string>): Promise<Sent> => {
  if (!send) throw new Error('needs a data plane');
  return send(count, headers);
};

export const routerCases: readonly RouterCase[] = [
  {
    name: 'quantises so that nothing and everything are exact, and little is never nothing',
    needs: 'nothing',
    async run({ router, route }) {
      for (const towards of ['down', 'up'] as const) {
        const quantize = (share: Weight): Weight => router.quantize(route, share, towards);
        expect([quantize(NONE), quantize(ALL)]).toEqual([0, 10_000]);
        const random = prng(1);
        let before = 0;
        for (const share of Array.from({ length: 200 }, () => 1 + Math.floor(random() * 9_998)).toSorted((a, b) => a - b)) {
          const quantised = quantize(Weight(share));
          expect(quantize(quantised)).toBe(quantised);
          const waits = router.capabilities.tooLittle === 'nothing';
          if (!waits || towards === 'up') expect(quantised).toBeGreaterThan(0);
          if (!waits || towards === 'down') expect(quantised).toBeLessThan(10_000);
          expect(quantised).toBeGreaterThanOrEqual(before);
          const isPastTheEnds = share < router.capabilities.minNonZeroBp || 10_000 - share < router.capabilities.minNonZeroBp;
          if (!isPastTheEnds) expect(towards === 'down' ? quantised <= share : share <= quantised).toBe(true);
          before = quantised;
        }
      }
    },
  },
  {
    name: 'finds its route and both slots healthy before a release, and writes nothing for that',
    needs: 'nothing',
    async run(subject) {
      const before = await served(subject);
      const found = await subject.router.preflight(subject.route, signal);
      expect(found).toMatchObject({ ok: true, value: { slots: subject.route.slots.map((slot) => ({ slot, healthy: true })) } });
      expect(await served(subject)).toEqual(before);
    },
  },
  {
    name: 'shows what it was told, and by which write',
    needs: 'nothing',
    async run(subject) {
      await set(subject, 2_345, 5);
      const node = await served(subject);
      expect(node).toMatchObject({ reachable: true, secondShare: near(subject, 2_345) });
      if (subject.router.capabilities.seq !== 'none') expect(node.seq).toBe(5);
    },
  },
  {
    name: 'changes nothing when everything is so already',
    needs: 'nothing',
    async run(subject) {
      await set(subject, 500, 5);
      expect(
        await subject.router.apply({ route: subject.route, secondShare: near(subject, 500), seq: 5, direction: 'raise' }, signal),
      ).toMatchObject({ ok: true, value: { changed: false } });
    },
  },
  {
    name: 'refuses a write that is older than one it has seen, and leaves everything',
    needs: 'nothing',
    async run(subject) {
      if (subject.router.capabilities.seq === 'none') return;
      await set(subject, 500, 5);
      expect(
        await subject.router.apply({ route: subject.route, secondShare: Weight(9_000), seq: 4, direction: 'raise' }, signal),
      ).toMatchObject({ ok: false, error: { kind: 'stale' } });
      expect(await served(subject)).toMatchObject({ secondShare: 500, seq: 5 });
    },
  },
  {
    name: 'shows what it has seen when it refuses an older write, and takes a lowering that goes past it',
    needs: 'nothing',
    async run(subject) {
      if (subject.router.capabilities.seq === 'none') return;
      const { router, route } = subject;
      const canary = route.slots[1];
      for (const seen of [7, 900]) {
        await set(subject, 5_000, seen);
        const refused = await router.apply({ route, secondShare: near(subject, 1_000), seq: 6, direction: 'lower' }, signal);
        expect(refused).toMatchObject({
          ok: false,
          error: { kind: 'stale', nodes: expect.arrayContaining([expect.objectContaining({ seq: seen })]) },
        });
        await set(subject, 1_000, seen + 1, 'lower');
        expect(await router.cutOff(route, canary, seen + 2, signal)).toMatchObject({ ok: true });
        expect(await served(subject)).toMatchObject({ secondShare: 0 });
      }
    },
  },
  {
    name: 'is blocked by no number that nobody can have been given',
    needs: 'edit',
    async run(subject) {
      if (subject.router.capabilities.seq === 'none') return;
      await set(subject, 500, 5);
      await subject.edit?.(near(subject, 5_000), 999_999_999_999_999);
      await set(subject, 500, 5, 'lower');
      expect(await served(subject)).toMatchObject({ secondShare: near(subject, 500), seq: 5 });
    },
  },
  {
    name: 'refuses shares that are none',
    needs: 'nothing',
    async run(subject) {
      await set(subject, 500, 5);
      for (const rubbish of [Number.NaN, -1, 10_001, 1.5, Infinity]) {
        const answer = await subject.router.apply(
          { route: subject.route, secondShare: rubbish as Weight, seq: 6, direction: 'raise' },
          signal,
        );
        expect(answer).toMatchObject({ ok: false, error: { kind: 'rejected' } });
      }
      expect(await served(subject)).toMatchObject({ secondShare: near(subject, 500) });
    },
  },
  {
    name: 'does not know a route or a slot that is not there',
    needs: 'nothing',
    async run({ router, route }) {
      const nowhere = { ...route, name: 'nowhere' };
      for (const answer of [
        await router.read(nowhere, signal),
        await router.preflight(nowhere, signal),
        await router.apply({ route: nowhere, secondShare: NONE, seq: 9, direction: 'lower' }, signal),
        await router.cutOff(route, 'mauve', 9, signal),
      ])
        expect(answer).toMatchObject({ ok: false, error: { kind: 'not_found' } });
    },
  },
  {
    name: 'writes nothing once the call was cancelled',
    needs: 'nothing',
    async run(subject) {
      await set(subject, 500, 5);
      const answer = await subject.router.apply(
        { route: subject.route, secondShare: Weight(900), seq: 6, direction: 'raise' },
        AbortSignal.abort('no'),
      );
      expect(answer.ok).toBe(false);
      expect(await served(subject)).toMatchObject({ secondShare: near(subject, 500) });
    },
  },
  {
    name: 'cuts a slot off at once, whichever it is',
    needs: 'nothing',
    async run(subject) {
      await set(subject, 5_000, 5);
      const [stable, canary] = subject.route.slots;
      expect(await subject.router.cutOff(subject.route, canary, 6, signal)).toMatchObject({ ok: true });
      expect(await served(subject)).toMatchObject({ secondShare: 0 });
      await set(subject, 5_000, 7);
      expect(await subject.router.cutOff(subject.route, stable, 8, signal)).toMatchObject({ ok: true });
      expect(await served(subject)).toMatchObject({ secondShare: 10_000 });
    },
  },
  {
    name: 'leaves nothing behind that grows with every change',
    needs: 'nothing',
    async run(subject) {
      await set(subject, 100, 1);
      const before = await subject.router.residue();
      for (let seq = 2; seq < 32; seq++) await set(subject, seq * 100, seq);
      expect(await subject.router.residue()).toEqual(before);
    },
  },
  {
    name: 'shows what somebody else did to it, and is put right by the same write',
    needs: 'edit',
    async run(subject) {
      await set(subject, 500, 5);
      await subject.edit?.(near(subject, 7_777));
      expect(await served(subject)).toMatchObject({ secondShare: near(subject, 7_777) });
      await set(subject, 500, 5);
      expect(await served(subject)).toMatchObject({ secondShare: near(subject, 500) });
    },
  },
  {
    name: 'shows by its marker that it was restarted, and takes the next write',
    needs: 'restart',
    async run(subject) {
      await set(subject, 500, 5);
      const { boot } = await served(subject);
      await subject.restart?.();
      expect((await served(subject)).boot).not.toBe(boot);
      await set(subject, 500, 5);
      expect(await served(subject)).toMatchObject({ secondShare: near(subject, 500) });
    },
  },
  {
    name: 'sends nobody to a slot with nothing, and nobody past one with everything',
    needs: 'send',
    async run(subject) {
      const [stable, canary] = subject.route.slots;
      await set(subject, 0, 1, 'lower');
      expect(await sent(subject, 600)).toEqual({ bySlot: { [stable]: 600 }, failed: 0 });
      await set(subject, 10_000, 2);
      expect(await sent(subject, 600)).toEqual({ bySlot: { [canary]: 600 }, failed: 0 });
    },
  },
  {
    name: 'splits as it was told, within what chance allows',
    needs: 'send',
    async run(subject) {
      const canary = subject.route.slots[1];
      for (const [asked, seq] of [
        [100, 1],
        [500, 2],
        [5_000, 3],
      ] as const) {
        await set(subject, asked, seq);
        const share = near(subject, asked);
        const n = 2_000;
        const expected = (n * share) / 10_000;
        const got = (await sent(subject, n)).bySlot[canary] ?? 0;
        // Chi-square with one degree of freedom at p = 0.001.
        const chi = (got - expected) ** 2 / expected + (got - expected) ** 2 / (n - expected);
        expect(chi, `${got} of ${n} at ${share / 100} %`).toBeLessThan(10.83);
      }
    },
  },
  {
    name: 'serves no request by the old weight that was sent after the change was acknowledged, and fails none',
    needs: 'send',
    async run(subject) {
      const [stable, canary] = subject.route.slots;
      for (let flip = 1; flip <= 10; flip++) {
        await set(subject, flip % 2 === 0 ? 0 : 10_000, flip, flip % 2 === 0 ? 'lower' : 'raise');
        expect(await sent(subject, 40)).toEqual({ bySlot: { [flip % 2 === 0 ? stable : canary]: 40 }, failed: 0 });
      }
    },
  },
  {
    name: 'moves nobody back and forth who sticks to a key, as the weight rises',
    needs: 'sticky',
    async run(subject) {
      const canary = subject.route.slots[1];
      let before = new Set<number>();
      for (const [share, seq] of [
        [500, 1],
        [2_500, 2],
        [6_000, 3],
      ] as const) {
        await set(subject, share, seq);
        const now = new Set<number>();
        for (let user = 0; user < 120; user++)
          if ((await sent(subject, 1, { 'x-user': `user-${user}` })).bySlot[canary]) now.add(user);
        expect([...before].filter((user) => !now.has(user))).toEqual([]);
        expect(Math.abs(now.size / 120 - share / 10_000)).toBeLessThan(0.15);
        before = now;
      }
      await subject.router.cutOff(subject.route, canary, 4, signal);
      for (const user of before) expect((await sent(subject, 1, { 'x-user': `user-${user}` })).bySlot[canary] ?? 0).toBe(0);
    },
  },
  {
    name: 'lets a header choose a slot at any weight, until that slot is cut off',
    needs: 'header',
    async run(subject) {
      const [stable, canary] = subject.route.slots;
      const asking = { 'x-headgate-slot': canary };
      await set(subject, 0, 1, 'lower');
      expect(await sent(subject, 20, asking)).toEqual({ bySlot: { [canary]: 20 }, failed: 0 });
      await set(subject, 10_000, 2);
      expect(await sent(subject, 20, { 'x-headgate-slot': stable })).toEqual({ bySlot: { [stable]: 20 }, failed: 0 });
      await subject.router.cutOff(subject.route, canary, 3, signal);
      expect(await sent(subject, 20, asking)).toEqual({ bySlot: { [stable]: 20 }, failed: 0 });
    },
  },
];
