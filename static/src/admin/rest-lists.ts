/** Lists loaded in parts from the HTTP interface: schedules, timers, users. */
import { h } from '../dom.js';
import { commandButton } from './command-button.js';
import { time } from './elements-table.js';
import { type Named, namesOf, nodeName } from './names.js';
import type { OperationsPage } from './operations.js';
import { getJson, post } from './rest.js';
import { box, type Column, instanceLink, table } from './table.js';
import { run } from './trouble.js';

/** Parts of a list that a page keeps open at most; further ones are found by the filters of the lists. */
const PARTS = 10;

/** The requested number of parts of a list. */
export async function parts<Row>(path: string, name: string, count: number): Promise<{ rows: Row[]; more: boolean }> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  for (let part = 0; part < count; part++) {
    const mark = path.includes('?') ? '&' : '?';
    const read: Record<string, unknown> | undefined = await getJson(cursor === null ? path : `${path}${mark}cursor=${encodeURIComponent(cursor)}`);
    if (!read) throw new Error(`expected the server to list ${name}, but it refused; your role may not allow it`);
    rows.push(...(read[name] as Row[]));
    cursor = (read.next as string | null | undefined) ?? null;
    if (cursor === null) break;
  }
  return { rows, more: cursor !== null };
}

interface ListOptions<Row> {
  path: string | (() => string);
  name: string;
  title: string;
  empty: string;
  topics: OperationsPage['topics'];
  /** `names`: those of the processes given by `processOf`. */
  columns(look: () => Promise<void>, names: ReadonlyMap<string, Named>): Column<Row>[];
  processOf?(row: Row): string;
  key(row: Row): string;
  before?(look: () => Promise<void>): HTMLElement[];
}

export function list<Row>(options: ListOptions<Row>): OperationsPage {
  let wanted = 1;
  let before: HTMLElement[] | undefined;
  return {
    topics: options.topics,
    async draw(look) {
      before ??= options.before?.(look) ?? [];
      const { rows, more } = await parts<Row>(typeof options.path === 'string' ? options.path : options.path(), options.name, wanted);
      const names = await namesOf(options.processOf ? rows.map(options.processOf) : []);
      const drawn = rows.length > 0 ? table(options.title, options.columns(look, names), rows, options.key) : undefined;
      const further = () => {
        wanted++;
        void look();
      };
      const button = h('button', { class: 'button compact', type: 'button', 'data-focus': 'list/more', onclick: further }, 'More');
      const last = more && wanted < PARTS ? [h('p', { class: 'body' }, button)] : [];
      return [...before, box(options.title, options.empty, drawn, ...last)];
    },
  };
}

/** A button that sends a command and then loads the list again. */
export function act(look: () => Promise<void>, label: string, key: string, about: string, work: () => Promise<unknown> | false, kind?: 'danger') {
  const send = () => {
    const sent = work();
    if (sent !== false) run(sent.then(look));
  };
  return commandButton({ label, about, kind, focus: `${key}/${label}`, run: send });
}

interface Schedule {
  process: string;
  node: string;
  version: number;
  kind: string;
  expression: string | null;
  timeZone: string;
  enabled: boolean;
  nextRun: string | null;
  lastRun: string | null;
  lastInstance: string | null;
  runs: number;
  lastError: { at: string | null; message: string } | null;
}

export const schedules = (): OperationsPage =>
  list<Schedule>({
    path: '/v1/schedules',
    name: 'schedules',
    title: 'Schedules',
    empty: 'No process has a schedule. Give a start event a timer to start its process by time.',
    topics: ['schedules', 'definitions'],
    key: ({ process, node }) => `${process}/${node}`,
    processOf: ({ process }) => process,
    columns: (look, names) => [
      { label: 'Process', draw: ({ process, version }) => [names.get(process)?.process ?? process, h('span', { class: 'muted small' }, ` v${version}`)] },
      { label: 'Start event', draw: ({ process, node }) => nodeName(names.get(process), node) },
      { label: 'When', draw: ({ kind, expression, timeZone }) => [h('code', {}, expression ?? kind), h('span', { class: 'muted small' }, ` ${kind}, ${timeZone}`)] },
      { label: 'Next', draw: ({ nextRun, enabled }) => [nextRun ? time(nextRun) : enabled ? '—' : h('span', { class: 'badge', 'data-status': 'onHold' }, 'disabled')] },
      {
        label: 'Last',
        draw: ({ lastRun, lastInstance, runs, lastError }) => [
          lastRun ? time(lastRun) : '—',
          ` · ${runs} ${runs === 1 ? 'run' : 'runs'} `,
          lastInstance ? h('a', { href: `/admin/instances/${lastInstance}` }, 'instance') : '',
          lastError ? h('p', {}, h('span', { class: 'badge', 'data-status': 'incident' }, 'failed'), ` ${lastError.message}`) : '',
        ],
      },
      {
        label: 'Commands',
        draw: ({ process, node, enabled }) => {
          const path = `/v1/schedules/${encodeURIComponent(process)}/${encodeURIComponent(node)}`;
          const switched = enabled ? 'disable' : 'enable';
          return [
            act(look, enabled ? 'Disable' : 'Enable', `${process}/${node}`, process, () => post(`${path}/${switched}`, {})),
            act(look, 'Run now', `${process}/${node}`, process, () => post(`${path}/run`, {})),
          ];
        },
      },
    ],
  });

