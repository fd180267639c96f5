/** What will happen, as the service foretells it; the same from a terminal; and the start, which asks before it does anything. */
import { useState } from 'preact/hooks';
import type { ReleaseView, ServiceView, ValidatedView } from '../../../../src/contract/wire.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { unbroken } from '../../format.ts';
import { Act } from '../../parts/act.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { beside } from '../../parts/field.tsx';
import { CopyLine, ErrorBox } from '../../parts/notices.tsx';
import { startLine } from './draft.ts';
import type { Draft } from './draft.ts';
import type { Order } from './use-order.ts';

const SHOWN = ['/version', '/onBusy', '/reason'];

type Plan = NonNullable<ValidatedView['plan']>;

export function Start({ order }: { readonly order: Order }) {
  const { draft, plan, trial, refusal, start } = order;
  const [isAsked, setAsked] = useState(false);
  const mayNot = useWhyNot('raise');
  const service = useResource<ServiceView>(plan ? `/v1/services/${encodeURIComponent(plan.service)}` : null, {
    on: (event) => event.service === plan?.service,
  });
  const left = beside(refusal, SHOWN);
  const whyNot = mayNot ?? missing(order);
  const told = plan && trial.isCurrent && trial.value ? { plan, release: trial.value } : null;
  const will = told ? foretold(told.plan, told.release, { service: service.value, draft }) : null;
  return (
    <section class="card side-card" aria-labelledby="start-title">
      <h2 id="start-title">What will happen</h2>
      <div role="status">
        {will ?? (left ? null : <p class="soft">It is said here, as soon as there is a plan and a version.</p>)}
      </div>
      {left ? <ErrorBox error={left} /> : null}
      {plan && service.value ? <Busy service={service.value} /> : null}
      <Act tone="primary" whyNot={whyNot} run={() => setAsked(true)}>
        Start the release
      </Act>
      <Same draft={draft} />
      {isAsked && told ? (
        <Dialog title={`Start ${told.plan.service} ${told.release.version}?`} onClose={() => setAsked(false)}>
          <form onSubmit={(event) => event.preventDefault()}>
            <div>{will}</div>
            <div class="row end">
              <button type="button" onClick={() => setAsked(false)}>
                Cancel
              </button>
              <Act tone="primary" run={() => start().then(() => setAsked(false))}>
                Start
              </Act>
            </div>
            <Same draft={draft} />
          </form>
        </Dialog>
      ) : null}
    </section>
  );
}

/** The release that holds the service: whoever is in its way wants to look at it. */
const Busy = ({ service: { name, activeRelease } }: { readonly service: ServiceView }) =>
  activeRelease === null ? null : (
    <p class="small">
      <a href={`/releases/${encodeURIComponent(activeRelease)}`}>The release that moves {name} now</a>
    </p>
  );

const Same = ({ draft }: { readonly draft: Draft }) => (
  <div class="same">
    <p class="small soft">The same from a terminal{draft.from === 'text' ? ', with the plan in plan.yaml' : ''}</p>
    <CopyLine text={startLine(draft)} />
  </div>
);

function missing({ draft: { version }, plan, trial: { value, error, isCurrent } }: Order): string | null {
  if (!plan) return 'There is no valid plan yet.';
  if (version.trim() === '') return 'It has no version yet.';
  if (!isCurrent) return 'The service is being asked whether it would take it.';
  if (error) return 'The service would not take it, as it says above.';
  return value ? null : 'The service has not said yet whether it would take it.';
}

type Around = { readonly service: ServiceView | null; readonly draft: Draft };

/** From which version to which, what it does first, and then the whole way. */
function foretold(plan: Plan, { stableVersion, version, phase }: ReleaseView, { service, draft }: Around) {
  const slot = service?.idleSlot ? ` in the slot ${service.idleSlot}` : '';
  const before = phase.kind === 'queued' ? 'When the release before it has ended, it ' : 'It ';
  if (stableVersion === null)
    return (
      <p>
        {before}gives <b>all traffic</b> of {plan.service} to <b>{version}</b>
        {slot}, its first version{draft.paused ? ', once somebody has resumed it' : ''}.
      </p>
    );
  return (
    <>
      <p>
        {before}moves {plan.service} from <b>{stableVersion}</b> to <b>{version}</b>
        {slot}. {draft.paused ? 'Once somebody has resumed it, it' : 'First it'} <b>{unbroken(plan.opening)}</b>.
      </p>
      <p class="small soft under">The whole way: {unbroken(plan.sentence)}.</p>
    </>
  );
}
