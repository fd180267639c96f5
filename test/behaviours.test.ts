/**
 * What people expect of a progressive delivery controller, learned from the suites of those that exist, as 132 numbered
 * lines: each names the test or the golden story that shows it here, or says why it does not apply, or what will bring it.
 * A test that was renamed or removed makes this one fail.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Proof =
  | { readonly file: string; readonly test: string }
  /** A golden story; `golden.test.ts` tells every one of them. */
  | { readonly story: string }
  /** Does not apply, because of how Headgate is made. */
  | { readonly not: string }
  /** Not yet: what will bring it. */
  | { readonly later: string };

const decide = (test: string): Proof => ({ file: 'src/domain/decide.test.ts', test });
const command = (test: string): Proof => ({ file: 'src/domain/command.test.ts', test });
const course = (test: string): Proof => ({ file: 'src/domain/course.test.ts', test });
const tick = (test: string): Proof => ({ file: 'src/controller/tick.test.ts', test });
const prepare = (test: string): Proof => ({ file: 'src/controller/prepare.test.ts', test });
const commands = (test: string): Proof => ({ file: 'src/controller/commands.test.ts', test });
const deliver = (test: string): Proof => ({ file: 'src/controller/deliver.test.ts', test });
const due = (test: string): Proof => ({ file: 'src/controller/due.test.ts', test });
const upkeep = (test: string): Proof => ({ file: 'src/controller/upkeep.test.ts', test });
const scheduler = (test: string): Proof => ({ file: 'src/scheduler/scheduler.test.ts', test });
const property = (test: string): Proof => ({ file: 'test/properties.test.ts', test });
const judge = (test: string): Proof => ({ file: 'src/domain/analysis/judge.test.ts', test });
const threshold = (test: string): Proof => ({ file: 'src/domain/analysis/threshold.test.ts', test });
const wrong = (test: string): Proof => ({ file: 'test/wrong/wrong.test.ts', test });
const story = (name: string): Proof => ({ story: name });
const not = (reason: string): Proof => ({ not: reason });
const later = (what: string): Proof => ({ later: what });

const NO_CAPACITY = 'Headgate runs no instances and knows no counts of them; it asks whether a slot is healthy';

type Line = readonly [number: number, behaviour: string, proof: Proof];

const PROGRESSION: readonly Line[] = [
  [
    1,
    'a first release skips steps and checks',
    commands('asks for the stable version, or for the word that this is the first release'),
  ],
  [2, 'steps in order, never two at a time', property('never enters two steps in one decision, and never leaves one out')],
  [
    3,
    'the step before counts until the new weight is on',
    decide('stands at the step before until the new weight was read back everywhere'),
  ],
  [4, 'all traffic only after the last step', decide('wants full weight only after the last step and the bake')],
  [
    5,
    'at rest again once promoted',
    tick('takes a good release through its steps to full weight, and swaps the roles without a write'),
  ],
  [
    6,
    'another denominator than 100',
    { file: 'src/domain/ids.test.ts', test: 'writes weights as people do, to the basis point' },
  ],
  [7, 'an even step width stops after the highest weight', not('a plan lists its weights; there is no step width')],
  [8, 'a list of weights, all well', story('good-release')],
  [
    9,
    'no weight above the whole',
    { file: 'src/domain/ids.test.ts', test: 'refuses a weight that is not a whole number of basis points from 0 to 10000' },
  ],
  [
    10,
    'traffic goes back in steps after the promotion',
    not('a swap moves nothing after full weight; a replaced stable slot takes all of it at once'),
  ],
  [
    11,
    'all on stable while the canary cannot serve',
    prepare('waits at the start for a slot that is not healthy, and starts when it is'),
  ],
  [
    12,
    'the weight is reset before a slot gets another version',
    commands('supersedes what is there: it goes back, and the new release starts from the stable version'),
  ],
  [13, 'the way back leads to the slot that was stable', tick('takes a bad release back within the tick that saw it')],
  [14, 'several routers in one step, all or not at all', story('lockstep')],
  [15, 'a share of the capacity is enough', not(NO_CAPACITY)],
];

const PAUSES: readonly Line[] = [
  [16, 'a timed pause lasts exactly so long', story('planned-pause')],
  [17, 'its timer outlives many looks', decide('does not leave a pause early, however often it is looked at')],
  [
    18,
    'a pause without a time waits for a person',
    decide('lets the pause of a person last until a person ends it, or the deadline of the release'),
  ],
  [19, 'a pause by a person outlives the timer of the plan', story('paused-during-planned-pause')],
  [
    20,
    'a pause longer than the deadline (here the deadline of the release wins, and says so)',
    property('ends every wait at the deadline at the latest'),
  ],
  [21, 'no coming and going of states while paused', decide('says nothing new while it is paused')],
  [22, 'resuming goes exactly one step on', command('resumes into exactly the next step')],
  [23, 'scaling does not resume', not(NO_CAPACITY)],
  [24, 'created paused', story('created-paused')],
];

