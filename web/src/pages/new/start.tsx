/** What will happen, in one sentence, as the service foretells it; the same from a terminal; and the start. */
import type { ReleaseView, ServiceView, ValidatedView } from '../../../../src/contract/wire.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { unbroken } from '../../format.ts';
import { Act } from '../../parts/act.tsx';
import { beside } from '../../parts/field.tsx';
import { CopyLine, ErrorBox } from '../../parts/notices.tsx';
import { startLine } from './draft.ts';
import type { Order } from './use-order.ts';

const SHOWN = ['/version', '/onBusy', '/reason'];

export function Start({ order }: { readonly order: Order }) {
  const { draft, plan, trial, refusal, start } = order;
  const mayNot = useWhyNot('raise');
  const service = useResource<ServiceView>(plan ? `/v1/services/${encodeURIComponent(plan.service)}` : null);
  const left = beside(refusal, SHOWN);
  const whyNot = mayNot ?? missing(order);
  return (
    <section class="card side-card" aria-labelledby="start-title">
      <h2 id="start-title">What will happen</h2>
      <div role="status">
        {plan && trial.isCurrent && trial.value ? (
          <p>{unbroken(sentence(plan, trial.value, service.value))}</p>
        ) : (
          <p class="soft">It is said here, as soon as there is a plan and a version.</p>
        )}
      </div>
      {left ? <ErrorBox error={left} /> : null}
      <Act tone="primary" whyNot={whyNot} run={start}>
        Start the release
      </Act>
      <div class="same">
        <p class="small soft">The same from a terminal{draft.from === 'text' ? ', with the plan in plan.yaml' : ''}</p>
        <CopyLine text={startLine(draft)} />
      </div>
    </section>
  );
}

function missing({ draft: { version }, plan, trial: { value, error, isCurrent } }: Order): string | null {
  if (!plan) return 'There is no valid plan yet.';
  if (version.trim() === '') return 'It has no version yet.';
  if (!isCurrent) return 'The service is being asked whether it would take it.';
  if (error) return 'The service would not take it, as it says above.';
  return value ? null : 'The service has not said yet whether it would take it.';
}

function sentence(plan: NonNullable<ValidatedView['plan']>, release: ReleaseView, service: ServiceView | null): string {
  const slot = service?.idleSlot ? ` in the slot ${service.idleSlot}` : '';
  const place = release.stableVersion === null ? 'as its first version' : `in place of ${release.stableVersion}`;
  const wait = release.phase.kind === 'queued' ? 'waits until the release before it has ended, then ' : '';
  return `${plan.service} ${release.version}${slot}, ${place}, ${wait}${plan.sentence}.`;
}
