/**
 * The language of the golden stories. Lines at the margin are what is told to a release; the indented lines beneath each
 * are what came of it, one per event: time since the start, number, phase, wanted weight, hold, sentence.
 *
 * Settings come first (`steps`, `hold`, `bake`, `checks`, `deadline`, `on no data`, `promotion`, `targets`), then `start`,
 * then inputs, each with `after 10s:` before it or not. A line with `#` is a comment. What is indented is never read.
 */
import type { CheckVerdict, Verdict } from '../../src/domain/analysis/measurement.ts';
import { create } from '../../src/domain/create.ts';
import type { Creation } from '../../src/domain/create.ts';
import { decide } from '../../src/domain/decide.ts';
import type { ReleaseEvent, TargetFailure } from '../../src/domain/event.ts';
import { evolve } from '../../src/domain/evolve.ts';
import { Instant, percent, ReleaseId, TargetId, Weight } from '../../src/domain/ids.ts';
import type { Input, Served } from '../../src/domain/input.ts';
import type { Plan, Step } from '../../src/domain/plan.ts';
import type { Actor, Command, Release } from '../../src/domain/release.ts';
import { parseDuration } from '../../src/lib/duration.ts';
import { aCreation, aPlan, NOON, onNoData, ratio, threshold, verdictOf } from '../story.ts';

/** The same text with the lines that came of it written anew. */
export function retell(text: string): string {
  const teller = newTeller();
  const lines = text.split('\n').filter((line) => !/^\s+\S/.test(line));
  const told = lines.flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return [line];
    try {
      return [line, ...teller(line).map((outcome) => `    ${outcome}`)];
    } catch (error) {
      throw new Error(`line ${index + 1} without its outcomes, "${line}": ${String(error)}`, { cause: error });
    }
  });
  return told.join('\n');
}

type Setup = {
  readonly holdMs: number;
  readonly stepTexts: readonly string[];
  readonly plan: Plan;
  readonly creation: Partial<Creation>;
};

function newTeller(): (line: string) => readonly string[] {
  let setup: Setup = { holdMs: 300_000, stepTexts: ['1%', '10%', '50%'], plan: aPlan(), creation: {} };
  let release: Release | null = null;
  let now = NOON;
  const show = (events: readonly ReleaseEvent[]): readonly string[] =>
    events.map((event) => {
      release = evolve(release, event);
      return eventLine(release, event);
    });
  return (line) => {
    if (line.startsWith('start ')) return show(create(started(setup, words(line).slice(1)), now).events);
    if (release === null) {
      setup = configured(setup, line);
      return [];
    }
    const timed = /^after (\S+): (.*)$/.exec(line);
    if (timed) now = Instant(now + ms(timed[1]));
    const decision = decide(release, inputOf(timed?.[2] ?? line, release, now), now);
    if (decision.refusal !== null) return [`refused: ${decision.refusal}`];
    return decision.events.length === 0 ? ['nothing'] : show(decision.events);
  };
}

