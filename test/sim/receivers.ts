/** Those who are told: notifiers that hear of events, and the operator's own hooks. */
import { err, ok } from '../../src/lib/result.ts';
import type { Hooks } from '../../src/ports/hook.ts';
import type { Notice, Notifier } from '../../src/ports/notifier.ts';
import type { Chance } from './chance.ts';
import type { Faults } from './faults.ts';
import type { ServiceSpec } from './spec.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type ReceiverWorld = { readonly clock: VirtualClock; readonly draw: Chance; readonly faults: Faults };

/** Who heard what, and what came after something later. */
export type Receipts = {
  add(notifier: string, notice: Notice): 'new' | 'again';
  has(notifier: string, eventId: string): boolean;
  readonly disorder: readonly { readonly notifier: string; readonly id: string }[];
};

export function receiptBook(): Receipts {
  const heard = new Set<string>();
  const newest = new Map<string, number>();
  const disorder: { readonly notifier: string; readonly id: string }[] = [];
  return {
    disorder,
    has: (notifier, eventId) => heard.has(`${notifier} ${eventId}`),
    add(notifier, { id, subject }) {
      if (heard.has(`${notifier} ${id}`)) return 'again';
      heard.add(`${notifier} ${id}`);
      const key = `${notifier} ${subject}`;
      const seq = Number(id.slice(id.lastIndexOf('/') + 1));
      const before = newest.get(key) ?? 0;
      if (seq < before) disorder.push({ notifier, id });
      newest.set(key, Math.max(seq, before));
      return 'new';
    },
  };
}

export type SimNotifier = { readonly port: Notifier; setDown(isDown: boolean): void };

/** `onMended`: one that said it is gone is there again after a while, and a person enables it. */
export function simNotifier(
  name: string,
  world: ReceiverWorld,
  onReceived: (notice: Notice) => void,
  onMended: () => void,
): SimNotifier {
  const { clock, draw, faults } = world;
  let isDown = false;
  return {
    setDown(down) {
      isDown = down;
    },
    port: {
      name,
      type: 'simulated',
      async deliver(notice) {
        const isSlow = faults.hits('notifier_slow');
        await new Promise<void>((resolve) => clock.after(isSlow ? draw.int(1_000, 15_000) : draw.int(1, 80), resolve));
        if (isDown) return err({ kind: 'unreachable', detail: 'connection refused' });
        if (faults.hits('notifier_gone', 0.2)) {
          clock.after(draw.int(10_000, 300_000), onMended);
          return err({ kind: 'gone', detail: 'it answered 410' });
        }
        if (faults.hits('notifier_busy')) {
          const retryAfterMs = draw.int(0, 90_000);
          return err({ kind: 'unreachable', detail: 'it answered 429', retryAfterMs });
        }
        if (faults.hits('notifier_refusing')) return err({ kind: 'refused', detail: 'it answered 401' });
        onReceived(notice);
        return ok(undefined);
      },
      close: async () => {},
    },
  };
}

export function simHooks(
  services: readonly ServiceSpec[],
  world: ReceiverWorld,
  onReplaced: (service: string, version: string) => void,
): Hooks {
  const { clock, draw, faults } = world;
  const byName = new Map(services.map((service) => [service.settings.name, service.hooks]));
  return {
    has: (service, hook) => byName.get(service)?.[hook] ?? false,
    async call({ hook, service, payload }) {
      await new Promise<void>((resolve) => clock.after(draw.int(5, 500), resolve));
      if (faults.hits('hook_failing', 5)) return err('the receiver answered 500');
      if (hook === 'beforeStart') return ok('done');
      if (draw.hits(0.5)) return ok('accepted');
      if (typeof payload === 'object' && payload !== null && 'version' in payload) onReplaced(service, String(payload.version));
      return ok('done');
    },
  };
}
