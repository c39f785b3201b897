import type { ActiveNode } from '@stepwire/client';
import { h } from '../dom.js';

/** One visit of a node, as `GET /v1/instances/{key}/history` lists it. */
export interface Visit {
  element: string;
  node: string;
  name?: string | null;
  type: string;
  kind?: string;
  scope?: string;
  loopCounter?: number;
  attachedTo?: string;
  loop?: { instances: number | null; sequential: boolean };
  /** The events that it received. */
  events?: { node: string; at: string }[];
  /** The instances it called. */
  children?: { instance: string; process: string; status: string | null }[];
  /** Its variables, for operators. */
  variables?: unknown;
  lifecycle: string;
  activatedAt?: string | null;
  endedAt?: string | null;
  /** The decisions of an approval, oldest first. */
  decisions?: { decision: string; by: string | null; at: string; comment: string | null }[];
}

/** The content of the last column of an active element. */
type Notes = (active: ActiveNode) => (Node | string)[];

/** The content of the diagram as a table: visits in order, the active ones with notes. */
export function elementsTable(visits: readonly Visit[], active: readonly ActiveNode[], notes: Notes): HTMLElement {
  const known = new Set(visits.map(({ element }) => element));
  const unlisted = active.filter(({ element }) => !known.has(element)).map((node) => ({ ...node, lifecycle: 'Activated' }));
  const rows = inScopes([...visits, ...unlisted]).map(({ visit, depth }) =>
    row(
      visit,
      depth,
      active.find(({ element }) => element === visit.element),
      notes,
    ),
  );
  if (rows.length === 0) return h('p', { class: 'empty' }, 'No element has been entered yet.');
  const heads = ['Element', 'Type', 'Lifecycle', 'Entered', 'Left', 'Notes'].map((name) => h('th', { scope: 'col' }, name));
  const caption = h('caption', { class: 'visually-hidden' }, 'Visits of the diagram’s elements in their order');
  return h('table', { class: 'cards' }, caption, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows));
}

function row(visit: Visit, depth: number, active: ActiveNode | undefined, notes: Notes): HTMLElement {
  const lifecycle = visit.lifecycle === 'Terminated' ? 'aborted' : visit.lifecycle;
  const badge = h('span', { class: 'badge', 'data-status': active?.incident ? 'incident' : visit.lifecycle }, lifecycle);
  const cell = (label: string, ...content: (Node | string)[]) => h('td', { 'data-label': label }, h('div', {}, ...content));
  return h(
    'tr',
    { 'data-node': visit.node, 'data-kind': visit.kind, 'data-active': String(active !== undefined) },
    h(
      'td',
      { 'data-label': 'Element' },
      h('div', { class: `depth-${Math.min(depth, 5)}` }, nameOf(visit), ' ', h('code', { class: 'muted' }, visit.node)),
    ),
    cell('Type', ...typeOf(visit)),
    cell('Lifecycle', badge),
    cell('Entered', time(visit.activatedAt)),
    cell('Left', time(visit.endedAt)),
    cell('Notes', ...orDash([...came(visit), ...decided(visit), ...(active ? notes(active) : [])])),
  );
}

const orDash = (words: (Node | string)[]) => {
  const said = words.filter((word) => word !== '—');
  return said.length > 0 ? said : ['—'];
};

/** Visits in order, each followed by those in its scope. */
function inScopes(visits: readonly Visit[]): { visit: Visit; depth: number }[] {
  const known = new Set(visits.map(({ element }) => element));
  const inside = new Map<string | undefined, Visit[]>();
  for (const visit of visits) {
    const scope = visit.scope !== undefined && known.has(visit.scope) ? visit.scope : undefined;
    inside.set(scope, [...(inside.get(scope) ?? []), visit]);
  }
  const all: { visit: Visit; depth: number }[] = [];
  const add = (scope: string | undefined, depth: number) => {
    for (const visit of inside.get(scope) ?? []) {
      all.push({ visit, depth });
      add(visit.element, depth + 1);
    }
  };
  add(undefined, 0);
  return all;
}

/** Iterations with their numbers. */
function nameOf({ name, node, loopCounter }: Visit): string {
  return loopCounter === undefined ? name || node : `${name || node} (${loopCounter})`;
}

function typeOf({ type, kind, loop, attachedTo }: Visit): (Node | string)[] {
  const words: (Node | string)[] = [type];
  if (kind === 'eventSubProcess') words.push(' started by an event');
  if (kind === 'loop') {
    const often = loop ? (loop.instances === null ? 'again and again' : `${loop.instances} times`) : 'not begun';
    words.push(h('span', { class: 'muted' }, ` · loop, ${often}${loop?.sequential ? ', one after the other' : ''}`));
  }
  if (attachedTo) words.push(h('span', { class: 'muted' }, ' at ', h('code', {}, attachedTo)));
  return words;
}

/** The events that it received, and the instances it called. */
function came({ events = [], children = [] }: Visit): HTMLElement[] {
  const event = ({ node, at }: { node: string; at: string }) =>
    h('p', { 'data-testid': 'event' }, 'Event ', h('code', {}, node), ' came ', time(at));
  const child = ({ instance, process, status }: { instance: string; process: string; status: string | null }) =>
    h(
      'p',
      { 'data-testid': 'called' },
      'Called ',
      h('a', { href: encodeURIComponent(instance) }, process),
      status ? ` (${status})` : '',
    );
  return [...events.map(event), ...children.map(child)];
}

/** The decisions, with users and comments. */
function decided({ decisions = [] }: Visit): HTMLElement[] {
  return decisions.map(({ decision, by, comment }) => {
    const status = decision === 'approved' ? 'finished' : 'terminated';
    const badge = h('span', { class: 'badge', 'data-status': status }, decision);
    return h('p', { 'data-testid': 'decision' }, badge, ` by ${by ?? 'the server'}`, comment !== null && `: “${comment}”`);
  });
}

/** A moment in a form for people. */
export function time(at: string | null | undefined): HTMLElement | string {
  if (!at) return '—';
  const text = new Date(at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
  return h('time', { datetime: at }, text);
}