interface Timer {
  instance: string;
  process: string;
  kind: string;
  element: string | null;
  action: string | null;
  node: string | null;
  dueAt: string;
}

export const timers = (): OperationsPage =>
  list<Timer>({
    path: '/v1/timers',
    name: 'timers',
    title: 'Timers',
    empty: 'No timers are pending.',
    topics: ['timers', 'instances'],
    key: ({ instance, element, kind, node, action }) => [element ?? instance, kind, node, action].join('/'),
    processOf: ({ process }) => process,
    columns: (_, names) => [
      { label: 'Due', draw: ({ dueAt }) => [time(dueAt)] },
      { label: 'What', draw: ({ kind, action, node }) => [kind, ' ', h('code', {}, action ?? node ?? '')] },
      { label: 'Process', draw: ({ process }) => [names.get(process)?.process ?? process] },
      { label: 'Instance', draw: ({ instance }) => [instanceLink(instance)] },
    ],
  });

interface User {
  name: string;
  roles: string[];
  createdAt: string;
}

const rolesOf = (text: string) => text.split(/[\s,]+/).filter(Boolean);

function addUser(look: () => Promise<void>): HTMLElement {
  const field = (id: string, label: string, attributes: Record<string, string | boolean>) => {
    const input = h('input', { class: 'input', id, ...attributes });
    return { input, field: h('div', { class: 'field' }, h('label', { for: id }, label), input) };
  };
  const name = field('user-name', 'Name', { required: true, autocomplete: 'off' });
  const password = field('user-password', 'Password', { required: true, type: 'password', autocomplete: 'new-password' });
  const roles = field('user-roles', 'Roles', { placeholder: 'clerk operator', autocomplete: 'off' });
  const form = h('form', { class: 'filters few body' }, name.field, password.field, roles.field, h('button', { class: 'button primary', 'data-testid': 'add-user' }, 'Add'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const user = { name: name.input.value, password: password.input.value, roles: rolesOf(roles.input.value) };
    run(
      post('/v1/users', user).then(() => {
        form.reset();
        return look();
      }),
    );
  });
  return h('section', { class: 'box' }, h('header', {}, h('h2', {}, 'Add a user')), form);
}

export const users = (): OperationsPage =>
  list<User>({
    path: '/v1/users',
    name: 'users',
    title: 'Users',
    empty: 'No user has a password on this server. Users may sign in through an issuer, or by the sign-in link.',
    topics: ['users'],
    key: ({ name }) => name,
    before: (look) => [addUser(look)],
    columns: (look) => [
      { label: 'Name', draw: ({ name }) => [h('strong', {}, name)] },
      { label: 'Roles', draw: ({ roles }) => [roles.join(', ') || '—'] },
      { label: 'Since', draw: ({ createdAt }) => [createdAt ? time(createdAt) : '—'] },
      {
        label: 'Commands',
        draw: ({ name, roles }) => {
          const path = `/v1/users/${encodeURIComponent(name)}`;
          const changed = () => {
            const asked = prompt(`Roles of ${name}`, roles.join(' '));
            return asked !== null && post(path, { roles: rolesOf(asked) }, 'PATCH');
          };
          return [
            act(look, 'Roles…', name, name, changed),
            act(look, 'Revoke tokens', name, name, () => post(`${path}/revoke`, {})),
            act(look, 'Remove', name, name, () => confirm(`Remove ${name}? That cannot be undone.`) && post(path, undefined, 'DELETE'), 'danger'),
          ];
        },
      },
    ],
  });
