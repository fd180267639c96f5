/** The places that Headgate talks to: whether they answer, what they serve, how far that is from what is wanted. */
import { Providers } from './connections/providers.tsx';
import { Receivers } from './connections/receivers.tsx';
import { Flags } from './connections/flags.tsx';
import { Routers } from './connections/routers.tsx';

export const Connections = () => (
  <>
    <div class="page-head">
      <div>
        <h1>Connections</h1>
        <p class="soft">
          What Headgate talks to: where traffic is shifted, where metrics come from, who is notified, which flags matter. Testing
          a router or a provider changes nothing.
        </p>
      </div>
    </div>
    <Routers />
    <Providers />
    <Receivers />
    <Flags />
  </>
);
