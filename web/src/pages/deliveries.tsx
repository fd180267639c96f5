/** Webhooks in both directions: what was told to whom, and what was heard from whom. */
import type { Place } from '../router.ts';
import { Incoming } from './deliveries/incoming.tsx';
import { Outgoing } from './deliveries/outgoing.tsx';

const SIDES = [
  ['', 'Outgoing'],
  ['in', 'Incoming'],
] as const;

export function Deliveries({ place }: { readonly place: Place }) {
  const side = place.search.get('side') ?? '';
  return (
    <>
      <div class="page-head">
        <h1>Deliveries</h1>
        <nav class="sides" aria-label="Direction">
          {SIDES.map(([of, name]) => (
            <a
              key={of}
              href={of === '' ? '/deliveries' : `/deliveries?side=${of}`}
              aria-current={of === side ? 'page' : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
      </div>
      {side === 'in' ? <Incoming place={place} /> : <Outgoing place={place} />}
    </>
  );
}
