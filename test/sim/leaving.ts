/**
 * Invariants 2, 4 and 10: a place in the plan is left only when its hold is over and every required check had fresh
 * evidence there, unless the event names a person. The evidence is what the provider honestly said, as the world wrote it
 * down, and not what the judge made of it.
 */
import type { ReleaseEvent } from '../../src/domain/event.ts';
import { ALL, NONE } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { Release } from '../../src/domain/release.ts';
import type { Commit } from '../../src/ports/store.ts';
import type { Ledger, Report } from './oracle.ts';
import type { Evidence } from './traffic.ts';

export type Leaving = {
  readonly before: Release;
  readonly event: ReleaseEvent;
  readonly commit: Commit;
  readonly ledger: Ledger;
  readonly evidences: ReadonlyMap<string, readonly Evidence[]>;
  readonly report: Report;
  readonly sometimes: (name: string) => void;
};

export function checkLeaving(leaving: Leaving): void {
  const { before, event } = leaving;
  const isRaise = event.type === 'weight.intended' && event.goal !== null && event.goal.kind !== 'home';
  const isNextGate =
    (event.type === 'release.paused' && event.cause === 'plan') ||
    event.type === 'approval.asked' ||
    event.type === 'replace.began';
  if (!isRaise && !isNextGate) return;
  checkDwell(leaving);
  if (before.wanted === NONE || before.first || isForced(event)) return;
  const isPromotion = event.type === 'replace.began' || (event.type === 'weight.intended' && event.goal?.kind === 'full');
  const isPerson = byPerson(event);
  // A person may go on to the next step without the checks, with a reason; the promotion is theirs only by force.
  if (isPerson && !isPromotion) return;
  if (
    !isPromotion &&
    Object.values(before.plan.checks).some(({ onNoData, onInconclusive }) => [onNoData, onInconclusive].includes('continue'))
  ) {
    if (event.type === 'weight.intended' && event.reason !== null) leaving.sometimes('went on without a pass');
    return;
  }
  for (const check of requiredAt(before)) checkEvidence(leaving, check, { isPerson });
}

const isForced = (event: ReleaseEvent): boolean =>
  (event.type === 'weight.intended' || event.type === 'replace.began') && event.forced;
const byPerson = (event: ReleaseEvent): boolean => event.by.kind !== 'headgate';

function checkDwell({ before, event, commit, ledger, report, sometimes }: Leaving): void {
  if (byPerson(event)) return;
  const { phase } = before;
  const at = ledger.watchedSince;
  switch (phase.kind) {
    case 'watching':
    case 'baking': {
      const step = before.plan.steps[before.step];
      const holdMs = phase.kind === 'baking' ? (before.plan.bake?.forMs ?? 0) : step?.kind === 'weight' ? step.holdMs : 0;
      const watchedMs = ledger.watchedMs + (at === null ? 0 : event.at - at);
      const { earlyAfterMs } = before.plan;
      if (holdMs <= watchedMs) return;
      if (phase.kind === 'watching' && earlyAfterMs !== null && earlyAfterMs <= watchedMs && isProved(before, commit))
        return sometimes('left a step early, by proof');
      report('I2', `${before.id} left step ${before.step} after ${watchedMs} of ${holdMs} ms`);
      return;
    }
    case 'paused': {
      const resumed = ledger.events.findLast(
        (earlier) => earlier.type === 'release.paused' || earlier.type === 'release.resumed',
      );
      if (resumed?.type === 'release.resumed') return;
      const step = before.plan.steps[before.step];
      const isOver =
        phase.by === 'plan' && step?.kind === 'pause' && step.otherwise === 'continue' && phase.since + step.forMs <= event.at;
      if (!isOver) report('I2', `${before.id} left its pause early`);
      return;
    }
    case 'awaitingApproval': {
      const asked = ledger.events.findLastIndex((earlier) => earlier.type === 'approval.asked');
      const given = new Set(
        ledger.events.slice(asked).flatMap((earlier) => (earlier.type === 'approval.given' ? [earlier.subject] : [])),
      );
      const sinceAsked = [...ledger.events.slice(asked), ...commit.events];
      const expired =
        sinceAsked.some((other) => other.type === 'approval.expired') &&
        phase.otherwise === 'continue' &&
        phase.until <= event.at;
      const step = before.plan.steps[before.step];
      const needed = step?.kind === 'approve' ? step.by : 1;
      if (given.size < needed && !expired) report('I2', `${before.id} went on with ${given.size} of ${needed} approvals`);
      return;
    }
    default:
      return;
  }
}

