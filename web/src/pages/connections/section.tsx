/** A kind of places, with what is said while it is asked for, when there is none of it, and when it cannot be read. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Page } from '../../api/client.ts';
import type { Resource } from '../../api/use-resource.ts';
import { Empty, ErrorBox, Loading } from '../../parts/notices.tsx';

type SectionProps<T> = {
  readonly title: string;
  readonly resource: Resource<Page<T>>;
  /** What is said when there is none. */
  readonly none: string;
  readonly children: (items: readonly T[]) => ComponentChildren;
};

export function Section<T>({ title, resource: { value, error }, none, children }: SectionProps<T>) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {error ? <ErrorBox error={error} /> : null}
      {value === null && !error ? <Loading of={title.toLowerCase()} /> : null}
      {value?.items.length === 0 ? <Empty title={none} /> : null}
      {value && value.items.length > 0 ? children(value.items) : null}
    </section>
  );
}

type PlacesProps<T> = Omit<SectionProps<T>, 'children'> & { readonly children: (place: T) => ComponentChildren };

/** One card a place. */
export const Places = <T extends { readonly name: string }>({ children, ...section }: PlacesProps<T>) => (
  <Section {...section}>
    {(items) => (
      <ul class="places">
        {items.map((place) => (
          <li key={place.name} class="card place">
            {children(place)}
          </li>
        ))}
      </ul>
    )}
  </Section>
);
