/** Those who use Headgate: CI starts releases, people send commands, at bad moments and twice. */
import type { Commands } from '../../src/controller/commands.ts';
import type { Actor, Command, Release } from '../../src/domain/release.ts';
import { isEnded } from '../../src/domain/release.ts';
import type { Chance } from './chance.ts';
import type { Faults } from './faults.ts';
import type { Oracle } from './oracle.ts';
import { plan, POISON, truthOf } from './spec.ts';
import type { Pace, ServiceSpec, Truth } from './spec.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type PeopleWorld = {
  readonly clock: VirtualClock;
  readonly draw: Chance;
  /** Of those who change flags elsewhere. */
  readonly flags: Chance;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly services: readonly ServiceSpec[];
  readonly releases: number;
  readonly truths: Map<string, Truth>;
  readonly faultsForMs: number;
  readonly pace: Pace;
  /** Commands of a process that is up, or null when none is. */
  commands(): Commands | null;
  stableVersionOf(service: string): Promise<string | null>;
  /** The stable slot of the release's service runs its version by now. */
  onReplaced(release: Release): void;
  readonly sometimes: (name: string) => void;
  readonly trace: (line: () => string) => void;
  onBug(detail: string): void;
};

const PEOPLE: readonly Actor[] = ['ada', 'grace', 'edsger'].map((name) => ({ kind: 'person', name }));
const CI: Actor = { kind: 'ci', name: 'pipeline' };

export function people(world: PeopleWorld): void {
  const { clock, draw } = world;
  for (let number = 1; number <= world.releases; number++) {
    const atMs = number === 1 ? draw.int(1, 20) * 1_000 : draw.int(0, world.faultsForMs * 0.8);
    clock.after(atMs, () => void startRelease(world, number));
  }
  const gapMs = draw.pick([15_000, 60_000, 240_000]) * world.pace.people;
  const meddle = (): void =>
    clock.after(-Math.log(1 - draw.next()) * gapMs, () => {
      if (clock.nowMs() < world.faultsForMs) {
        void command(world);
        if (draw.hits(0.1)) void command(world);
      }
      meddle();
    });
  meddle();
  const flip = (): void =>
    clock.after(-Math.log(1 - world.flags.next()) * gapMs * 3, () => {
      if (clock.nowMs() < world.faultsForMs) void changeFlag(world);
      flip();
    });
  flip();
  const tend = (): void =>
    clock.after(20_000 * world.pace.looks, () => {
      void look(world);
      tend();
    });
  tend();
}

async function startRelease(world: PeopleWorld, number: number): Promise<void> {
  const { draw, truths } = world;
  const service = draw.pick(world.services).settings.name;
  const commands = world.commands();
  if (!commands) return;
  const version = `${service}-v${number}`;
  truths.set(version, truthOf(draw));
  const request = {
    plan: { ...plan(service, draw, world.pace), onFlagChange: POLICIES[number % POLICIES.length] ?? 'hold' },
    version,
    paused: draw.hits(0.1),
    onBusy: draw.hits(0.2) ? draw.pick(['queue', 'supersede'] as const) : null,
    reason: null,
  };
  const first = (await world.stableVersionOf(service)) === null;
  await guarded(world, async () => {
    const started = await commands.start({ ...request, first }, CI);
    world.trace(() => `start ${version}: ${started.ok ? started.value.release.phase.kind : started.error.kind}`);
  });
}

const POLICIES = ['hold', 'annotate', 'hold', 'pause', 'hold', 'hold', 'rollback'] as const;

/** A flag of the service is another one, told as often as an inbox may tell it; a release that moves is told again later. */
async function changeFlag(world: PeopleWorld): Promise<void> {
  const { flags, clock } = world;
  const running = open(world);
  if (running.length === 0) return;
  const { id } = flags.pick(running);
  const confirmed = flags.pick(['read', 'read', 'signed', 'claimed'] as const);
  const change = {
    source: 'ld',
    flag: 'x',
    fingerprint: flags.pick(['A', 'B', 'C']),
    what: 'off → on',
    changedBy: null,
    confirmed,
  };
  const tell = async (tries: number): Promise<void> => {
    const told = await world.commands()?.flagChanged(id, change);
    world.trace(
      () =>
        `flag ${change.fingerprint} ${confirmed} told to ${id}: ${told?.ok ? 'done' : (told?.error.detail ?? 'nobody is up')}`,
    );
    if (told?.ok && tries > 0) world.sometimes('flag told after waiting');
    if (!told?.ok && tries < 5) clock.after(2_000, () => void guarded(world, () => tell(tries + 1)));
  };
  await guarded(world, () => tell(0));
  if (flags.hits(0.3)) await guarded(world, () => tell(0));
}

const open = ({ oracle }: PeopleWorld): readonly Release[] =>
  [...oracle.releases.values()].map(({ release }) => release).filter((release) => !isEnded(release));

async function command(world: PeopleWorld): Promise<void> {
  const { draw } = world;
  const running = open(world);
  if (running.length === 0) return;
  await send(world, draw.pick(running), anyCommand(draw));
}

function anyCommand(draw: Chance): Command {
  const reason = draw.hits(0.5) ? 'because' : null;
  const roll = draw.int(0, 99);
  if (roll < 20) return { verb: 'pause', reason };
  if (roll < 45) return { verb: 'resume', reason };
  if (roll < 60) return { verb: 'approve', reason };
  if (roll < 63) return { verb: 'reject', reason };
  if (roll < 72) return { verb: 'confirmReplaced', reason };
  if (roll < 92) return { verb: 'promote', full: draw.hits(0.3), force: draw.hits(0.2), reason, mayApprove: true };
  return { verb: 'rollback', reason };
}

/** Somebody is on call: what waits for a person gets one. */
async function look(world: PeopleWorld): Promise<void> {
  const { draw, faults } = world;
  for (const release of open(world)) {
    if (release.phase.kind === 'awaitingApproval' && draw.hits(0.3))
      await send(world, release, { verb: 'approve', reason: null });
    if (release.phase.kind === 'promoting' && draw.hits(0.4))
      await send(world, release, { verb: 'confirmReplaced', reason: null });
    const isForgotten = release.quarantined !== null && release.rollback === null && (faults.isHealed() || draw.hits(0.1));
    if (isForgotten) await send(world, release, { verb: 'rollback', reason: 'it is quarantined' });
  }
}

async function send(world: PeopleWorld, release: Release, asked: Command): Promise<void> {
  const commands = world.commands();
  if (!commands) return;
  const actor = world.draw.pick(PEOPLE);
  if (asked.verb === 'confirmReplaced' && release.phase.kind === 'promoting') world.onReplaced(release);
  await guarded(world, async () => {
    const sent = await commands.send(release.id, asked, { actor, ifMatch: world.draw.hits(0.3) ? release.seq : null });
    if (!sent.ok) world.sometimes('command refused');
    world.trace(() => `${actor.name} asks ${release.id} to ${asked.verb}: ${sent.ok ? 'done' : sent.error.detail}`);
  });
}

/** A store that cannot be used is an answer 503 to them; a poisoned plan is refused by an assertion. All else is a bug. */
async function guarded(world: PeopleWorld, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const text = String(error instanceof Error ? error.stack : error);
    const isExpected = text.includes('StoreUnavailable') || text.includes(POISON);
    if (!isExpected) world.onBug(text);
  }
}