const PROMOTING: readonly Line[] = [
  [25, 'back, again, promoted, in sequence', commands('runs back, again and to the end in sequence')],
  [26, 'promoted fully from a timed pause', command('promotes fully from a timed pause')],
  [
    27,
    'promoted fully in the middle of a judgement, which ends',
    command('promotes fully in the middle of a step, and the verdict of that step does not count at the new weight'),
  ],
  [28, 'promoted fully only as capacity allows', not(NO_CAPACITY)],
  [29, 'blue-green promoted from its gate', decide('keeps all traffic on stable until a blue-green release is let through')],
  [30, 'the way back zeroes the weight and ends the judging', decide('judges nothing any more once it goes back')],
  [31, 'back while every canary instance is gone', tick('goes back although the canary is gone altogether')],
  [
    32,
    'going back never raises',
    property('never raises the weight again after a rollback was decided, and only goes down from there'),
  ],
  [33, 'going back at the pace of the stable capacity', not(NO_CAPACITY)],
  [34, 'going back with a delayed scale-down', not(NO_CAPACITY)],
  [35, 'what becomes of the canary after going back', not('whoever deployed the canary decides; its slot gets no traffic')],
  [36, 'another try has a deadline of its own', commands('gives every release a deadline of its own, from its start')],
  [
    37,
    'another try begins with a clean state',
    commands('starts the same version again after it was rolled back, from the first step'),
  ],
  [38, 'taken back by hand in the middle', story('rolled-back-while-watching')],
  [
    39,
    'the same version again after it failed',
    commands('starts the same version again after it was rolled back, from the first step'),
  ],
  [40, 'the live version is no release', commands('refuses to start what cannot be released, and says what to do')],
  [41, 'back to a chosen older version', commands('releases an older version like any other')],
  [
    42,
    'a quick return within a window skips the judging',
    not('nothing goes up unjudged; an older version is judged like a newer one'),
  ],
  [43, 'back to stable in the middle skips all steps', tick('takes a bad release back within the tick that saw it')],
  [44, 'going back while the plan is edited', commands('keeps the plan of a running release as it was when the release started')],
  [45, 'a fast return while the old version still runs', story('rolled-back-while-settling')],
];

const NEWER: readonly Line[] = [
  [
    46,
    'a newer version begins at the first step with nothing counted',
    commands('supersedes what is there: it goes back, and the new release starts from the stable version'),
  ],
  [
    47,
    'an edited plan restarts the release (here it does not touch it)',
    commands('keeps the plan of a running release as it was when the release started'),
  ],
  [48, 'the superseded version is off at once, stable stays', story('superseded')],
  [49, 'superseding does not overload stable', not(NO_CAPACITY)],
  [50, 'routes made for the superseded version are removed', later('header and mirror routes as plan steps')],
  [
    51,
    'taken back, then a newer version',
    commands('goes from good to bad to bad to good, with the last good one stable throughout'),
  ],
  [
    52,
    'good to bad, bad to bad, bad to good',
    commands('goes from good to bad to bad to good, with the last good one stable throughout'),
  ],
  [53, 'a new version and another size at once', not(NO_CAPACITY)],
];

