/** Text with numbered lines, those with a problem marked: a plain textarea, and a gutter that scrolls with it. */
import { useEffect, useRef } from 'preact/hooks';
import type { ValidatedView } from '../../../../src/contract/wire.ts';
import { Icon } from '../../parts/icon.tsx';
import { offsetOf } from './lines.ts';

type Found = ValidatedView['problems'][number];

type EditorProps = {
  readonly id: string;
  readonly text: string;
  readonly problems: readonly Found[];
  readonly warnings: readonly Found[];
  readonly readOnly?: boolean;
  readonly onInput: (text: string) => void;
};

export function PlanEditor({ id, text, problems, warnings, readOnly = false, onInput }: EditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split('\n').length;
  const scroll = (): void => {
    if (gutter.current && area.current) gutter.current.style.transform = `translateY(${-area.current.scrollTop}px)`;
  };
  useEffect(scroll, [text]);
  const goTo = ({ line, column }: Found): void => {
    const field = area.current;
    if (!field || line === null) return;
    const at = offsetOf(text, line, column ?? 1);
    field.focus();
    field.setSelectionRange(at, at);
    const height = Number.parseFloat(getComputedStyle(field).lineHeight);
    field.scrollTop = Math.max(0, (line - 4) * height);
  };
  const tone = (line: number): string =>
    problems.some((one) => one.line === line) ? 'bad' : warnings.some((one) => one.line === line) ? 'warn' : '';
  const saidId = `${id}-said`;
  return (
    <>
      <div class={`editor ${problems.length > 0 ? 'wrong' : ''}`}>
        <div class="gutter" aria-hidden="true">
          <div ref={gutter}>
            {Array.from({ length: lines }, (_, index) => (
              <div key={index} class={tone(index + 1)}>
                {tone(index + 1) === '' ? null : <Icon name={tone(index + 1) === 'bad' ? 'bad' : 'warn'} />}
                {index + 1}
              </div>
            ))}
          </div>
        </div>
        <textarea
          ref={area}
          id={id}
          rows={Math.min(24, Math.max(8, lines + 1))}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          readOnly={readOnly}
          aria-invalid={problems.length > 0}
          aria-describedby={saidId}
          value={text}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
          onScroll={scroll}
        />
      </div>
      <div id={saidId} class="found" role="status">
        <FoundList of={problems} tone="bad" onGo={goTo} />
        <FoundList of={warnings} tone="warn" onGo={goTo} />
      </div>
    </>
  );
}

type ListProps = { readonly of: readonly Found[]; readonly tone: 'bad' | 'warn'; readonly onGo: (found: Found) => void };

const FoundList = ({ of, tone, onGo }: ListProps) =>
  of.length === 0 ? null : (
    <ul class={`tone-${tone}`}>
      {of.map((found) => (
        <li key={`${found.pointer} ${found.line} ${found.detail}`}>
          <Icon name={tone === 'bad' ? 'bad' : 'warn'} />
          {found.line === null ? (
            <span class="place-of">{found.pointer}</span>
          ) : (
            <button type="button" class="quiet" onClick={() => onGo(found)}>
              line {found.line}
            </button>
          )}
          <span>{found.detail}</span>
        </li>
      ))}
    </ul>
  );
