/** Receivers as deliveries see them: what waits, what was given up, and how they come to hear it after all. */
import { useState } from 'preact/hooks';
import type { EndpointView, ReplayedView } from '../../../../src/contract/webhooks.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/client.ts';
import { count } from '../../format.ts';
import { Act } from '../../parts/act.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { CopyLine, Empty, ErrorBox } from '../../parts/notices.tsx';
import { EndpointBadge, Failing } from '../../parts/state-badge.tsx';
import type { Column } from '../../parts/table.tsx';
import { Table } from '../../parts/table.tsx';
import { Ago } from '../../parts/time.tsx';

type EndpointsProps = { readonly items: readonly EndpointView[]; readonly whyNot: string | null; readonly onDone: () => void };
type Asked = { readonly act: 'enable' | 'replay'; readonly endpoint: EndpointView } | null;

export function Endpoints({ items, whyNot, onDone }: EndpointsProps) {
  const [asked, setAsked] = useState<Asked>(null);
  const [done, setDone] = useState('');
  const close = (said: string): void => {
    setAsked(null);
    setDone(said);
    if (said !== '') onDone();
  };
  return (
    <section class="section" aria-labelledby="receivers-title">
      <h2 id="receivers-title">Receivers</h2>
      <p role="status" class="done">
        {done}
      </p>
      {items.length === 0 ? (
        <Empty title="No receiver is configured: nobody is notified.">
          <p>
            They stand in <code>headgate.yaml</code> under <code>notify</code>.
          </p>
        </Empty>
      ) : (
        <Table caption="Receivers of notices" columns={columns(setAsked, whyNot)} rows={items} keyOf={({ name }) => name} />
      )}
      {asked ? <Question asked={asked} onClose={close} /> : null}
    </section>
  );
}

const columns = (onAsk: (asked: Asked) => void, whyNot: string | null): readonly Column<EndpointView>[] => [
  {
    title: 'Receiver',
    cell: ({ name, type }) => (
      <>
        <a class="strong" href={`/deliveries?endpoint=${encodeURIComponent(name)}`}>
          {name}
        </a>
        <span class="under small soft">{type}</span>
      </>
    ),
  },
  {
    title: 'State',
    cell: (endpoint) => (
      <>
        <EndpointBadge endpoint={endpoint} />
        {endpoint.disabledAt === null ? null : (
          <span class="under small">
            {endpoint.reason ?? 'no reason is known'}, <Ago at={endpoint.disabledAt} />
          </span>
        )}
        <Failing endpoint={endpoint} />
      </>
    ),
  },
  {
    title: 'Waiting',
    cell: ({ pending, oldestPendingAt }) => (
      <>
        {count(pending)}
        {oldestPendingAt === null ? null : (
          <span class="under small soft">
            oldest <Ago at={oldestPendingAt} />
          </span>
        )}
      </>
    ),
    end: true,
  },
  { title: 'Given up', cell: ({ parked }) => count(parked), end: true },
  {
    title: 'Last delivery',
    cell: ({ lastDeliveryAt }) => (lastDeliveryAt === null ? <span class="soft">none yet</span> : <Ago at={lastDeliveryAt} />),
    wide: true,
  },
  {
    title: 'What can be done',
    cell: (endpoint) => (
      <span class="acts">
        <Enable endpoint={endpoint} whyNot={whyNot} onAsk={onAsk} />
        {endpoint.parked > 0 ? (
          <Act label={`Replay to ${endpoint.name}`} whyNot={whyNot} run={() => onAsk({ act: 'replay', endpoint })}>
            Replay
          </Act>
        ) : null}
        {endpoint.state === 'enabled' && endpoint.parked === 0 && endpoint.pending === 0 ? (
          <span class="soft small">nothing is needed</span>
        ) : null}
      </span>
    ),
    end: true,
  },
];

type EnableProps = {
  readonly endpoint: EndpointView;
  readonly whyNot: string | null;
  readonly onAsk: (asked: Asked) => void;
};

/** Enabling also tries at once what waits, so it is of use for a receiver that is only back early. */
function Enable({ endpoint, whyNot, onAsk }: EnableProps) {
  const isDisabled = endpoint.state === 'disabled';
  if (!isDisabled && endpoint.pending === 0) return null;
  return (
    <Act
      label={isDisabled ? `Enable ${endpoint.name}` : `Try now: ${endpoint.name}`}
      whyNot={whyNot}
      run={() => onAsk({ act: 'enable', endpoint })}
    >
      {isDisabled ? 'Enable' : 'Try now'}
    </Act>
  );
}

const NAMES = { enable: 'Enable', replay: 'Replay' } as const;

function Question({ asked, onClose }: { readonly asked: NonNullable<Asked>; readonly onClose: (said: string) => void }) {
  const { act, endpoint } = asked;
  const [reason, setReason] = useState('');
  const [error, setError] = useState<Failure | null>(null);
  const send = async (): Promise<void> => {
    const body = reason.trim() === '' ? {} : { reason: reason.trim() };
    const answer = await call<EndpointView | ReplayedView>(`/v1/webhooks/endpoints/${encodeURIComponent(endpoint.name)}/${act}`, {
      method: 'POST',
      body,
    });
    if (!answer.ok) return setError(answer.error);
    const { value } = answer;
    onClose(
      'queued' in value ? `${count(value.queued)} queued again for ${endpoint.name}.` : `${endpoint.name} is delivered to again.`,
    );
  };
  return (
    <Dialog title={`${NAMES[act]}: ${endpoint.name}?`} onClose={() => onClose('')}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          {act === 'enable'
            ? `What waits for ${endpoint.name} is tried at once, in its order.`
            : `What was given up (${count(endpoint.parked)}) is queued again under the same ids, behind what waits.`}
        </p>
        <label class="field">
          <span>
            Reason <span class="soft small">(optional; it is kept)</span>
          </span>
          <textarea rows={2} maxLength={2_000} value={reason} onInput={({ currentTarget }) => setReason(currentTarget.value)} />
        </label>
        {error ? <ErrorBox error={error} /> : null}
        <div class="row end">
          <button type="button" onClick={() => onClose('')}>
            Cancel
          </button>
          <Act tone="primary" run={send}>
            {NAMES[act]}
          </Act>
        </div>
        <div class="same">
          <p class="small soft">The same from a terminal</p>
          <CopyLine text={`headgate webhook ${act} ${endpoint.name}`} />
        </div>
      </form>
    </Dialog>
  );
}
