/** Failures 46 to 90: load, starting and stopping, shared databases, networks, attackers, backups. */
import {
  abuse,
  calls,
  commands,
  deliver,
  degraded,
  fault,
  file,
  hooks,
  later,
  limits,
  loop,
  not,
  notifier,
  property,
  router,
  scheduler,
  prometheusApi,
  store,
  story,
  test,
  tick,
  wrong,
} from './proof.ts';
import type { Line } from './proof.ts';

const POSTGRES = 'several processes on PostgreSQL';
const FLAGS = 'flags, and the webhooks that tell of their changes';
const BACKUPS = 'backups and the drills with them';

export const LOAD: readonly Line[] = [
  [46, 'labels of metrics grow without end', abuse('whatever is asked for, the metrics get no more series')],
  [
    47,
    'requests that are too large, too slow or too many',
    abuse('a body that is too long is refused even when it does not say how long it is'),
    abuse('headers that are too long are refused before anything reads them'),
    abuse('three hundred clients that never finish their request keep nobody out'),
    wrong('a body that is too large'),
  ],
  [
    48,
    'readers of events that take their time',
    abuse('a reader of events that takes its time costs no memory: nothing is read that it has no room for'),
    degraded('the console and its stream are gone: nobody who releases notices'),
  ],
  [
    49,
    'all that failed is tried again at once',
    test('src/lib/retry-budget.test.ts', 'adds no more than a tenth and the burst when everything fails'),
    test('src/lib/breaker.test.ts', 'lets one probe out when it was open long enough, and nobody else meanwhile'),
    deliver('waits longer with every failure, by the schedule of the standard, and gives up after the tenth'),
  ],
  [
    50,
    'everything falls due in the same second',
    test('src/controller/due.test.ts', 'spreads releases over the interval, each with a rhythm of its own'),
    test('src/lib/backoff.test.ts', 'spreads attempts over the upper half of the wait, and never goes beyond it'),
  ],
  [
    51,
    'a look at a release begins before the last one has ended',
    loop('never begins a round before the last one has ended'),
    scheduler('never works twice on one release at the same time'),
  ],
  [
    52,
    'ten minutes are missed and made up for all at once',
    loop('makes up for no round that it missed'),
    tick('changes the weight at most once per tick'),
    fault('pause'),
  ],
];

export const STARTING: readonly Line[] = [
  [
    53,
    'it is told to stop in the middle of a step',
    test('test/stop.test.ts', 'SIGTERM in the middle of a release ends the process well, and the next one goes on with it'),
    scheduler('stops without claiming anything more, and waits for what runs'),
    scheduler('stops in the end even when what runs hangs'),
  ],
  [54, 'it dies in the middle of a migration', file('makes all of a migration or nothing of it')],
  [55, 'an older version is started on what a newer one has written', file('refuses a file that a newer Headgate has written')],
  [56, 'two versions run at once', later(POSTGRES)],
];

export const SHARED: readonly Line[] = [
  [57, 'the database moves to another machine', later(POSTGRES)],
  [58, 'the database that answers is the old one', later(POSTGRES)],
  [
    59,
    'nobody knows whether a commit came through',
    fault('store_unknown'),
    store('refuses a commit on an old revision and writes nothing of it'),
    tick('writes nothing when somebody else committed first'),
  ],
  [60, 'the console takes all connections to the database', later(POSTGRES)],
  [61, 'a transaction waits for ever', later(POSTGRES)],
  [62, 'transactions stand in the way of each other', later(POSTGRES)],
  [63, 'the database is cut off and the load balancers are not', later(POSTGRES)],
  [64, 'one process is cut off from the load balancers and others are not', later(POSTGRES)],
  [
    65,
    'names are not resolved, or slowly',
    notifier('takes a name that is not resolved as unreachable, to be tried again'),
    calls('goes on at the deadline although the callee ignores its signal, and leaves no timer'),
  ],
];

