/**
 * The process whose power is cut: it opens the real store, takes releases through their lives in real commits, and says on
 * stdout what was acknowledged, one line after each call that came back. In between it closes the store and opens it again.
 *
 * `node test/power-cut/workload.ts FILE [--seed 1] [--synchronous NORMAL]`; the last one is the control that must lose something.
 */
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { create } from '../../src/domain/create.ts';
import { decide } from '../../src/domain/decide.ts';
import { after, Instant, ReleaseId } from '../../src/domain/ids.ts';
import type { Input } from '../../src/domain/input.ts';
import { isEnded } from '../../src/domain/release.ts';
import type { Release } from '../../src/domain/release.ts';
import { canarySlot, secondShare } from '../../src/domain/target.ts';
import type { ReleaseEvent } from '../../src/domain/event.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Claimed, Commit, Store } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { chance } from '../sim/chance.ts';
import type { Chance } from '../sim/chance.ts';
import { aCreation, ann, EDGE, NOON, observed, verdictOf } from '../story.ts';

/** What the caller was told. `events`, `notices` and `intents` are of all commits of the release, or of the target, so far. */
export type Acknowledged = {
  readonly release: string;
  readonly revision: number;
  readonly events: number;
  readonly notices: number;
  readonly intents: number;
};

/** Two rows in the outbox for every event. */
export const NOTIFIERS = ['book', 'pager'] as const;
export const FIRST_VERSION = '1.0.0';

/** Releases between two restarts: the second lot fills the WAL past SQLite's own checkpoint, so that it starts over from its head. */
const LOTS = [3, 11] as const;

/** The store gives its connection to nobody, so the control takes note of the one that the driver is asked to set up. */
function weakened(file: string): () => void {
  const connections = new Map<string, Database.Database>();
  const pragma = Database.prototype.pragma;
  Database.prototype.pragma = function (this: Database.Database, ...asked: Parameters<typeof pragma>) {
    connections.set(this.name, this);
    return pragma.apply(this, asked);
  };
  return () => {
    const connection = connections.get(file);
    assert(connection, 'the store has opened its file');
    pragma.call(connection, 'synchronous = NORMAL');
    assert(pragma.call(connection, 'synchronous', { simple: true }) === 1, 'the control runs with synchronous=NORMAL');
  };
}

/** What the world says to a release in this phase, one time in six that it fails. */
function nextInput({ phase, wanted }: Release, luck: Chance): Input {
  switch (phase.kind) {
    case 'starting':
      return { kind: 'prepared', failure: null };
    case 'shifting':
    case 'rollingBack':
      return { kind: 'shifted', weight: wanted, failures: [] };
    default:
      return observed(luck.hits(1 / 6) ? 'fail' : 'pass');
  }
}

function commitOf(claimed: Claimed, next: Release, events: readonly ReleaseEvent[], now: Instant): Commit {
  const { release, revision, service, targets } = claimed;
  const intended = events.findLast((event) => event.type === 'weight.intended');
  const isPromoted = events.some((event) => event.type === 'release.promoted');
  const weight = intended?.type === 'weight.intended' ? intended.weight : null;
  const verdict = verdictOf('pass');
  return {
    id: release.id,
    revision,
    next,
    events,
    intents:
      weight === null
        ? []
        : targets.map(({ id, slots }) => ({ target: id, secondShare: secondShare(slots, service.stableSlot, weight) })),
    measurements: [{ check: 'errors', end: now, measurement: { kind: 'value', at: now, value: revision }, verdict }],
    checkStates: [{ check: 'errors', state: { revision }, verdict }],
    service: isPromoted
      ? { stableSlot: canarySlot(['blue', 'green'], service.stableSlot), stableVersion: release.version }
      : null,
    audit: { actor: 'ann', action: 'commit', subject: release.id, reason: null, data: { revision } },
    notify: NOTIFIERS,
    dueAt: now,
    lease: { worker: 'w', ms: 1_000 },
  };
}

const acknowledge = (line: Acknowledged): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const told = (claimed: Claimed): Acknowledged => ({
  release: claimed.release.id,
  revision: claimed.revision,
  events: claimed.release.seq,
  notices: claimed.release.seq * NOTIFIERS.length,
  intents: claimed.targets[0]?.seq ?? 0,
});

async function live(store: Store, serial: number, luck: Chance, clock: { now: Instant }): Promise<void> {
  const id = ReleaseId(`r${serial}`);
  const stableVersion = (await store.service('checkout'))?.stableVersion ?? null;
  const made = create(aCreation({ id, version: `1.${serial}.0`, stableVersion }), clock.now);
  const created = await store.create({
    release: made.next,
    events: made.events,
    audit: { actor: 'ann', action: 'release.start', subject: id, reason: null, data: {} },
    notify: NOTIFIERS,
    dueAt: clock.now,
    expectActive: null,
  });
  assert(created.ok, `release ${id} is created`);
  for (;;) {
    const claimed = await store.load(id);
    assert(claimed, `release ${id} is there`);
    acknowledge(told(claimed));
    if (isEnded(claimed.release)) return;
    const { phase } = claimed.release;
    clock.now = 'until' in phase ? after(phase.until, luck.int(0, 50)) : after(clock.now, 100);
    const decision = decide(claimed.release, nextInput(claimed.release, luck), clock.now);
    const committed = await store.commit(commitOf(claimed, decision.next, decision.events, clock.now));
    assert(committed.ok, `the commit after revision ${claimed.revision} of ${id} is taken`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, synchronous: { type: 'string', default: 'FULL' } },
  });
  const file = positionals[0];
  assert(file, 'the database file is named');
  const weaken = values.synchronous === 'NORMAL' ? weakened(file) : () => {};
  const luck = chance(Number(values.seed), 'power-cut workload');
  const clock = { now: NOON };
  const now = (): Instant => clock.now;
  let serial = 0;
  for (const lot of LOTS) {
    const store = await openSqlite({ file, now });
    weaken();
    if (serial === 0) {
      const target = { id: EDGE, service: 'checkout', router: 'edge', route: 'app', cell: 'eu' } as const;
      await store.configure(
        [{ name: 'checkout', slots: ['blue', 'green'] }],
        [{ ...target, slots: ['blue', 'green'], management: 'enforce' }],
      );
      await store.setStable(
        'checkout',
        { slot: null, version: FIRST_VERSION },
        { actor: ann.name, action: 'service.stable', subject: 'checkout', reason: null, data: {} },
      );
    }
    for (let n = 0; n < lot; n++) await live(store, ++serial, luck, clock);
    await store.close();
  }
}

if (import.meta.main) await main();
