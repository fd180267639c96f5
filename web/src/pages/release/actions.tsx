/** What can be done with the release, as the service offers it: each says what it will do, and asks before it does it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ReleaseView } from '../../../../src/contract/wire.ts';
import type { Failure } from '../../api/client.ts';
import { commandLine, newKey, saidOf, sendCommand } from '../../api/commands.ts';
import type { Offer } from '../../api/commands.ts';
import { endedAt } from '../../ended.ts';
import { unbroken } from '../../format.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { CopyLine, ErrorBox } from '../../parts/notices.tsx';
import { useKeys } from '../../parts/use-keys.ts';

type ActionsProps = { readonly release: ReleaseView; readonly onDone: () => void };

const idOf = ({ verb, option }: Offer): string => `${verb} ${option ?? ''}`;
/** The way back stands first, whatever else there is, and what goes past the checks last. */
const rank = ({ verb, option }: Offer): number => (verb === 'rollback' ? 0 : option === null ? 1 : option === 'full' ? 2 : 3);
const order = (offers: readonly Offer[]): readonly Offer[] => offers.toSorted((a, b) => rank(a) - rank(b));
const isNarrow = (): boolean => matchMedia('(max-width: 70rem)').matches;

export function Actions({ release, onDone }: ActionsProps) {
  const [asked, setAsked] = useState<string | null>(null);
  const [done, setDone] = useState('');
  const offers = release.acceptedCommands;
  const taken = order(offers.filter(({ accepted }) => accepted));
  const refused = order(offers.filter(({ accepted }) => !accepted));
  useKeys(
    Object.fromEntries(
      taken.flatMap((offer) => {
        const { key } = saidOf(offer);
        return key === null ? [] : [[key.toLowerCase(), () => setAsked(idOf(offer))]];
      }),
    ),
  );
  const offer = offers.find((one) => idOf(one) === asked);
  return (
    <section class="card side-card actions" aria-labelledby="actions-title">
      <h2 id="actions-title">Actions</h2>
      <p role="status" class="small done">
        {done}
      </p>
      {taken.length === 0 ? (
        <p class="soft">
          {endedAt(release) === null ? 'Nothing can be done now.' : 'It has ended: nothing can be done with it.'}
        </p>
      ) : null}
      <ul class="offers">
        {taken.map((one) => (
          <OfferRow key={idOf(one)} offer={one} onAsk={() => setAsked(idOf(one))} />
        ))}
      </ul>
      <details open={endedAt(release) === null && !isNarrow()}>
        <summary class="small soft">Not possible now, and why</summary>
        <ul class="offers refused">
          {refused.map((one) => (
            <OfferRow key={idOf(one)} offer={one} onAsk={() => undefined} />
          ))}
        </ul>
      </details>
      {offer ? (
        <Confirm
          release={release}
          offer={offer}
          onClose={() => setAsked(null)}
          onDone={() => {
            setAsked(null);
            setDone(`${saidOf(offer).name}: done`);
            onDone();
          }}
        />
      ) : null}
    </section>
  );
}

function OfferRow({ offer, onAsk }: { readonly offer: Offer; readonly onAsk: () => void }) {
  const { name, key, tone } = saidOf(offer);
  const id = `why-${offer.verb}-${offer.option ?? 'plain'}`;
  return (
    <li>
      <button
        type="button"
        class={tone === 'plain' ? '' : tone}
        aria-describedby={id}
        disabled={!offer.accepted}
        aria-keyshortcuts={key === null || !offer.accepted ? undefined : key}
        onClick={onAsk}
      >
        {name}
        {key !== null && offer.accepted ? <kbd aria-hidden="true">{key}</kbd> : null}
      </button>
      <span id={id} class="small soft">
        {unbroken((offer.accepted ? offer.effect : offer.reason) ?? '')}
      </span>
    </li>
  );
}

type ConfirmProps = {
  readonly release: ReleaseView;
  readonly offer: Offer;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

function Confirm({ release, offer, onClose, onDone }: ConfirmProps) {
  const { name, tone } = saidOf(offer);
  const [reason, setReason] = useState('');
  const [error, setError] = useState<Failure | null>(null);
  const [isSending, setSending] = useState(false);
  // Of this question: pressed twice, or sent again after a lost answer, it has its effect once.
  const key = useRef(newKey());
  const confirm = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!offer.needsReason) confirm.current?.focus();
  }, []);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isSending) return;
    setSending(true);
    const answer = await sendCommand(release, offer, { reason, key: key.current });
    setSending(false);
    if (answer.ok) onDone();
    else {
      setError(answer.error);
      if (answer.error.kind === 'refused') key.current = newKey();
    }
  };
  return (
    <Dialog title={`${name}: ${release.service} ${release.version}?`} onClose={onClose}>
      <form onSubmit={send}>
        <p>{unbroken(offer.accepted ? `It ${offer.effect ?? ''}.` : (offer.reason ?? ''))}</p>
        <label class="field">
          <span>
            Reason <span class="soft small">{offer.needsReason ? '(needed)' : '(optional; it is kept)'}</span>
          </span>
          <textarea
            rows={2}
            maxLength={2_000}
            required={offer.needsReason}
            value={reason}
            onInput={({ currentTarget }) => setReason(currentTarget.value)}
          />
        </label>
        {error ? <ErrorBox error={error} /> : null}
        <div class="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            ref={confirm}
            class={tone === 'danger' || tone === 'warned' ? 'danger' : 'primary'}
            disabled={isSending || !offer.accepted}
          >
            {name}
          </button>
        </div>
        <div class="same">
          <p class="small soft">The same from a terminal</p>
          <CopyLine text={commandLine(release.id, offer, reason)} />
        </div>
      </form>
    </Dialog>
  );
}
