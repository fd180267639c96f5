/** The release that is being put together: what was typed, what the service says of its plan and of the whole, and the start. */
import { useEffect, useState } from 'preact/hooks';
import type { PlanView, ReleaseView, ValidatedView } from '../../../../src/contract/wire.ts';
import { call } from '../../api/client.ts';
import type { Failure, Page } from '../../api/client.ts';
import { newKey } from '../../api/commands.ts';
import { useAnswer } from '../../api/use-answer.ts';
import type { Told } from '../../api/use-answer.ts';
import { useResource } from '../../api/use-resource.ts';
import type { Resource } from '../../api/use-resource.ts';
import { go } from '../../router.ts';
import { bodyOf, draftFor, isUntouched, keepDraft, keptDraft } from './draft.ts';
import type { Draft } from './draft.ts';

export type Order = {
  readonly draft: Draft;
  /** Another request than before: what was said of the old one is over. */
  readonly change: (changes: Partial<Draft>) => void;
  /** Those that are stored. */
  readonly plans: Resource<Page<PlanView>>;
  /** The text of the plan; empty while there is none. */
  readonly document: string;
  /** Why the stored plan cannot be read. */
  readonly unread: Failure | null;
  readonly checked: Told<ValidatedView>;
  /** The plan, when it is one. */
  readonly plan: ValidatedView['plan'];
  /** What would be started; nothing is written. */
  readonly trial: Told<ReleaseView>;
  /** Why it was not started, or would not be. */
  readonly refusal: Failure | null;
  readonly start: () => Promise<void>;
};

/** `service`: the one that somebody comes with; empty for none. */
export function useOrder(service: string): Order {
  const [kept, setDraft] = useState(keptDraft);
  const [refused, setRefused] = useState<Failure | null>(null);
  useEffect(() => keepDraft(kept), [kept]);
  const plans = useResource<Page<PlanView>>('/v1/plans?limit=200');
  const draft = { ...kept, from: kept.from || beginning(plans) };
  const isStored = draft.from === 'stored';
  const stored = useResource<PlanView>(isStored && draft.stored !== '' ? `/v1/plans/${encodeURIComponent(draft.stored)}` : null);
  const document = isStored ? (stored.value?.document ?? '') : draft.from === 'text' ? draft.text : '';
  const checked = useAnswer<ValidatedView>(
    '/v1/plans:validate',
    document.trim() === '' || isUntouched(draft) ? null : { document },
  );
  const plan = checked.isCurrent && checked.value?.valid === true ? checked.value.plan : null;
  const body = bodyOf(draft);
  const trial = useAnswer<ReleaseView>('/v1/releases?validate_only=true', plan && body.version !== '' ? body : null);
  const start = async (): Promise<void> => {
    const headers = { 'idempotency-key': draft.key };
    const answer = await call<ReleaseView>('/v1/releases', { method: 'POST', body, headers });
    if (!answer.ok) return setRefused(answer.error);
    keepDraft(null);
    go(`/releases/${answer.value.id}`);
  };
  const change = (changes: Partial<Draft>): void => {
    setRefused(null);
    // Another request under the key of the old one would be refused.
    setDraft((before) => ({ ...before, ...changes, key: newKey() }));
  };
  const stands = plans.value !== null;
  useEffect(() => {
    if (service !== '' && plans.value) change(draftFor(kept, service, plans.value.items));
  }, [service, stands]);
  return { draft, change, plans, document, unread: stored.error, checked, plan, trial, refusal: refused ?? trial.error, start };
}

/** Where nobody has chosen: one that is stored, and where there is none it is written. */
const beginning = ({ value, error }: Resource<Page<PlanView>>): Draft['from'] =>
  error || value?.items.length === 0 ? 'text' : value ? 'stored' : '';