const VERDICTS: readonly Line[] = [
  [
    54,
    'a pass goes exactly one step on',
    property('goes up by itself only after the time of the place was over and its checks passed'),
  ],
  [55, 'a failing check takes the release back', story('bad-at-second-step')],
  [56, 'one failing check of several is enough', story('hard-breach')],
  [
    57,
    'inconclusive waits, without going round in circles',
    decide('holds while the checks are inconclusive, and goes on when they pass'),
  ],
  [
    58,
    'limits on failures, errors and passes to the number',
    threshold('fails when so many of the last so many are outside, above or below'),
  ],
  [
    59,
    'which verdict wins when several apply',
    { file: 'src/domain/analysis/summary.test.ts', test: 'takes the worst verdict: fail, error, no data, inconclusive, pass' },
  ],
  [60, 'one good answer ends a run of errors', judge('gives the pass back when the provider does, with nothing lost in between')],
  [61, 'no more measuring after one check failed', decide('judges nothing any more once it goes back')],
  [62, 'a check that is only watched never fails a release', property('never goes back because of a check that is only watched')],
  [63, 'only watched checks pass', decide('passes a step whose checks are all only watched')],
  [64, 'a warm-up before the first judgement', judge('leaves out the warm-up for soft limits')],
  [65, 'a measurement that ends later', not('a provider answers within its deadline, or it is an error')],
  [
    66,
    'the next look is the earliest that anything needs',
    due('measures in the rhythm of the plan, and is there at the moment a step ends'),
  ],
  [67, 'asked again after an error', tick('holds for a provider that fails or is silent, and never promotes without it')],
  [68, 'old measurements go, the newest stay', upkeep('keeps what is younger than the time to keep it')],
  [
    69,
    'nothing of a running release is dropped',
    upkeep('forgets old measurements of what has ended, and nothing of what is running'),
  ],
  [70, 'an empty answer is said in words that help', judge('is no data when it has no series of the canary')],
  [
    71,
    'no number, infinite, missing',
    {
      file: 'src/domain/analysis/judge-properties.test.ts',
      test: 'never passes on one good answer spoilt by a number that none can be',
    },
  ],
  [72, 'what cannot be judged is an error and no pass', judge('is an error when no answer was ever good')],
  [
    73,
    'a missing secret is an error, and secrets stay out of it',
    later('secrets: `env:` and `file:` references resolved at start'),
  ],
  [74, 'the same check twice is refused', not('checks are the keys of a map, which YAML does not take twice')],
  [75, 'a step says which checks begin with it', decide('judges only the checks that a step names')],
  [76, 'a first release is not judged', course('sends a first release straight to full weight')],
  [77, 'a plan that loses its checks', commands('keeps the plan of a running release as it was when the release started')],
  [78, 'a long job outside, with a deadline', later('checks that wait for a job')],
  [
    79,
    'a check that cannot run is no success',
    tick('holds for a provider that fails or is silent, and never promotes without it'),
  ],
  [
    80,
    'a check that nobody can answer is an error',
    tick('names a provider and a router that are not configured instead of passing'),
  ],
  [81, 'whether a provider can be reached is told', tick('cuts off a provider that hangs, and counts it as an error')],
  [82, 'no traffic is a reason that can be read', story('no-data-until-deadline')],
  [83, 'a limit reached: back to nothing, and it is called failed', story('bad-at-second-step')],
  [
    84,
    'no checks: promoted; never ready: back at the deadline',
    decide('goes up without a verdict where the plan names no checks'),
  ],
  [85, 'measurements as metrics', later('verdicts on /metrics')],
  [
    86,
    'counts of good and bad ends as metrics',
    { file: 'src/controller/record.test.ts', test: 'counts every event by its type, once, and only after it was committed' },
  ],
];

const BLUE_GREEN: readonly Line[] = [
  [
    87,
    'nobody is on the new version before the switch',
    decide('keeps all traffic on stable until a blue-green release is let through'),
  ],
  [
    88,
    'no switch before the new slot is healthy',
    prepare('waits at the start for a slot that is not healthy, and starts when it is'),
  ],
  [89, 'refused before the switch: no switch', decide('keeps all traffic on stable until a blue-green release is let through')],
  [90, 'failing after the switch: back', decide('goes back when a check fails at full weight, before the roles swap')],
  [
    91,
    'a target that flaps does not end the judging early',
    tick('holds what is served when drift is seen, and judges only what came after'),
  ],
  [92, 'switches by itself after a time, or waits', story('approval-expired-goes-on')],
  [
    93,
    'the old version is kept for a while',
    not('whoever deployed the old version removes it; until the roles swap it has to be up'),
  ],
  [94, 'the deadline, paused or not', property('ends every wait at the deadline at the latest')],
  [95, 'the deadline takes the release back', story('no-data-until-deadline')],
  [96, 'judged for a while at full weight, then done or back', story('rolled-back-while-baking')],
  [97, 'from one strategy to the other', commands('keeps the plan of a running release as it was when the release started')],
];

const ROUTING: readonly Line[] = [
  [98, 'routes by header', later('header routes as plan step')],
  [99, 'mirrored requests', later('mirror routes as plan step')],
  [100, 'mirrored first, then shifted', later('mirror routes as plan step')],
  [101, 'by header or cookie for a number of rounds', later('strategy ab')],
  [
    102,
    'who was on the canary stays there',
    { file: 'src/domain/assign.test.ts', test: 'never moves a client away from the second slot by raising its share' },
  ],
  [
    103,
    'nobody sticks to a canary that is off',
    {
      file: 'src/domain/assign.test.ts',
      test: 'sends nobody at nothing, everybody at the whole, and about a quarter at a quarter',
    },
  ],
  [104, 'weighted experiments', later('experiments as plan step')],
  [
    105,
    'roles swap without touching connections',
    tick('takes a good release through its steps to full weight, and swaps the roles without a write'),
  ],
  [106, 'TLS and TCP', later('adapters of real load balancers')],
  [
    107,
    'a weight that is not read back blocks, and loses nothing',
    tick('does not believe an acknowledgement: a weight that is not read back is not on'),
  ],
  [108, 'a failed write is tried again and shown', tick('retries a raise with growing waits, and a lowering within a second')],
  [109, 'what others wrote on the router stays', later('adapters of real load balancers')],
  [
    110,
    'taking over what is there, and leaving it',
    {
      file: 'src/controller/reconcile.test.ts',
      test: 'adopts between releases what somebody set, where the target is so managed',
    },
  ],
];

