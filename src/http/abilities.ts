/** What a router can and cannot, in words for whoever has to choose a plan or explain a night. */
import type { Capabilities } from '../ports/traffic-router.ts';

export function abilities(of: Capabilities): readonly string[] {
  return [
    `Shifts in steps of ${share(of.minStepBp)}, ${share(of.minNonZeroBp)} at the least.`,
    of.distribution === 'deterministic'
      ? 'The share is kept exactly, request by request.'
      : 'The share is kept by chance: exact over many requests.',
    ATOMIC[of.atomic],
    of.hitless ? 'A change resets no connection.' : 'A change can reset connections.',
    SEQ[of.seq],
    READ_BACK[of.readBack],
    PERSISTENCE[of.persistence],
    STICKY[of.sticky],
    ...(of.sticky === 'none'
      ? []
      : [of.zeroEvictsSticky ? 'At 0 % they leave the canary, too.' : 'At 0 % they stay until their session ends.']),
    ...(of.headerOverride ? ['A header can ask for one of the two versions.'] : []),
    of.independent ? 'Goes on serving when Headgate is gone.' : 'Serves only as long as Headgate runs.',
  ];
}

const share = (bp: number): string => `${bp / 100} %`;

const ATOMIC: Readonly<Record<Capabilities['atomic'], string>> = {
  'single-op': 'A change is one write.',
  'ordered-ops': 'A change is several writes, in an order that is safe.',
  none: 'A change is several writes, with gaps between them.',
};
const SEQ: Readonly<Record<Capabilities['seq'], string>> = {
  fence: 'Refuses a late write.',
  reports: 'Shows which write it obeys; a late one is noticed and put right.',
  none: 'Cannot tell a late write; it is noticed by its weight.',
};
const READ_BACK: Readonly<Record<Capabilities['readBack'], string>> = {
  authoritative: 'Says itself what it serves.',
  config: 'Says what it is configured to serve.',
  sampled: 'What it serves is estimated from samples.',
};
const PERSISTENCE: Readonly<Record<Capabilities['persistence'], string>> = {
  none: 'Forgets the weight when it restarts; Headgate puts it right.',
  'graceful-only': 'Keeps the weight over an orderly restart only.',
  'crash-safe': 'Keeps the weight over a restart and a crash.',
};
const STICKY: Readonly<Record<Capabilities['sticky'], string>> = {
  none: 'Clients do not stick to a version.',
  cookie: 'Clients stick to their version by a cookie.',
  'hash-monotone': 'Clients stick to their version by a hash: with a rising weight nobody goes back.',
};
