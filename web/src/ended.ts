/** When a release ended, or null: the phases that are an end say their instant, as all others say since when they are. */
import type { ReleaseView } from '../../src/contract/wire.ts';

export const endedAt = ({ phase }: Pick<ReleaseView, 'phase'>): number | null =>
  typeof phase['at'] === 'number' ? phase['at'] : null;
