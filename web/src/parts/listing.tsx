/** A list that is read page by page: what is said while it is asked for, when it cannot be read and when it is empty, and its rows. */
import type { ComponentChildren, JSX } from 'preact';
import type { Page } from '../api/client.ts';
import type { Resource } from '../api/use-resource.ts';
import type { Place } from '../router.ts';
import { ErrorBox, Loading } from './notices.tsx';
import { Pager, Table } from './table.tsx';
import type { TableProps } from './table.tsx';

type ListingProps<T> = Omit<TableProps<T>, 'rows'> & {
  readonly resource: Pick<Resource<Page<T>>, 'value' | 'error'>;
  readonly place: Place;
  /** What is asked for. */
  readonly of: string;
  /** Shown when there is nothing. */
  readonly empty: ComponentChildren;
};

export function Listing<T>({ resource: { value, error }, place, of, empty, ...table }: ListingProps<T>): JSX.Element {
  return (
    <>
      {error ? <ErrorBox error={error} /> : null}
      {value === null && !error ? <Loading of={of} /> : null}
      {value?.items.length === 0 ? empty : null}
      {value && value.items.length > 0 ? (
        <>
          <Table {...table} rows={value.items} />
          <Pager place={place} nextCursor={value.nextCursor} />
        </>
      ) : null}
    </>
  );
}
