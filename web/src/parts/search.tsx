/** Filters of a list: they are the address, so that a view can be passed on and comes back with the back button. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Place } from '../router.ts';
import { go, withSearch } from '../router.ts';

/** Another filter begins at the newest page again. */
export const filterBy = (place: Place, key: string, value: string): void =>
  go(withSearch(place, { [key]: value, cursor: null }), { replace: true });

export const Filters = ({ children }: { readonly children: ComponentChildren }) => (
  <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
    {children}
  </form>
);

type SearchProps = { readonly place: Place; readonly label: string; readonly placeholder: string };

/** Asked when the typing is over: with Enter, or when the field is left. */
export function SearchField({ place, label, placeholder }: SearchProps) {
  const [text, setText] = useState(place.search.get('q') ?? '');
  const ask = (): void => filterBy(place, 'q', text.trim());
  return (
    <label class="field">
      <span class="unseen">{label}</span>
      <input
        type="search"
        placeholder={placeholder}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onChange={ask}
        onKeyDown={(event) => {
          if (event.key === 'Enter') ask();
        }}
      />
    </label>
  );
}

type ChoiceProps = {
  readonly place: Place;
  readonly name: string;
  readonly label: string;
  /** What is said for no choice. */
  readonly all: string;
  readonly options: readonly (readonly [value: string, word: string])[];
};

export const Choice = ({ place, name, label, all, options }: ChoiceProps) => {
  const chosen = place.search.get(name) ?? '';
  return (
    <label class="field">
      <span class="unseen">{label}</span>
      <select value={chosen} onChange={({ currentTarget }) => filterBy(place, name, currentTarget.value)}>
        <option value="">{all}</option>
        {options.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
        {chosen === '' || options.some(([value]) => value === chosen) ? null : <option value={chosen}>{chosen}</option>}
      </select>
    </label>
  );
};