/** Every check that must pass here has proved in this very look that the canary is not worse. */
function isProved(before: Release, { checkStates }: Commit): boolean {
  const required = requiredAt(before);
  const proved = required.filter(
    ({ name }) => checkStates.find(({ check }) => check === name)?.verdict?.evidence.weighed?.proved === true,
  );
  return required.length > 0 && proved.length === required.length;
}

/** The checks that must pass at the weight that is being left, put together from the plan alone. */
function requiredAt({ plan, step, phase, wanted }: Release): readonly Check[] {
  const atBake = phase.kind === 'baking' || (phase.kind === 'paused' && phase.at.kind === 'bake');
  const weightStep = plan.steps.slice(0, step + 1).findLast((one) => one.kind === 'weight');
  const names = atBake ? Object.keys(plan.checks) : weightStep?.kind === 'weight' ? weightStep.checks : [];
  return names.flatMap((name) => {
    const check = plan.checks[name];
    if (!check || check.dryRun) return [];
    const isAbsolute =
      check.kind === 'threshold' ||
      (check.kind === 'ratio' && (check.max !== null || check.hardMax !== null)) ||
      (check.kind === 'latency' && (check.maxMs !== null || check.hardMaxMs !== null));
    return wanted < ALL || isAbsolute ? [check] : [];
  });
}

/** A sample that old, or seen so long ago, says nothing about now: three intervals, and what a slow answer takes. */
const STALE_INTERVALS = 3;
const SLACK_MS = 20_000;

/** So many requests and so large a share of errors against so small a one that no honest judge can let it pass. */
const BLATANT = { requests: 400, canaryShare: 0.2, stableShare: 0.03 };

function checkEvidence(
  { before, event, ledger, evidences, report }: Leaving,
  check: Check,
  { isPerson }: { readonly isPerson: boolean },
): void {
  const { plan, version, evidenceSince } = before;
  const readBackAt = ledger.events.findLast((earlier) => earlier.type === 'weight.verified')?.at ?? 0;
  const since = Math.max(readBackAt, evidenceSince);
  const all = evidences.get(`${version} ${check.name}`) ?? [];
  const counted = all.filter(({ at }) => since < at);
  const where = `${before.id} left ${before.wanted} (${before.phase.kind}) with check ${check.name}`;
  if (counted.length < plan.minMeasurements)
    return report('I4', `${where} after ${counted.length} of ${plan.minMeasurements} measurements`);
  const newest = counted.at(-1);
  if (!isPerson && newest && STALE_INTERVALS * plan.intervalMs + SLACK_MS < event.at - newest.seenAt)
    report('I10', `${where} ${event.at - newest.seenAt} ms after its newest measurement`);
  if (check.kind !== 'ratio') return;
  const honest = all.filter(({ at, canary }) => since + plan.warmUpMs <= at && canary[0] > 0);
  const [first, last] = [honest[0], honest.at(-1)];
  if (!first || !last) return;
  const grew = (arm: 'canary' | 'stable') => ({ total: last[arm][0] - first[arm][0], bad: last[arm][1] - first[arm][1] });
  const [canary, stable] = [grew('canary'), grew('stable')];
  const isBlatant =
    BLATANT.requests <= canary.total &&
    BLATANT.canaryShare <= canary.bad / canary.total &&
    (stable.total === 0 || stable.bad / stable.total <= BLATANT.stableShare);
  if (isBlatant && before.wanted < ALL)
    report('I4', `${where} at ${canary.bad} errors in ${canary.total} requests, against ${stable.bad} in ${stable.total}`);
}
