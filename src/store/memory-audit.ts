/** The audit log in memory, chained as on disk. */
import { chainHash, NO_HASH } from '../contract/audit-chain.ts';
import type { Instant } from '../domain/ids.ts';
import type { AuditEntry, Store, StoredAudit } from '../ports/store.ts';
import { page } from './page.ts';
import { plainEntry } from './rows.ts';

export type MemoryAudit = {
  add(entry: AuditEntry): void;
  readonly methods: Pick<Store, 'audit' | 'auditFrom' | 'auditHead'>;
};

export function memoryAudit(now: () => Instant): MemoryAudit {
  const rows: StoredAudit[] = [];
  return {
    add(entry) {
      const row = { ...plainEntry(entry), seq: rows.length + 1, at: now() };
      rows.push({ ...row, hash: chainHash(rows.at(-1)?.hash ?? NO_HASH, row) });
    },
    methods: {
      audit: async ({ limit, before, text = null }) => {
        const found = rows.filter((row) => (before === null || row.seq < before) && (text === null || says(row, text)));
        return page(found.toReversed(), limit, ({ seq }) => seq);
      },
      auditFrom: async ({ after, limit }) => rows.slice(after, after + limit),
      auditHead: async () => {
        const last = rows.at(-1);
        return last ? { seq: last.seq, at: last.at, hash: last.hash } : null;
      },
    },
  };
}

const says = ({ actor, action, subject, reason }: AuditEntry, text: string): boolean =>
  [actor, action, subject, reason ?? ''].join('\n').toLowerCase().includes(text.toLowerCase());