const HOOKS: readonly Line[] = [
  [
    111,
    'webhooks: what is sent, what counts as received, what is tried again',
    deliver('tries again later when nobody answers, and lets nothing overtake'),
  ],
  [
    112,
    'a checksum that changes with the configuration',
    not('a release carries its own copy of the plan and is named by its version'),
  ],
  [
    113,
    'a hook holds before anything starts',
    prepare('asks the hook of the operator before it starts, with the same key every time'),
  ],
  [114, 'a gate before the promotion, judged meanwhile', decide('goes back on a failing check while it waits for an approval')],
  [115, 'notifiers by severity', later('filters of notifiers')],
  [
    116,
    'a step of the own: done, failed, tried until its time is over',
    prepare('ends the wait for a replacement in time even when its hook keeps failing'),
  ],
  [
    117,
    'nothing is left over from the release before',
    commands('starts the same version again after it was rolled back, from the first step'),
  ],
  [118, 'a notifier that is not there hurts nobody', deliver('parks what is for a notifier that nobody configured')],
];

const LIFECYCLE: readonly Line[] = [
  [119, 'the deadline ends a release that does not move', tick('rolls back at the deadline while the router refuses the raise')],
  [120, 'never ready: back at the deadline', story('never-ready')],
  [121, 'stable fails while it is replaced: traffic stays where it is well', story('replacement-hook-fails')],
  [122, 'stable is not ready in time: stop, keep the canary', story('replacement-overdue-holds')],
  [123, 'a wrong plan is told as such', wrong('plans')],
  [
    124,
    'a provider that cannot be made is an error of the check',
    tick('names a provider and a router that are not configured instead of passing'),
  ],
  [125, 'how long releases take, by how they end', later('durations on /metrics')],
  [
    126,
    'told only after it was written',
    { file: 'src/controller/record.test.ts', test: 'counts every event by its type, once, and only after it was committed' },
  ],
  [127, 'a changed configuration starts a release', not('CI starts releases; Headgate watches no files of others')],
  [128, 'not reading the configuration is no change of it', not('CI starts releases; Headgate watches no files of others')],
  [129, 'metrics about the controller are served', later('the tests of the HTTP API')],
  [
    130,
    'one works on a release at a time, and stops cleanly',
    scheduler('stops without claiming anything more, and waits for what runs'),
  ],
  [131, 'CI waits for a named condition', later('the tests of the HTTP API and of the CLI')],
  [132, 'two equal starts at once', commands('lets one of two that start at the same moment through, and refuses the other')],
];

const LINES = [...PROGRESSION, ...PAUSES, ...PROMOTING, ...NEWER, ...VERDICTS, ...BLUE_GREEN, ...ROUTING, ...HOOKS, ...LIFECYCLE];

/** Groups in which everything is here already: what cannot apply may be left out, and nothing may be put off. */
const MUST_BE_SHOWN: readonly (readonly Line[])[] = [PROGRESSION, PAUSES, PROMOTING];

it('speaks of all 132 lines, each once and in order', () => {
  expect(LINES.map(([number]) => number)).toEqual(Array.from({ length: 132 }, (_, index) => index + 1));
});

it('puts off nothing about going up, pausing, promoting and going back', () => {
  const put = MUST_BE_SHOWN.flat().filter(([, , proof]) => 'later' in proof);
  expect(put).toEqual([]);
});

describe('each line', () => {
  it.each(LINES)('%i: %s', (_number, _behaviour, proof) => {
    if ('not' in proof) return expect(proof.not).toMatch(/\S{3}/);
    if ('later' in proof) return expect(proof.later).toMatch(/\S{3}/);
    if ('story' in proof) return expect(existsSync(new URL(`golden/${proof.story}.txt`, import.meta.url))).toBe(true);
    expect(testsIn(proof.file)).toContain(proof.test);
  });
});

const read = new Map<string, readonly string[]>();

/** The names of the tests and groups in a file, as they stand in its source. */
function testsIn(file: string): readonly string[] {
  const known = read.get(file);
  if (known) return known;
  const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  const names = [...source.matchAll(/\b(?:it|test|describe)(?:\.each\([^)]*\))?\(\s*(['"])(.*?)\1,/g)].map(
    (match) => match[2] ?? '',
  );
  read.set(file, names);
  return names;
}
