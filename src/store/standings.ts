/** Releases that stand alike, counted together. */
import type { Release } from '../domain/release.ts';
import type { Standing } from '../ports/store.ts';

export function standings(releases: readonly Release[]): readonly Standing[] {
  const found = new Map<string, Standing>();
  for (const { service, phase, hold, unverified, quarantined } of releases) {
    const standing = { service, phase: phase.kind, hold: hold?.reason ?? null, unverified, quarantined: quarantined !== null };
    const key = JSON.stringify(standing);
    found.set(key, { ...standing, count: 1 + (found.get(key)?.count ?? 0) });
  }
  return [...found.values()];
}
