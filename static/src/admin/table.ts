/** Tables of the pages: the rows of an answer, shown as cards on a phone. */
import { h } from '../dom.js';

export interface Column<Row> {
  label: string;
  draw(row: Row): (Node | string)[];
}

/** A table; `key` identifies each row for tests and for the focus. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[], key: (row: Row) => string): HTMLElement {
  const heads = columns.map(({ label }) => h('th', { scope: 'col' }, label));
  const body = rows.map((row) =>
    h(
      'tr',
      { 'data-key': key(row) },
      ...columns.map(({ label, draw }) => h('td', { 'data-label': label }, h('div', { class: label === 'Commands' ? 'row' : undefined }, ...draw(row)))),
    ),
  );
  return h(
    'table',
    { class: 'cards' },
    h('caption', { class: 'visually-hidden' }, caption),
    h('thead', {}, h('tr', {}, ...heads)),
    h('tbody', {}, ...body),
  );
}

/** A box with a heading around a table, or a sentence when there is no row. */
export function box(title: string, empty: string, inside: HTMLElement | undefined, ...more: HTMLElement[]): HTMLElement {
  return h('section', { class: 'box' }, h('header', {}, h('h2', {}, title)), inside ?? h('p', { class: 'empty' }, empty), ...more);
}

export const instanceLink = (key: string): HTMLElement =>
  h('a', { href: `/admin/instances/${encodeURIComponent(key)}`, class: 'table-link', 'data-focus': `${key}/open` }, key);
