/** Plans in memory: every version, in the order of applying. */
import type { Instant } from '../domain/ids.ts';
import { err, ok } from '../lib/result.ts';
import type { MemoryAnswers } from './memory-answers.ts';
import type { AuditEntry, Store } from '../ports/store.ts';
import type { StoredPlan } from '../ports/plan-store.ts';

export function memoryPlans(
  now: () => Instant,
  audited: (entry: AuditEntry) => void,
  answers: MemoryAnswers,
): Pick<Store, 'savePlan' | 'plan' | 'plans'> {
  const stored = new Map<string, StoredPlan[]>();
  return {
    async savePlan({ name, service, document, expect = null, once }, entry) {
      const versions = stored.get(name) ?? [];
      const before = versions.at(-1);
      if (answers.has(once)) return stale('the request was answered meanwhile');
      if (expect !== null && before?.version !== expect)
        return stale(`the newest version of ${name} is ${before?.version ?? 'none'}, not ${expect}`);
      const isSame = before?.document === document && before.service === service;
      const plan = isSame ? before : { name, service, document, version: versions.length + 1, createdAt: now() };
      if (!isSame) {
        stored.set(name, [...versions, plan]);
        audited(entry);
      }
      answers.keep(once, plan);
      return ok(plan);
    },
    plan: async (name, version) => (version === null ? stored.get(name)?.at(-1) : stored.get(name)?.[version - 1]) ?? null,
    async plans({ limit, cursor }) {
      const rows = [...stored.values()]
        .flatMap((versions) => versions.slice(-1))
        .filter(({ name }) => cursor === null || cursor < name)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const shown = rows.slice(0, limit);
      return { rows: shown, next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null };
    },
  };
}

const stale = (detail: string) => err({ kind: 'stale' as const, detail });
