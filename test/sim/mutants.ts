/**
 * Bugs planted on purpose, to see that the simulator finds them: a change of the source text of one or a few modules, made
 * while they are loaded (`mutate.ts`). A text that is not there any more is an error, so that no mutant dies in silence.
 */
export type Edit = { readonly file: string; readonly find: string; readonly put: string };
export type Mutant = {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Worlds from the first one until it has to be caught. */
  readonly within: number;
};

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });

export const mutants: readonly Mutant[] = [
  {
    name: 'the store takes stale commits',
    within: 100,
    edits: [edit('src/store/memory.ts', 'if (!before || before.revision !== revision) return', 'if (!before) return')],
  },
  {
    name: 'the store loses events',
    within: 20,
    edits: [
      edit(
        'src/store/memory.ts',
        'if (stream) stream.push(event);',
        "if (stream && event.type !== 'hold.ended') stream.push(event);",
      ),
    ],
  },
  {
    name: 'the store loses outbox rows',
    within: 20,
    edits: [
      edit(
        'src/store/memory-outbox.ts',
        'if (queue) queue.push(seq);',
        'if (queue && seq % 5 === 0) return seq; else if (queue) queue.push(seq);',
      ),
    ],
  },
  {
    name: 'the outbox is sent in any order',
    within: 50,
    edits: [
      edit(
        'src/store/memory-outbox.ts',
        '.flatMap((queue) => rows.get(queue[0] ?? 0) ?? [])',
        '.flatMap((queue) => queue.flatMap((seq) => rows.get(seq) ?? []))',
      ),
    ],
  },
  {
    name: 'an intent keeps the seq of the last one',
    within: 20,
    edits: [edit('src/store/memory.ts', 'desiredSecond: secondShare, seq: row.target.seq + 1,', 'desiredSecond: secondShare,')],
  },
  {
    name: 'it acts before it commits',
    within: 20,
    edits: [
      edit(
        'src/controller/tick.ts',
        'if (decision.events.length === 0 && (given',
        `if (decision.next.wanted > claimed.release.wanted) for (const { id, router, route, slots, seq } of claimed.targets)
           await ctx.routers.get(router)?.apply({ route: { name: route, slots }, secondShare: decision.next.wanted, seq: seq + 1, direction: 'raise' }, new AbortController().signal);
         if (decision.events.length === 0 && (given`,
      ),
    ],
  },
  {
    name: 'an acknowledgement is believed',
    within: 100,
    edits: [
      edit(
        'src/controller/actuate.ts',
        'nodes.length > 0 && nodes.every((node) => node.reachable && node.secondShare === share)',
        'nodes.length > 0 && share >= 0',
      ),
      edit(
        'src/controller/target-notes.ts',
        'nodes.every((node) => node.secondShare === target.desiredSecond)',
        'nodes.length >= 0',
      ),
    ],
  },
  {
    name: 'nothing settles',
    within: 400,
    edits: [edit('src/controller/commands.ts', 'return Math.max(ctx.settings.settleMinMs, 2 * slowest);', 'return 0 * slowest;')],
  },
  {
    name: 'nothing is reconciled',
    within: 20,
    edits: [edit('src/controller/reconcile.ts', 'if (!claimed) return;', 'if (claimed !== undefined) return;')],
  },
  {
    name: 'no data is a pass',
    within: 50,
    edits: [
      edit('src/domain/analysis/summary.ts', "['fail', 'error', 'no_data', 'inconclusive']", "['fail', 'error', 'inconclusive']"),
    ],
  },
  {
    name: 'a provider that fails is a pass',
    within: 50,
    edits: [
      edit(
        'src/domain/analysis/summary.ts',
        "['fail', 'error', 'no_data', 'inconclusive']",
        "['fail', 'no_data', 'inconclusive']",
      ),
    ],
  },
  {
    name: 'a frozen sample counts every time',
    within: 400,
    edits: [
      edit(
        'src/domain/analysis/reading.ts',
        "if (state.sample !== null && answer.at <= state.sample.at) return { kind: 'repeated' };",
        '',
      ),
    ],
  },
  {
    name: 'one measurement is enough',
    within: 50,
    edits: [
      edit(
        'src/domain/analysis/judge.ts',
        'if (state.measurements < context.minMeasurements) {',
        'if (state.measurements < 1) {',
      ),
    ],
  },
  {
    name: 'evidence from the weight before counts',
    within: 100,
    edits: [
      edit(
        'src/domain/evolve.ts',
        'return { evidenceSince: at, unverified: false, ...forgotten };',
        'return { unverified: false };',
      ),
    ],
  },
  {
    name: 'only the first check has to pass',
    within: 100,
    edits: [edit('src/domain/course.ts', '.map((check) => check.name);', '.map((check) => check.name).slice(0, 1);')],
  },
  {
    name: 'a rollback can be promoted away',
    within: 100,
    edits: [
      edit('src/domain/accepts.ts', 'rollingBack: [],', "rollingBack: ['promote'],"),
      edit('src/domain/accepts.ts', "settling: ['rollback'],", "settling: ['rollback', 'promote'],"),
      edit('src/domain/accepts.ts', "return 'the release is already going back'", 'return null'),
    ],
  },
  {
    name: 'the deadline passes unnoticed',
    within: 50,
    edits: [edit('src/domain/decide.ts', "rollBack(draft, { kind: 'deadline' });\n  return true;", 'return false;')],
  },
  {
    name: 'a step is left before its hold is over',
    within: 20,
    edits: [
      edit(
        'src/domain/decide.ts',
        'return phase.until <= draft.now ? leave(draft, input) : calm(draft);',
        'return leave(draft, input);',
      ),
    ],
  },
  {
    name: 'one approval is enough',
    within: 100,
    edits: [edit('src/domain/decide.ts', 'if (phase.needed <= phase.given.length) return', 'if (0 < phase.given.length) return')],
  },
  {
    name: 'a breaker holds a lowering back',
    within: 400,
    edits: [edit('src/controller/calls.ts', 'if (!admitted && !lowering)', 'if (!admitted && (!lowering || lowering))')],
  },
  {
    name: 'two releases move one service',
    within: 20,
    edits: [
      edit(
        'src/store/memory.ts',
        'if (active !== expectActive || (active !== null && isActive(release)))',
        'if (active === undefined)',
      ),
      edit('src/store/memory.ts', 'if (isActive(next) && active && active.release.id !== id)', 'if (next === undefined)'),
      edit('src/controller/commands.ts', 'behind: last?.id ?? null,', 'behind: null,'),
    ],
  },
  {
    name: 'what was lowered by hand is raised again',
    within: 200,
    edits: [
      edit('src/controller/reconcile.ts', "if (!above && odd.every((node) => node.standing === 'belowByHand')) return;", ''),
    ],
  },
  {
    name: 'the roles swap as soon as full weight is on',
    within: 20,
    edits: [
      edit(
        'src/controller/record.ts',
        "if (!events.some((event) => event.type === 'release.promoted')) return null;",
        "if (!events.some((event) => event.type === 'settle.began' && event.outcome === 'promoted')) return null;",
      ),
    ],
  },
  {
    name: 'a crashing handler is never set aside',
    within: 100,
    edits: [edit('src/scheduler/scheduler.ts', 'if (ctx.settings.crashLimit <= crashes)', 'if (1e9 <= crashes)')],
  },
  {
    name: 'store time follows every step of the wall clock',
    within: 20,
    edits: [
      edit(
        'src/adapters/system/clock.ts',
        'now: () => Instant(Math.floor(advance())),',
        'now: () => Instant(Math.floor(wallMs())),',
      ),
    ],
  },
  {
    name: 'a node that is silent hides the others',
    within: 50,
    edits: [
      edit(
        'src/controller/reconcile.ts',
        'await lowerThoseThatAnswer(ctx, claimed, found, signal);',
        'await Promise.resolve(found);',
      ),
    ],
  },
  {
    name: 'a release lowered by hand settles for ever',
    within: 600,
    edits: [
      edit(
        'src/domain/decide.ts',
        "if (goingUp && NONE < draft.release.wanted && input.served.kind !== 'asWanted' && overdue(draft)) return null;",
        'void NONE;',
      ),
    ],
  },
  {
    name: 'who opens a gate early is not named',
    within: 50,
    edits: [
      edit(
        'src/domain/course.ts',
        'return draft.add(gate(draft, next.step, step, reason), by);',
        'return draft.add(gate(draft, next.step, step, reason));',
      ),
    ],
  },
];

/**
 * Planted too, and not expected to be caught. Two because another guard does the same work, one because it is rare:
 * - the lease of another worker is ignored: the revision lets one of two workers commit, and the other finds it stale;
 * - a command is left to the next tick: reconcile lowers within its period, which the bound allows;
 * - a retry raises what was lowered by hand: one world in thousands, and not among the first two thousand.
 */
export const survivors: readonly Mutant[] = [
  {
    name: 'the lease of another worker is ignored',
    within: 60,
    edits: [
      edit(
        'src/store/memory.ts',
        '.filter((row) => row.dueAt <= at && row.leaseUntil <= at)\n',
        '.filter((row) => row.dueAt <= at && (row.leaseUntil <= at || row.worker !== worker))\n',
      ),
    ],
  },
  {
    name: 'a command is left to the next tick',
    within: 60,
    edits: [edit('src/controller/commit-decision.ts', 'await work(recorded.value);', 'void work;')],
  },
  {
    name: 'a retry raises what was lowered by hand meanwhile',
    within: 60,
    edits: [edit('src/controller/actuate.ts', 'if (meant !== null) return meant;', 'void meant;')],
  },
];
