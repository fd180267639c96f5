/** One release that runs, as much of it as fits on an overview. */
import type { RunningView } from '../../../src/contract/course-views.ts';
import { percent, unbroken } from '../format.ts';
import { PhaseBadge, VerdictBadge } from '../parts/badge.tsx';
import { Icon } from '../parts/icon.tsx';
import { Ago, Countdown } from '../parts/time.tsx';
import { Steps, WeightBar } from '../parts/weight.tsx';

const MOST_TARGETS = 4;

export function RunningCard({ running: { release, targets } }: { readonly running: RunningView }) {
  const { id, service, version, stableVersion, phase, hold, verdict, sentence, next } = release;
  return (
    <li class={`card run ${hold ? 'held' : ''} ${release.rollback ? 'lowering' : ''}`}>
      <div class="run-what">
        <div class="row">
          <a class="run-name" href={`/releases/${id}`}>
            {service} <span class="soft">{stableVersion ?? 'nothing'}</span> <span aria-label="to">→</span> {version}
          </a>
          <PhaseBadge kind={phase.kind} held={hold !== null} lowering={release.rollback !== null} />
          {release.wantedBp > 0 ? <VerdictBadge verdict={verdict} /> : null}
        </div>
        <p class="run-sentence">{unbroken(sentence)}</p>
        <p class="run-foot soft small">
          plan {release.plan} · requested by {release.createdBy} <Ago at={release.createdAt} />
        </p>
      </div>
      <div class="run-where">
        <Steps step={release.step} steps={release.steps} />
        <ul class="run-targets">
          {targets.slice(0, MOST_TARGETS).map((target) => (
            <li key={target.id}>
              <span class="small run-target" title={target.id}>
                {target.router}/{target.route}
              </span>
              <WeightBar wantedBp={target.wantedBp} servedBp={target.servedBp} label={target.id} />
              <span class="small num run-weights">
                <b>{percent(target.wantedBp)}</b> wanted,{' '}
                {target.servedBp === null ? 'not read back yet' : `${percent(target.servedBp)} served`}
              </span>
              {target.problem === null ? null : (
                <span class="small tone-warn run-problem">
                  <Icon name="warn" /> {target.problem}
                </span>
              )}
            </li>
          ))}
        </ul>
        {targets.length > MOST_TARGETS ? <p class="small soft">and {targets.length - MOST_TARGETS} more targets</p> : null}
      </div>
      <div class="run-next">
        {next ? (
          <>
            <span class="big-time">
              <Countdown at={next.at} />
            </span>
            <span class="small soft">then it {unbroken(next.sentence)}</span>
          </>
        ) : (
          <span class="small soft">no countdown: it does not wait for a time</span>
        )}
      </div>
    </li>
  );
}
