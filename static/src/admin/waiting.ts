/** What an instance waits for: events, delayed actions, reminders, its expiry. */
import { h } from '../dom.js';
import { time } from './elements-table.js';

/** An entry as `GET /v1/instances/{key}` lists it for operators. */
export interface Waiting {
  kind: string;
  node: string | null;
  element: string | null;
  name?: string;
  correlationKey?: string;
  dueAt?: string;
  since?: string;
  action?: string | null;
}

/** The list, or a sentence when it is empty. */
export function waitingTable(all: readonly Waiting[], nodeOf: (element: string) => string | undefined): HTMLElement {
  if (all.length === 0) return h('p', { class: 'empty' }, 'It waits for no events or timers.');
  const cell = (label: string, ...content: (Node | string)[]) => h('td', { 'data-label': label }, h('div', {}, ...content));
  const row = (one: Waiting) => {
    const about: (Node | string)[] = [];
    if (one.dueAt) about.push(time(one.dueAt));
    if (one.name !== undefined) about.push(h('strong', {}, one.name));
    if (one.correlationKey !== undefined) about.push(' with key ', h('code', {}, one.correlationKey));
    if (one.action) about.push(' action ', h('code', {}, one.action));
    const node = one.node ?? (one.element ? nodeOf(one.element) : undefined) ?? 'the process';
    return h(
      'tr',
      { 'data-kind': one.kind, 'data-node': node },
      cell('Waits for', one.kind),
      cell('What', ...(about.length > 0 ? about : ['—'])),
      cell('At', h('code', {}, node)),
      cell('Since', one.since ? time(one.since) : '—'),
    );
  };
  const heads = ['Waits for', 'What', 'At', 'Since'].map((name) => h('th', { scope: 'col' }, name));
  const caption = h('caption', { class: 'visually-hidden' }, 'Events and timers the instance waits for');
  return h('table', { class: 'cards' }, caption, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...all.map(row)));
}
