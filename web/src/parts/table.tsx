/** Tables of rows that are read page by page, so that ten thousand of them are as quick as ten. */
import type { ComponentChildren, JSX } from 'preact';
import type { Place } from '../router.ts';
import { withSearch } from '../router.ts';

export type Column<T> = {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Figures stand to the right. */
  readonly end?: boolean;
  /** Left out where there is little room: what it says stands somewhere else there, or can be missed. */
  readonly wide?: boolean;
};

export type TableProps<T> = {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string | number;
  /** Few and short columns fit anywhere. Else each row is a block of its own where there is little room, its titles beside its values. */
  readonly small?: boolean;
};

export function Table<T>({ caption, columns, rows, keyOf, small = false }: TableProps<T>): JSX.Element {
  const classOf = ({ end, wide }: Column<T>): string => `${end === true ? 'end' : ''} ${wide === true ? 'wide' : ''}`.trim();
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={caption}>
      <table class={small ? '' : 'stacked'} role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th scope="col" role="columnheader" class={classOf(column)} key={column.title}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map((column) => (
                <td class={classOf(column)} key={column.title} role="cell" data-title={column.title}>
                  <div>{column.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type PagerProps = {
  readonly place: Place;
  readonly nextCursor: string | null;
  /** The key of the search that holds the cursor. */
  readonly name?: string;
};

/** One page is shown at a time; the way back is the browser's, and the first page. */
export function Pager({ place, nextCursor, name = 'cursor' }: PagerProps) {
  const isFirst = !place.search.has(name);
  if (isFirst && nextCursor === null) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {isFirst ? null : <a href={withSearch(place, { [name]: null })}>Newest</a>}
      {nextCursor === null ? null : <a href={withSearch(place, { [name]: nextCursor })}>Older</a>}
    </nav>
  );
}
