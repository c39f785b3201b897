/** The audit log: what administrators, operators and designers did, when, from where, and to what. */
import { h } from '../dom.js';
import { time } from './elements-table.js';
import type { OperationsPage } from './operations.js';
import { list } from './rest-lists.js';
import { instanceLink } from './table.js';

interface Entry {
  id: number;
  at: string;
  tenant: string;
  by: string;
  address?: string;
  act: string;
  details: Record<string, string | number | boolean>;
}

/** The target of an action: an instance is a link, and of a boolean only the name is shown. */
const details = ({ details }: Entry): (Node | string)[] =>
  Object.entries(details).flatMap(([name, value]) => {
    if (value === false) return [];
    const label = h('span', { class: 'muted small' }, `${name} `);
    if (value === true) return [label];
    return [label, name === 'instance' ? instanceLink(String(value)) : h('code', {}, String(value)), ' '];
  });

/** Acts that the log knows; others are found, too. */
const ACTS = [
  ...['terminate', 'hold', 'unhold', 'patch', 'move', 'migrate', 'retry', 'skip', 'assign', 'dismiss'],
  ...['process deployed', 'process enabled', 'process disabled', 'version published', 'version deprecated', 'version deleted'],
  ...['user added', 'user changed', 'user removed', 'tokens of a user revoked', 'token issued', 'signed in by a link'],
  ...['schedule enabled', 'schedule disabled', 'schedule run', 'trial begun'],
  ...['connection closed', 'backup made'],
];

export function audit(): OperationsPage {
  const by = h('input', { class: 'input', id: 'audit-by', name: 'by', placeholder: 'User' });
  const act = h('input', { class: 'input', id: 'audit-act', name: 'act', placeholder: 'terminate', list: 'audit-acts' });
  const since = h('input', { class: 'input', id: 'audit-since', name: 'since', type: 'datetime-local' });
  const former = new URLSearchParams(location.search);
  for (const input of [by, act, since]) input.value = former.get(input.name) ?? '';
  const keepInAddress = () => {
    const address = new URL(location.href);
    for (const { name, value } of [by, act, since]) {
      if (value.trim() === '') address.searchParams.delete(name);
      else address.searchParams.set(name, value.trim());
    }
    history.replaceState(null, '', address);
  };
  const path = () => {
    const asked = new URLSearchParams();
    for (const { name, value } of [by, act]) if (value.trim() !== '') asked.set(name, value.trim());
    if (since.value !== '') asked.set('since', new Date(since.value).toISOString());
    return asked.size > 0 ? `/v1/audit?${asked}` : '/v1/audit';
  };
  const field = (label: string, input: HTMLInputElement) => h('div', { class: 'field' }, h('label', { for: input.id }, label), input);
  return list<Entry>({
    path,
    name: 'entries',
    title: 'Audit log',
    empty: 'No entry matches. Commands of operators, deploys, and changes of users and schedules are kept here.',
    // There is no topic for the log itself; what is logged also changes one of these.
    topics: ['instances', 'incidents', 'definitions', 'schedules', 'users', 'connections'],
    key: ({ id }) => String(id),
    columns: () => [
      { label: 'When', draw: ({ at }) => [time(at)] },
      { label: 'Who', draw: ({ by }) => [h('strong', {}, by)] },
      { label: 'From', draw: ({ address }) => [address === undefined ? h('span', { class: 'muted' }, 'the server’s machine') : h('code', {}, address)] },
      { label: 'Did', draw: ({ act }) => [act] },
      { label: 'To', draw: details },
    ],
    before: (look) => {
      const filter = h(
        'form',
        { class: 'filters few', role: 'search', 'aria-label': 'Filter the audit log', 'data-testid': 'audit-filter' },
        field('Done by', by),
        field('What', act),
        h('datalist', { id: 'audit-acts' }, ...ACTS.map((value) => h('option', { value }))),
        field('Since', since),
        h('button', { class: 'button primary' }, 'Filter'),
      );
      filter.addEventListener('submit', (event) => {
        event.preventDefault();
        keepInAddress();
        void look();
      });
      return [filter];
    },
  });
}