export const SECRETS: readonly Line[] = [
  [66, 'a certificate has run out', later('routers over TLS')],
  [
    67,
    'a router does not take our credentials any more',
    tick('rolls back at the deadline while the router refuses the raise'),
    tick('judges while a router cannot be written, and asks for the way back there, too'),
  ],
  [68, 'the key to the secrets is lost', later('secrets that are kept in the store')],
  [
    69,
    'a secret gets into a log, an answer or a notice',
    notifier('takes a closed port and a cancelled call as unreachable, and never tells the address'),
    hooks('never tells the address when nobody is there'),
  ],
  [
    70,
    'it is led to an address inside the own network',
    hooks('follows no redirect to a place that the operator never named'),
    notifier('takes %i as %s'),
  ],
  [
    71,
    'a name in a question to the metric source changes the question',
    prometheusApi('puts values into a query as what they are, whatever is in them'),
  ],
  [72, 'a pattern that takes for ever to match', not('nobody can send a pattern: what is asked for is matched by name')],
  [
    73,
    'names that every object has by itself',
    limits('never lose a check, and never reach the prototype of anything'),
    limits('are names of nothing in a configuration either'),
    test('src/domain/analysis/interval.test.ts', 'keeps names apart that objects have by themselves'),
  ],
];

const tokens = (title: string) => test('test/rights/tokens.test.ts', title);
const jobs = (title: string) => test('test/rights/oidc.test.ts', title);
const chain = (title: string) => test('test/rights/audit.test.ts', title);

export const PEOPLE: readonly Line[] = [
  [
    74,
    'a page of another site steers by the browser of somebody who may',
    abuse('a page of another site cannot steer, whether it sends a body or not; programs and the own console can'),
  ],
  [75, 'a name is taken for markup in the console', abuse('what people name things is text in the console and never markup')],
  [
    76,
    'a token is stolen',
    tokens('is out at once when its token is revoked, and no session makes another'),
    test('test/rights/matrix.test.ts', 'has a right for every route, and refuses whoever has it not'),
  ],
  [
    77,
    'a token is guessed by the time that an answer takes',
    not('a token is looked up by its digest: nothing that is compared is a secret'),
  ],
  [78, 'a token of somebody else is accepted', jobs('%s'), jobs('nor any other, however it came to be')],
  [
    79,
    'the keys that tokens are checked with cannot be had',
    jobs('but one that is away for a while keeps nobody out, and for a day at most'),
    jobs('and is not asked again and again for keys that it does not have'),
  ],
  [
    80,
    'an approval counts for a plan that was changed after it',
    commands('keeps the plan of a running release as it was when the release started'),
    test('src/domain/create.test.ts', 'carries its own copy of the plan in its first event, with who asked for it'),
    property('intends only weights that the plan names, and approves none above them'),
    story('approved-before-the-checks'),
  ],
  [
    81,
    'somebody changes the audit log in the database',
    chain('is found a thousand times of a thousand, with the first bad row'),
    chain('is refused by the database itself'),
  ],
  [
    82,
    'something is done that the audit log does not have',
    store('writes everything of a commit together: state, events, intents, roles, audit, outbox, checks'),
    commands(
      'hands a release to be worked on as soon as it was stored or a command was committed, with the command in the audit log',
    ),
  ],
  [83, 'a client hides behind a made-up address', not('nothing is decided by the address of a client')],
  [84, 'a package that we use turns on us', later('releases of Headgate itself: pinned, listed, signed')],
  [
    85,
    'the way back is held up by what is there to hold up the way on',
    property('can be taken back in every phase in which the canary may have traffic'),
    calls('never keeps a lowering from being tried'),
    commands('never refuses a pause or a rollback for an old version of the release, but all that raises'),
    tick('goes back while a breaker is open, at the first try that reaches the router'),
    router('cuts a slot off at once, whichever it is'),
  ],
];

export const REST: readonly Line[] = [
  [86, 'a flag and a load balancer say different things', later(FLAGS)],
  [87, 'the backup is empty or old', later(BACKUPS)],
  [88, 'a backup is older than what the load balancers serve', later(BACKUPS)],
  [89, 'a watchdog and Headgate work against each other', not('there is no watchdog: nobody but people lowers beside Headgate')],
  [
    90,
    'Headgate is to release itself',
    not('a second process on the same database is refused at its start, so Headgate is no service of its own with two slots'),
  ],
];
