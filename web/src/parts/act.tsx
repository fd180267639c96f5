/** A button that does one thing at the service, once at a time; it is disabled with a reason that can be read. */
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

type ActProps = {
  readonly children: ComponentChildren;
  /** Said in full to those who do not see what it stands beside. */
  readonly label?: string;
  readonly tone?: 'primary' | 'danger' | 'plain';
  /** Why it cannot be done; null when it can. */
  readonly whyNot?: string | null;
  /** The reason stands somewhere else on the page already, under this id. */
  readonly whyId?: string;
  readonly run: () => Promise<unknown> | void;
};

export function Act({ children, label, tone = 'plain', whyNot = null, whyId, run }: ActProps) {
  const own = useId();
  const [isBusy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    await run();
    setBusy(false);
  };
  return (
    <span class="act">
      <button
        type="button"
        class={tone === 'plain' ? '' : tone}
        aria-label={label}
        aria-busy={isBusy}
        aria-describedby={whyNot === null ? undefined : (whyId ?? own)}
        disabled={whyNot !== null}
        onClick={press}
      >
        {isBusy ? 'one moment …' : children}
      </button>
      {whyNot === null || whyId !== undefined ? null : (
        <span id={own} class="small soft">
          {whyNot}
        </span>
      )}
    </span>
  );
}
