/** What is shown instead of data: nothing there yet, still asking, refused. And a line to copy. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { failureText } from '../api/client.ts';
import type { Failure } from '../api/client.ts';
import { Icon } from './icon.tsx';

export const ErrorBox = ({ error }: { readonly error: Failure }) => (
  <p class="notice bad" role="alert">
    <Icon name="warn" />
    <span>{failureText(error)}</span>
  </p>
);

export const Loading = ({ of }: { readonly of: string }) => (
  <p class="loading" role="status">
    Asking for {of} …
  </p>
);

export const Empty = ({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

const SHOWN_MS = 1_500;

/** A command line, and a button that copies it. */
export function CopyLine({ text, label = 'Copy the command' }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState('');
  const copy = async (event: Event): Promise<void> => {
    const line = (event.currentTarget as HTMLElement).previousElementSibling;
    try {
      await navigator.clipboard.writeText(text);
      setSaid('copied');
    } catch {
      // The clipboard is the browser's on plain http: then the line is selected, and Ctrl+C takes it.
      if (line) getSelection()?.selectAllChildren(line);
      setSaid('selected');
    }
    setTimeout(() => setSaid(''), SHOWN_MS);
  };
  return (
    <div class="copy-line">
      <code tabIndex={0}>{text}</code>
      <button type="button" class="quiet" aria-label={label} onClick={copy}>
        <Icon name={said === '' ? 'copy' : 'ok'} />
        <span role="status">{said}</span>
      </button>
    </div>
  );
}
