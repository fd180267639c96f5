/** Domain values as they go over the wire: what every client needs to show a release without knowing a rule. */
import type { CheckState, MeasurementRow, StoredRelease } from '../ports/store.ts';
import type { EventView, MeasurementView, ReleaseView, ServiceView, TargetView } from '../contract/wire.ts';
import { planHashOf } from '../contract/plan-hash.ts';
import type { ServiceSettings } from '../controller/context.ts';
import { acceptanceFor } from '../domain/accepts.ts';
import { requiredNow } from '../domain/course.ts';
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { explainRelease } from '../domain/explain.ts';
import type { Instant, Weight } from '../domain/ids.ts';
import { offers } from '../domain/offers.ts';
import { unitOf } from '../domain/plan.ts';
import type { Release } from '../domain/release.ts';
import { actorFrom, may } from '../domain/rights.ts';
import type { Principal } from '../domain/rights.ts';
import { canarySlot } from '../domain/target.ts';
import type { Service, Target } from '../domain/target.ts';
import { upcoming } from '../domain/upcoming.ts';

export type Asked = { readonly now: Instant; readonly principal: Principal };

export function viewRelease({ release, dueAt }: StoredRelease, { now, principal }: Asked): ReleaseView {
  const { hold, rollback, phase, plan } = release;
  return {
    id: release.id,
    stateVersion: release.seq,
    service: release.service,
    version: release.version,
    stableVersion: release.stableVersion,
    plan: plan.name,
    planHash: planHashOf(plan),
    phase: { ...phase },
    step: release.step + 1,
    steps: plan.steps.length,
    wantedBp: release.wanted,
    approvedBp: release.approved,
    verdict: release.verdict,
    checks: { ...release.checks },
    hold: hold
      ? { reason: hold.reason, detail: hold.detail, since: hold.since, until: release.deadlineAt, otherwise: 'rollback' }
      : null,
    sentence: explainRelease(release, now),
    acceptedCommands: [
      ...offers(release, acceptanceFor(release, principal), now, {
        actor: actorFrom(principal),
        mayApprove: may(principal, 'approve'),
      }),
    ],
    next: upcoming(release),
    rollback: rollback
      ? { cause: { ...rollback.cause }, at: rollback.at, by: rollback.by.name, sentence: rollback.sentence }
      : null,
    unverified: release.unverified,
    quarantined: release.quarantined,
    createdAt: release.createdAt,
    createdBy: release.createdBy.name,
    createdByKind: release.createdBy.kind,
    startedAt: release.startedAt,
    deadlineAt: release.deadlineAt,
    dueAt,
  };
}

export const viewChecks = (release: Release, states: readonly CheckState[]) =>
  Object.values(release.plan.checks).map((check) => {
    const { name, kind, provider, dryRun } = check;
    const facts = { name, kind, provider, unit: unitOf(check), required: requiredNow(release).includes(name), dryRun };
    const found = states.find((state) => state.check === name)?.verdict ?? null;
    if (!found)
      return {
        ...facts,
        verdict: 'inconclusive' as const,
        sentence: 'not measured yet',
        hard: false,
        doubt: null,
        evidence: null,
      };
    const { verdict, sentence, hard, doubt, evidence } = found;
    return { ...facts, verdict, sentence, hard, doubt, evidence: viewEvidence(evidence) };
  });

const viewEvidence = (evidence: MeasurementRow['verdict']['evidence']) => ({
  ...evidence,
  query: { ...evidence.query },
});

export const viewMeasurement = ({ check, end, measurement, verdict }: MeasurementRow): MeasurementView => ({
  check,
  end,
  measurement: { ...measurement },
  verdict: verdict.verdict,
  sentence: verdict.sentence,
  evidence: viewEvidence(verdict.evidence),
});

export function viewTarget(target: Target, served?: Weight | null): TargetView {
  const { id, service, router, route, cell, slots, management, seq, verifiedAt, differs, unreachableSince } = target;
  return {
    id,
    service,
    router,
    route,
    cell,
    slots: [...slots],
    management,
    seq,
    desiredSecondSlotBp: target.desiredSecond,
    verifiedSecondSlotBp: target.verifiedSecond,
    verifiedAt,
    ...(served === undefined ? {} : { servedSecondSlotBp: served }),
    differs,
    differsSince: differs === null ? null : target.driftAt,
    unreachableSince,
  };
}

export type ServiceFacts = {
  readonly service: Service;
  readonly settings: ServiceSettings | undefined;
  readonly targets: readonly Target[];
  readonly active: string | null;
};

export function viewService({ service, settings, targets, active }: ServiceFacts): ServiceView {
  const slots = targets.find((target) => target.service === service.name)?.slots;
  return {
    name: service.name,
    team: settings?.team ?? null,
    environment: settings?.environment ?? null,
    provider: settings?.provider ?? null,
    promotion: settings?.promotion.kind ?? 'swap',
    stableVersion: service.stableVersion,
    stableSince: service.stableVersion === null ? null : service.updatedAt,
    stableSlot: service.stableSlot,
    idleSlot: slots ? canarySlot(slots, service.stableSlot) : null,
    activeRelease: active,
  };
}

export const viewEvent = (event: ReleaseEvent | TargetEvent): EventView => ({ ...event });
