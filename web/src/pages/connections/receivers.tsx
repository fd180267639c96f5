/** Receivers of notices: whether they are delivered to, what waits for them, and one try now. */
import type { EndpointView, TestedView } from '../../../../src/contract/webhooks.ts';
import { call } from '../../api/client.ts';
import type { Page } from '../../api/client.ts';
import { useWhyNot } from '../../api/rights.ts';
import { useResource } from '../../api/use-resource.ts';
import { count } from '../../format.ts';
import { EndpointBadge, Failing } from '../../parts/state-badge.tsx';
import { Test } from '../../parts/test-result.tsx';
import { Ago } from '../../parts/time.tsx';
import { Places } from './section.tsx';

const EVERY_MS = 5_000;

export const Receivers = () => (
  <Places
    title="Receivers"
    resource={useResource<Page<EndpointView>>('/v1/webhooks/endpoints', { everyMs: EVERY_MS })}
    none="No receiver is configured: nobody is notified."
  >
    {(endpoint) => <Receiver endpoint={endpoint} />}
  </Places>
);

function Receiver({ endpoint }: { readonly endpoint: EndpointView }) {
  const { name, type, reason, pending, parked, lastDeliveryAt } = endpoint;
  const whyNot = useWhyNot('raise');
  return (
    <>
      <div class="row">
        <h3>{name}</h3>
        <span class="soft">{type}</span>
        <EndpointBadge endpoint={endpoint} />
        {reason === null ? null : <span class="small tone-bad">{reason}</span>}
      </div>
      <Failing endpoint={endpoint} />
      <p>
        {lastDeliveryAt === null ? (
          'Nothing was delivered yet.'
        ) : (
          <>
            Last delivery <Ago at={lastDeliveryAt} />.
          </>
        )}{' '}
        <a href={`/deliveries?endpoint=${encodeURIComponent(name)}`}>
          {count(pending)} waiting, {count(parked)} given up
        </a>
      </p>
      <Test
        of={`the receiver ${name}`}
        whyNot={whyNot}
        run={() => call<TestedView>(`/v1/webhooks/endpoints/${encodeURIComponent(name)}/test`, { method: 'POST' })}
        said={({ delivered, ms, detail }) => ({ well: delivered, ms, sentence: detail })}
      />
    </>
  );
}
