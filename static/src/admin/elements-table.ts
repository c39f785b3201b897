import type { ActiveNode } from '@stepwire/client';
import { h } from '../dom.js';

/** One visit of a node, as `GET /v1/instances/{key}/history` lists it. */
export interface Visit {
  element: string;
  node: string;
  name?: string | null;
  type: string;
  lifecycle: string;
  activatedAt?: string | null;
  endedAt?: string | null;
  /** What was decided in an approval, oldest first. */
  decisions?: { decision: string; by: string | null; at: string; comment: string | null }[];
}

/** What stands in the last column of an active element. */
type Notes = (active: ActiveNode) => (Node | string)[];

/** The table that says the same as the diagram: visits in their order, the active ones with notes. */
export function elementsTable(visits: readonly Visit[], active: readonly ActiveNode[], notes: Notes): HTMLElement {
  const known = new Set(visits.map(({ element }) => element));
  const unlisted = active.filter(({ element }) => !known.has(element)).map((node) => ({ ...node, lifecycle: 'Activated' }));
  const rows = [...visits, ...unlisted].map((visit) =>
    row(
      visit,
      active.find(({ element }) => element === visit.element),
      notes,
    ),
  );
  if (rows.length === 0) return h('p', { class: 'empty' }, 'No element has been entered yet.');
  const heads = ['Element', 'Type', 'Lifecycle', 'Entered', 'Left', 'Notes'].map((name) => h('th', { scope: 'col' }, name));
  const caption = h('caption', { class: 'visually-hidden' }, 'Visits of the diagram’s elements in their order');
  return h('table', { class: 'cards' }, caption, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows));
}

function row(visit: Visit, active: ActiveNode | undefined, notes: Notes): HTMLElement {
  const lifecycle = visit.lifecycle === 'Terminated' ? 'aborted' : visit.lifecycle;
  const badge = h('span', { class: 'badge', 'data-status': active?.incident ? 'incident' : visit.lifecycle }, lifecycle);
  const cell = (label: string, ...content: (Node | string)[]) => h('td', { 'data-label': label }, h('div', {}, ...content));
  return h(
    'tr',
    { 'data-node': visit.node, 'data-active': String(active !== undefined) },
    cell('Element', visit.name || visit.node, ' ', h('code', { class: 'muted' }, visit.node)),
    cell('Type', visit.type),
    cell('Lifecycle', badge),
    cell('Entered', time(visit.activatedAt)),
    cell('Left', time(visit.endedAt)),
    cell('Notes', ...decided(visit), ...(active ? notes(active) : visit.decisions?.length ? [] : ['—'])),
  );
}

/** What was decided, by whom, and what they said to it. */
function decided({ decisions = [] }: Visit): HTMLElement[] {
  return decisions.map(({ decision, by, comment }) => {
    const status = decision === 'approved' ? 'finished' : 'terminated';
    const badge = h('span', { class: 'badge', 'data-status': status }, decision);
    return h('p', { 'data-testid': 'decision' }, badge, ` by ${by ?? 'the server'}`, comment !== null && `: “${comment}”`);
  });
}

/** A moment as a person reads it. */
export function time(at: string | null | undefined): HTMLElement | string {
  if (!at) return '—';
  const text = new Date(at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
  return h('time', { datetime: at }, text);
}
