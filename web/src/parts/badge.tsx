/** States as icon and word. The words are the service's kinds made readable; what they mean is said by its sentences. */
import type { IconName } from './icon.tsx';
import { Icon } from './icon.tsx';

export type Tone = 'go' | 'ok' | 'bad' | 'warn' | 'calm';

export const Badge = ({ tone, icon, children }: { readonly tone: Tone; readonly icon: IconName; readonly children: string }) => (
  <span class={`badge ${tone}`}>
    <Icon name={icon} />
    {children}
  </span>
);

type Look = readonly [tone: Tone, icon: IconName, word: string];

const PHASES: Readonly<Record<string, Look>> = {
  queued: ['calm', 'wait', 'queued'],
  starting: ['go', 'running', 'starting'],
  shifting: ['go', 'running', 'shifting'],
  watching: ['go', 'watching', 'watching'],
  paused: ['warn', 'hold', 'paused'],
  awaitingApproval: ['warn', 'person', 'needs approval'],
  baking: ['go', 'watching', 'baking'],
  promoting: ['go', 'wait', 'being replaced'],
  rollingBack: ['bad', 'back', 'rolling back'],
  settling: ['go', 'wait', 'settling'],
  promoted: ['ok', 'ok', 'promoted'],
  rolledBack: ['bad', 'back', 'rolled back'],
  superseded: ['calm', 'none', 'superseded'],
};

const VERDICTS: Readonly<Record<string, Look>> = {
  pass: ['ok', 'ok', 'pass'],
  fail: ['bad', 'bad', 'fail'],
  inconclusive: ['calm', 'wait', 'not clear yet'],
  no_data: ['warn', 'unknown', 'no data'],
  error: ['warn', 'warn', 'error'],
};

/** A kind that a newer service has is shown by its own name. */
const lookOf = (looks: Readonly<Record<string, Look>>, kind: string): Look => looks[kind] ?? ['calm', 'dot', kind];

export const phaseWord = (kind: string): string => lookOf(PHASES, kind)[2];

type PhaseProps = {
  readonly kind: string;
  readonly held?: boolean;
  /** On its way back: its last weight is watched as one on the way up is, but it is no good news. */
  readonly lowering?: boolean;
};

export function PhaseBadge({ kind, held = false, lowering = false }: PhaseProps) {
  const phase: Look = lowering && kind === 'settling' ? ['bad', 'back', 'going back'] : lookOf(PHASES, kind);
  const [tone, icon, word] = held ? (['warn', 'hold', `held (${phaseWord(kind)})`] as const) : phase;
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  );
}

export function VerdictBadge({ verdict }: { readonly verdict: string }) {
  const [tone, icon, word] = lookOf(VERDICTS, verdict);
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  );
}
