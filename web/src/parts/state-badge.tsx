/** How a place that Headgate talks to stands: a breaker, an endpoint, a delivery. Words beside a shape, as everywhere. */
import type { EndpointView } from '../../../src/contract/webhooks.ts';
import type { BreakerView } from '../../../src/contract/wire-connections.ts';
import { count } from '../format.ts';
import { Badge } from './badge.tsx';
import type { Tone } from './badge.tsx';
import type { IconName } from './icon.tsx';
import { Countdown, Moment } from './time.tsx';

export function BreakerBadge({ breaker: { state, failures } }: { readonly breaker: BreakerView }) {
  if (state === 'open')
    return (
      <Badge tone="bad" icon="bad">
        backing off
      </Badge>
    );
  if (state === 'probing')
    return (
      <Badge tone="warn" icon="wait">
        being tried again
      </Badge>
    );
  return failures === 0 ? (
    <Badge tone="ok" icon="ok">
      no failures
    </Badge>
  ) : (
    <Badge tone="warn" icon="warn">{`${failures} failed in a row`}</Badge>
  );
}

const STATES: Readonly<Record<string, readonly [Tone, IconName, string]>> = {
  pending: ['go', 'wait', 'waiting'],
  delivered: ['ok', 'ok', 'delivered'],
  done: ['ok', 'ok', 'done'],
  parked: ['bad', 'bad', 'given up'],
  replaced: ['calm', 'back', 'queued again'],
  enabled: ['ok', 'ok', 'enabled'],
  failing: ['bad', 'warn', 'failing'],
  disabled: ['bad', 'none', 'disabled'],
};

export const stateWord = (state: string): string => STATES[state]?.[2] ?? state;

export function StateBadge({ state }: { readonly state: string }) {
  const [tone, icon] = STATES[state] ?? ['calm', 'dot'];
  return (
    <Badge tone={tone} icon={icon}>
      {stateWord(state)}
    </Badge>
  );
}

/** A receiver that is delivered to, and does not take it, is no receiver that is well. */
export const EndpointBadge = ({ endpoint: { state, failing } }: { readonly endpoint: EndpointView }) => (
  <StateBadge state={state === 'enabled' && failing !== null ? 'failing' : state} />
);

/** Why what waits for it waits, since when, and when it is tried again; nothing where it is well. */
export function Failing({ endpoint: { state, failing, pending } }: { readonly endpoint: EndpointView }) {
  if (failing === null || state !== 'enabled') return null;
  return (
    <span class="under small tone-bad">
      {failing.detail}, since <Moment at={failing.since} />; {count(pending)} {pending === 1 ? 'waits' : 'wait'}, next try in{' '}
      <Countdown at={failing.nextAt} />
    </span>
  );
}