function eventLine(release: Release, event: ReleaseEvent): string {
  const time = new Date(event.at - NOON).toISOString().slice(11, 19);
  const hold = release.hold === null ? '' : `, held: ${release.hold.reason}`;
  return `${time} #${event.seq} [${release.phase.kind} ${percent(release.wanted)}${hold}] ${event.sentence}`;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

function ms(text: string | undefined): number {
  const parsed = parseDuration(text ?? '');
  if (parsed === null) throw new Error(`no duration: ${text}`);
  return parsed;
}

function weight(text: string | undefined): Weight {
  const found = /^([\d.]+)%$/.exec(text ?? '');
  if (!found) throw new Error(`no weight: ${text}`);
  return Weight(Math.round(Number(found[1]) * 100));
}

function configured(setup: Setup, line: string): Setup {
  const [key, ...rest] = words(line);
  const planned = (change: Partial<Plan>): Setup => ({ ...setup, plan: { ...setup.plan, ...change } });
  switch (key) {
    case 'steps':
      return { ...setup, stepTexts: rest };
    case 'hold':
      return { ...setup, holdMs: ms(rest[0]) };
    case 'bake':
      return planned({ bake: { forMs: ms(rest[0]), holdBack: rest[1] === 'less' ? weight(rest[2]) : Weight(0) } });
    case 'deadline':
      return planned({ deadlineMs: ms(rest[0]) });
    case 'checks':
      return planned({ checks: Object.fromEntries(rest.map((text) => checkOf(text)).map((check) => [check.name, check])) });
    case 'on': {
      if (rest[0] === 'flag') return planned({ onFlagChange: flagPolicy(rest[2]) });
      const answer = rest[2];
      if (answer !== 'hold' && answer !== 'rollback' && answer !== 'continue')
        throw new Error('on no data hold|rollback|continue');
      return planned(onNoData(setup.plan, answer));
    }
    case 'promotion': {
      const [, , within, , otherwise] = rest;
      if (otherwise !== 'rollback' && otherwise !== 'hold')
        throw new Error('promotion replace within 30m otherwise hold|rollback [hook]');
      return {
        ...setup,
        creation: {
          ...setup.creation,
          promotion: { kind: 'replace', withinMs: ms(within), otherwise, hook: rest[5] === 'hook' },
        },
      };
    }
    case 'targets':
      return { ...setup, creation: { ...setup.creation, targets: rest.map(TargetId) } };
    default:
      throw new Error(`unknown setting ${key}`);
  }
}

function flagPolicy(text: string | undefined): NonNullable<Plan['onFlagChange']> {
  if (text !== 'annotate' && text !== 'hold' && text !== 'pause' && text !== 'rollback')
    throw new Error('on flag change annotate|hold|pause|rollback');
  return text;
}

/** `errors` compares with stable, `cpu!` is absolute, `slow?` is a dry run. */
function checkOf(text: string) {
  const name = text.replace(/[!?]$/, '');
  return text.endsWith('!') ? threshold(name) : ratio(name, text.endsWith('?'));
}

/** `10%`, `10%/15m`, `approve/2/4h/rollback`, `pause/10m/continue`. */
function stepOf(text: string, { holdMs, plan }: Setup): Step {
  const parts = text.split('/');
  const [kind, first, second, third] = parts;
  const otherwise = parts.at(-1) === 'continue' ? 'continue' : 'rollback';
  if (kind === 'approve')
    return { kind, by: Number(first), withinMs: ms(second), otherwise: third === 'continue' ? 'continue' : 'rollback' };
  if (kind === 'pause') return { kind, forMs: ms(first), otherwise };
  return {
    kind: 'weight',
    weight: weight(kind),
    holdMs: first === undefined ? holdMs : ms(first),
    checks: Object.keys(plan.checks),
  };
}

function started(setup: Setup, [version = '', ...options]: readonly string[]): Creation {
  const behind = options.indexOf('behind');
  const first = options.includes('first');
  return aCreation({
    ...setup.creation,
    plan: { ...setup.plan, steps: setup.stepTexts.map((text) => stepOf(text, setup)) },
    version,
    first,
    stableVersion: first ? null : '1.0.0',
    startPaused: options.includes('paused'),
    behind: behind < 0 ? null : ReleaseId(options[behind + 1] ?? ''),
  });
}

function inputOf(text: string, release: Release, now: Instant): Input {
  const [kind, ...rest] = words(text);
  switch (kind) {
    case 'prepared': {
      const [outcome, reason, ...detail] = rest;
      if (outcome === 'ok') return { kind, failure: null };
      return { kind, failure: { reason: reason === 'hook' ? 'hook' : 'preflight', detail: detail.join(' ') } };
    }
    case 'unblocked':
      return { kind, stableVersion: rest[1] ?? null };
    case 'shifted': {
      const late = rest[0]?.endsWith('%') === true;
      const [outcome, ...failing] = late ? rest.slice(1) : rest;
      return {
        kind,
        weight: late ? weight(rest[0]) : release.wanted,
        failures: outcome === 'ok' ? [] : failuresOf(failing.join(' ')),
      };
    }
    case 'observe':
      return observedOf(rest.join(' '), release, now);
    case 'hooked': {
      const [hook = '', outcome, ...detail] = rest;
      if (outcome !== 'done' && outcome !== 'accepted' && outcome !== 'failed')
        throw new Error('hooked <name> done|accepted|failed');
      return { kind, hook, outcome, detail: detail.join(' ') };
    }
    case 'superseded':
      return { kind, by: ReleaseId(rest[1] ?? ''), actor: actorOf(rest[3]) };
    case 'flag':
      return flagOf(text);
    case 'crashed':
      return { kind, error: rest.join(' ') };
    case 'command':
      return commandOf(text);
    default:
      throw new Error(`unknown input ${kind}`);
  }
}

/** `flag ld/checkout-v2 is B by ann "25 % → 50 %"`, with `signed` or `claimed` after `is B` where it could not be read. */
function flagOf(text: string): Input {
  const match = /^flag (\S+)\/(\S+) is (\S+)(?: (signed|claimed))?(?: by (\S+))? "(.*)"$/.exec(text);
  if (!match) throw new Error('flag <source>/<flag> is <fingerprint> [signed|claimed] [by <who>] "what"');
  const [, source = '', flag = '', fingerprint = '', said, changedBy = null, what = ''] = match;
  const confirmed = said === 'signed' || said === 'claimed' ? said : 'read';
  return { kind: 'flagChanged', change: { source, flag, fingerprint, what, changedBy, confirmed } };
}

const actorOf = (name = ''): Actor => ({ kind: name === 'ci' ? 'ci' : 'person', name });

function commandOf(text: string): Input {
  const match = /^command (\w+)( full)?( force)? by (\w+)(?: "(.*)")?$/.exec(text);
  if (!match) throw new Error('command <verb> [full] [force] by <who> ["why"]');
  const [, verb, full, force, who, reason = null] = match;
  const actor = actorOf(who);
  switch (verb) {
    case 'promote':
      return {
        kind: 'command',
        command: { verb, full: full !== undefined, force: force !== undefined, reason, mayApprove: true },
        actor,
      };
    case 'pause':
    case 'resume':
    case 'approve':
    case 'reject':
    case 'rollback':
    case 'confirmReplaced': {
      const command: Command = { verb, reason };
      return { kind: 'command', command, actor };
    }
    default:
      throw new Error(`unknown command ${verb}`);
  }
}

/** `pass` for all checks or `errors=fail cpu=pass`, `!` for a hard breach; then `; unreachable …`, `; differs …`, `; by hand …`, `; drifted`. */
function observedOf(text: string, release: Release, now: Instant): Input {
  const [checks = '', ...rest] = text.split(';').map((part) => part.trim());
  const named = words(checks).flatMap((word): readonly (readonly [string, string])[] => {
    if (word === 'none') return [];
    const [name, verdict] = word.split('=');
    return verdict === undefined
      ? Object.keys(release.plan.checks).map((check) => [check, word] as const)
      : [[name ?? '', verdict]];
  });
  const verdicts = Object.fromEntries(named.map(([name, word]) => [name, judged(word)]));
  const served = rest.map(servedOf).find((found) => found !== null) ?? { kind: 'asWanted' };
  return { kind: 'observed', served, driftAt: rest.includes('drifted') ? now : null, verdicts, restart: null };
}

function servedOf(text: string): Served | null {
  if (text.startsWith('unreachable ')) return { kind: 'unreachable', failures: failuresOf(text.slice('unreachable '.length)) };
  if (text.startsWith('differs ')) return { kind: 'differs', byHand: false, failures: failuresOf(text.slice('differs '.length)) };
  return text.startsWith('by hand ')
    ? { kind: 'differs', byHand: true, failures: failuresOf(text.slice('by hand '.length)) }
    : null;
}

const VERDICTS: readonly Verdict[] = ['pass', 'fail', 'inconclusive', 'no_data', 'error'];

const SENTENCES: Readonly<Record<Verdict, string>> = {
  pass: '0.1 % against 0.1 %',
  fail: '1.9 % against 0.1 %',
  inconclusive: '40 of 100 requests',
  no_data: 'no request since the weight changed',
  error: 'connection refused',
};

function judged(word: string): CheckVerdict {
  const hard = word.endsWith('!');
  const verdict = VERDICTS.find((known) => known === word.replace('!', ''));
  if (verdict === undefined) throw new Error(`no verdict: ${word}`);
  return verdictOf(verdict, { sentence: SENTENCES[verdict], hard });
}

/** `checkout/edge/app timed out, checkout/eu/app refused`. */
const failuresOf = (text: string): readonly TargetFailure[] =>
  text.split(', ').map((each) => {
    const [target = '', ...detail] = words(each);
    return { target: TargetId(target), detail: detail.join(' ') };
  });
