import { type Client, connect, type TaskInfo } from '@stepwire/client';
import { type TaskList, tasks } from '@stepwire/client/lists';
import { showConnection } from '../connection-badge.js';
import { batched, byId, h, redraw } from '../dom.js';
import { commandButton } from './command-button.js';
import { dueNotes, dueTime } from './due.js';
import { time } from './elements-table.js';
import { getJson, ticketUrl } from './rest.js';
import { complain, run } from './trouble.js';

interface Versions {
  definitions: { id: string; name: string }[];
}

/** The longest a timer of a browser may wait. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** What a task is called; iterations of one user task by their numbers. */
const taskName = ({ name, node, loopCounter }: TaskInfo): string =>
  loopCounter === null ? name || node : `${name || node} (${loopCounter})`;

/** The page of a user's tasks: what is theirs, and what they may claim. */
export class TasksPage {
  private readonly client: Client;
  private readonly list: TaskList;
  private readonly user: string;
  private readonly instances: string;
  /** Process id → name. */
  private names = new Map<string, string>();
  /** Draws the list again when the next task gets overdue. */
  private overdue: ReturnType<typeof setTimeout> | undefined;

  constructor({ user = '', instances = '' }: DOMStringMap) {
    this.user = user;
    this.instances = instances;
    this.client = connect({ url: ticketUrl, client: 'admin/1' });
    this.list = tasks(this.client);
    showConnection(byId('connection'), this.client);
    const show = batched(() => this.show());
    this.list.tasks.subscribe(show);
    this.list.more.subscribe(show);
    this.list.error.subscribe((error) => complain(error));
    void this.readNames().then(show);
  }

  private async readNames(): Promise<void> {
    const versions = await getJson<Versions>('/v1/definitions');
    // By id and version: the newest name is the last.
    versions?.definitions.forEach(({ id, name }) => this.names.set(id, name));
  }

  private show(): void {
    const tasks = this.list.tasks.get();
    if (!tasks) return;
    byId('total').textContent = this.counted(tasks);
    this.wakeWhenOverdue(tasks);
    redraw(byId('tasks'), tasks.length === 0 ? h('p', { class: 'empty' }, 'No task waits for you.') : this.table(tasks));
  }

  private wakeWhenOverdue(tasks: readonly TaskInfo[]): void {
    clearTimeout(this.overdue);
    const next = Math.min(...tasks.map(dueTime).filter((due) => due > Date.now()));
    if (next !== Infinity) this.overdue = setTimeout(() => this.show(), Math.min(next - Date.now(), LONGEST_WAIT));
  }

  private counted(tasks: readonly TaskInfo[]): string {
    const mine = tasks.filter(({ assignee }) => assignee === this.user).length;
    const all = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}, ${mine} of them yours`;
    return this.list.more.get() ? `${all}; there are older ones` : all;
  }

  private table(tasks: readonly TaskInfo[]): HTMLElement {
    const heads = ['Task', 'Process', 'Lane', 'Whose', 'Due', 'Waiting since', 'Commands'];
    const cells = heads.map((name) => h('th', { scope: 'col' }, name));
    const caption = h('caption', { class: 'visually-hidden' }, 'Tasks: first what is due first, then the newest');
    const rows = [...tasks].sort((a, b) => compare(dueTime(a), dueTime(b))).map((task) => this.row(task));
    return h('table', { class: 'cards' }, caption, h('thead', {}, h('tr', {}, ...cells)), h('tbody', {}, ...rows));
  }

  private row(task: TaskInfo): HTMLElement {
    const { instance, element, process, lane, createdAt } = task;
    const cell = (label: string, ...content: (Node | string)[]) => h('td', { 'data-label': label }, h('div', {}, ...content));
    const href = `${this.instances}/${encodeURIComponent(instance)}`;
    const link = h('a', { href, 'data-focus': `open/${element}` }, taskName(task));
    return h(
      'tr',
      { 'data-element': element, 'data-node': task.node, 'data-mine': String(task.assignee === this.user) },
      cell('Task', link),
      cell('Process', this.names.get(process) || process),
      cell('Lane', lane ?? '—'),
      cell('Whose', ...this.whose(task)),
      cell('Due', ...(task.dueAt ? dueNotes(task) : ['—'])),
      cell('Waiting since', time(createdAt)),
      h('td', { 'data-label': 'Commands' }, h('div', { class: 'row' }, ...this.commands(task))),
    );
  }

  private whose({ assignee, candidates }: TaskInfo): (Node | string)[] {
    if (assignee === this.user) return [h('span', { class: 'badge', 'data-status': 'mine' }, 'yours')];
    if (assignee !== null) return [assignee];
    return [h('span', { class: 'muted' }, candidates.length > 0 ? `nobody’s, open to ${candidates.join(', ')}` : 'nobody’s')];
  }

  private commands(task: TaskInfo): HTMLElement[] {
    const { instance, element, assignee } = task;
    const button = (label: string, type: string) =>
      commandButton({
        label,
        about: taskName(task),
        focus: `${element}/${type}`,
        run: () => run(this.client.command({ type, instance, element })),
      });
    return [assignee === null ? button('Claim', 'claim') : button('Release', 'release')];
  }
}

/** Two that are never due stay in their order. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b);
