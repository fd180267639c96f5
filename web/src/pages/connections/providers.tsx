/** Providers: whom the judge asks, and what they can be asked by name. */
import type { ProviderTestView, ProviderView } from '../../../../src/contract/wire-connections.ts';
import { call } from '../../api/client.ts';
import type { Page } from '../../api/client.ts';
import { useResource } from '../../api/use-resource.ts';
import { BreakerBadge } from '../../parts/state-badge.tsx';
import { Test } from '../../parts/test-result.tsx';
import { Countdown } from '../../parts/time.tsx';
import { Places } from './section.tsx';

const EVERY_MS = 5_000;

export const Providers = () => (
  <Places
    title="Providers"
    resource={useResource<Page<ProviderView>>('/v1/providers', { everyMs: EVERY_MS })}
    none="No provider is configured: nothing can be judged."
  >
    {(provider) => <Provider provider={provider} />}
  </Places>
);

function Provider({ provider: { name, type, offers, breaker, services } }: { readonly provider: ProviderView }) {
  return (
    <>
      <div class="row">
        <h3>{name}</h3>
        <span class="soft">{type}</span>
        <BreakerBadge breaker={breaker} />
        {breaker.until === null ? null : (
          <span class="small soft">
            after failures, for <Countdown at={breaker.until} />; releases that need it are held meanwhile
          </span>
        )}
      </div>
      <p>
        <span class="soft">Checks it offers by name:</span>{' '}
        {offers.length === 0 ? 'none; plans say what to ask' : offers.join(', ')}
        <br />
        <span class="soft">Services that use it:</span>{' '}
        {services.length === 0 ? 'those whose plan names it' : services.join(', ')}
      </p>
      <Test
        of={`the provider ${name}`}
        run={() => call<ProviderTestView>(`/v1/providers/${encodeURIComponent(name)}/test`, { method: 'POST' })}
        said={({ well, ms, asked, sentence }) => ({
          well,
          ms,
          sentence: asked === null ? sentence : `asked for ${asked}, ${sentence}`,
        })}
      />
    </>
  );
}
