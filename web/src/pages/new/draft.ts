/** A release that is about to be asked for: what was typed, kept for this tab over a reload, and what it comes to. */
import { newKey, quoted } from '../../api/commands.ts';

export type Draft = {
  /** Where the plan comes from; empty while nobody has chosen: then one that is stored, where there is one. */
  readonly from: '' | 'stored' | 'text';
  /** Name of the stored plan. */
  readonly stored: string;
  readonly text: string;
  readonly version: string;
  readonly first: boolean;
  readonly paused: boolean;
  /** Empty: as the plan says. */
  readonly onBusy: string;
  readonly reason: string;
  /** Sent again after a lost answer, with the same key, it starts one release. */
  readonly key: string;
};

const KEY = 'headgate.new';

const EXAMPLE = `service:
steps: [5%, 25%, 50%]
hold: 5m
checks: [errors, latency]
`;

export const freshDraft = (): Draft => ({
  from: '',
  stored: '',
  text: EXAMPLE,
  version: '',
  first: false,
  paused: false,
  onBusy: '',
  reason: '',
  key: newKey(),
});

/** Of another version of the console, or of somebody else's making: only what fits is taken. */
export function draftOf(text: string | null): Draft {
  const fresh = freshDraft();
  try {
    const found: unknown = JSON.parse(text ?? 'null');
    if (typeof found !== 'object' || found === null) return fresh;
    const kept = Object.entries(found).filter(
      ([key, value]) => key in fresh && typeof value === typeof fresh[key as keyof Draft],
    );
    const draft: Draft = { ...fresh, ...Object.fromEntries(kept) };
    return ['', 'stored', 'text'].includes(draft.from) ? draft : { ...draft, from: '' };
  } catch {
    return fresh;
  }
}

/** Nothing of the plan was chosen or typed: there is nothing in it that could be wrong yet. */
export const isUntouched = ({ from, text }: Draft): boolean => from !== 'stored' && text === EXAMPLE;

type Stored = { readonly name: string; readonly service: string };

/** For the service that somebody comes with: a plan of it that is stored, or the example. What was written stays as it is. */
export function draftFor(draft: Draft, service: string, plans: readonly Stored[]): Partial<Draft> {
  const isOfIt = plans.some((plan) => plan.name === draft.stored && plan.service === service);
  const own = isOfIt ? draft.stored : plans.find((plan) => plan.service === service)?.name;
  if (own !== undefined) return { from: 'stored', stored: own };
  return draft.text === EXAMPLE ? { from: 'text', text: EXAMPLE.replace(/^service:/, `service: ${service}`) } : { from: 'text' };
}

export function keptDraft(): Draft {
  try {
    return draftOf(sessionStorage.getItem(KEY));
  } catch {
    return freshDraft(); // a browser that keeps nothing
  }
}

export function keepDraft(draft: Draft | null): void {
  try {
    if (draft === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // then it lasts as long as the page
  }
}

/** As `POST /v1/releases` takes it. */
export const bodyOf = ({ from, stored, text, version, first, paused, onBusy, reason }: Draft) => ({
  // One line of YAML is a document, too, and not a name.
  plan: from === 'stored' ? stored : `${text}\n`,
  version: version.trim(),
  ...(first ? { first } : {}),
  ...(paused ? { paused } : {}),
  ...(onBusy === '' ? {} : { onBusy }),
  ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
});

/** The line that does the same in a terminal. */
export function startLine({ from, stored, version, first, paused, onBusy, reason }: Draft): string {
  const words = ['headgate release start'];
  words.push(from === 'stored' ? `--plan ${stored === '' ? 'PLAN' : shellWord(stored)}` : '-f plan.yaml');
  words.push(`--version ${version.trim() === '' ? 'VERSION' : shellWord(version.trim())}`);
  if (first) words.push('--first');
  if (paused) words.push('--paused');
  if (onBusy !== '') words.push(`--on-busy ${onBusy}`);
  if (reason.trim() !== '') words.push(`--reason ${quoted(reason.trim())}`);
  return words.join(' ');
}

const shellWord = (text: string): string => (/^[\w.@:/+-]+$/.test(text) ? text : quoted(text));
