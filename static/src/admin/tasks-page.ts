/**
 * The page of tasks: assigned to me, claimable by me, and all; each is worked on in place. The first two are one list that the
 * server pushes; all tasks of the tenant are a query of operators.
 */
import { type Client, connect, type TaskInfo } from '@stepwire/client';
import { type TaskList, tasks } from '@stepwire/client/lists';
import { showSession } from './session.js';
import { batched, byId, h, redraw } from '../dom.js';
import { commandButton } from './command-button.js';
import { dueNotes, dueTime } from './due.js';
import { time } from './elements-table.js';
import { type Named, namesOf } from './names.js';
import { Looker } from './refresh.js';
import { ticketUrl } from './rest.js';
import { parts } from './rest-lists.js';
import { TaskPanel } from './task-panel.js';
import { complain, run } from './trouble.js';

/** The longest timer of a browser. */
const LONGEST_WAIT = 2 ** 31 - 1;
/** Parts of 100 that an operator's list of all has at most. */
const PARTS = 10;

const TABS = { mine: 'Mine', claimable: 'Claimable', all: 'All' } as const;
type Tab = keyof typeof TABS;

const EMPTY: Record<Tab, string> = {
  mine: 'No task is yours.',
  claimable: 'No task may be claimed.',
  all: 'No task waits.',
};

const HEADS = ['Task', 'Process', 'Business key', 'Lane', 'Whose', 'Due', 'Waiting since', 'Commands'];

/** The name of a task; iterations of one user task have numbers. */
const taskName = ({ name, node, loopCounter }: TaskInfo): string =>
  loopCounter === null ? name || node : `${name || node} (${loopCounter})`;

export class TasksPage {
  private readonly client: Client;
  private readonly list: TaskList;
  private readonly user: string;
  private readonly instances: string;
  private readonly seesAll: boolean;
  /** Process id → the names in it, once they are loaded. */
  private readonly named = new Map<string, Named | undefined>();
  /** Draws the list again when the next task becomes overdue. */
  private overdue: ReturnType<typeof setTimeout> | undefined;
  /** Until the user chooses a tab, the first that is not empty. */
  private tab: Tab | undefined;
  /** All tasks of the tenant, for operators who view them. */
  private everybody: { rows: TaskInfo[]; more: boolean } | undefined;
  private wanted = 1;
  private readonly looker = new Looker(() => this.readAll());
  /** The open task and its row. */
  private working: { task: TaskInfo; panel: TaskPanel; row: HTMLElement; at: number } | undefined;
  private readonly body = h('tbody', {});
  private readonly table = this.makeTable();

  constructor({ user = '', instances = '', all }: DOMStringMap) {
    this.user = user;
    this.instances = instances;
    this.seesAll = all === 'true';
    this.client = connect({ url: ticketUrl, client: 'admin/1', schemas: true });
    this.list = tasks(this.client);
    showSession(this.client);
    const show = batched(() => this.show());
    this.list.tasks.subscribe(show);
    this.list.more.subscribe(show);
    this.list.error.subscribe((error) => complain(error));
    const asked = new URLSearchParams(location.search).get('tab') ?? '';
    if (asked in TABS) this.tab = asked as Tab;
    if (this.seesAll) this.looker.follow(this.client, ['tasks']);
  }

  /** Loads the names of processes that were not requested yet. */
  private async readNamed(tasks: readonly TaskInfo[]): Promise<void> {
    const missing = tasks.map(({ process }) => process).filter((process) => !this.named.has(process));
    if (missing.length === 0) return;
    missing.forEach((process) => this.named.set(process, undefined));
    for (const [process, named] of await namesOf(missing)) this.named.set(process, named);
    this.show();
  }

  /** Loads all tasks of the tenant while they are viewed. */
  private async readAll(): Promise<void> {
    if (this.tab !== 'all') return;
    try {
      this.everybody = await parts<TaskInfo>('/v1/tasks?all=true', 'tasks', this.wanted);
      this.show();
    } catch (error) {
      complain(error as Error);
    }
  }

  private choose(tab: Tab): void {
    this.tab = tab;
    const address = new URL(location.href);
    address.searchParams.set('tab', tab);
    history.replaceState(null, '', address);
    if (!this.lists()[tab].some((task) => this.isOpen(task))) this.stopWorking();
    this.show();
    if (tab === 'all' && this.seesAll) this.looker.news();
  }

  private show(): void {
    const known = this.list.tasks.get();
    if (!known) return;
    const lists = this.lists();
    const { mine, claimable, all } = lists;
    const tab = this.tab ?? (mine.length === 0 && claimable.length > 0 ? 'claimable' : 'mine');
    byId('total').textContent = this.counted(known, mine.length, tab);
    this.wakeWhenOverdue(lists[tab]);
    redraw(byId('tabs'), this.tabs(tab, lists));
    const shown = [...lists[tab]].sort((a, b) => compare(dueTime(a), dueTime(b)));
    void this.readNamed(shown);
    const at = shown.findIndex((task) => this.isOpen(task));
    if (at < 0 && this.working?.panel.hasActed) this.stopWorking();
    this.working?.panel.gone(at < 0 && !known.some((task) => this.isOpen(task)));
    const rows = shown.map((task) => this.rows(task));
    // What the user types stays where it is when the task is not in the list any more.
    if (this.working && at < 0) rows.splice(this.working.at, 0, [this.working.row]);
    else if (this.working) this.working.at = at;
    redraw(this.body, ...rows.flat());
    const empty = known.length === 0 && all.length === 0 ? 'No task waits for you.' : EMPTY[tab];
    const more = this.moreButton(tab);
    redraw(byId('tasks'), rows.length === 0 ? h('p', { class: 'empty' }, empty) : this.table, ...more);
  }

  private lists(): Record<Tab, readonly TaskInfo[]> {
    const known = this.list.tasks.get() ?? [];
    return {
      mine: known.filter(({ assignee }) => assignee === this.user),
      claimable: known.filter(({ assignee }) => assignee === null),
      all: this.seesAll ? (this.everybody?.rows ?? known) : known,
    };
  }

  private isOpen({ element }: TaskInfo): boolean {
    return element === this.working?.task.element;
  }

  private wakeWhenOverdue(tasks: readonly TaskInfo[]): void {
    clearTimeout(this.overdue);
    const next = Math.min(...tasks.map(dueTime).filter((due) => due > Date.now()));
    if (next !== Infinity) this.overdue = setTimeout(() => this.show(), Math.min(next - Date.now(), LONGEST_WAIT));
  }

  private counted(tasks: readonly TaskInfo[], mine: number, tab: Tab): string {
    const many = (count: number) => `${count} ${count === 1 ? 'task' : 'tasks'}`;
    // Operators also see tasks that they cannot claim.
    if (tab === 'all' && this.seesAll && this.everybody) {
      const { rows, more } = this.everybody;
      return `${many(rows.length)} of everybody${more ? ', and older ones' : ''}, ${mine} of them yours`;
    }
    const all = `${many(tasks.length)}, ${mine} of them yours`;
    return this.list.more.get() ? `${all}; there are older ones` : all;
  }

  private tabs(current: Tab, lists: Record<Tab, readonly TaskInfo[]>): HTMLElement {
    const more = (tab: Tab) => (tab === 'all' && this.everybody?.more ? '+' : '');
    const count = (tab: Tab) => (tab === 'all' && this.seesAll && !this.everybody ? '' : ` ${lists[tab].length}${more(tab)}`);
    const link = (tab: Tab) => {
      const go = (event: Event) => {
        event.preventDefault();
        this.choose(tab);
      };
      const attributes = { href: `?tab=${tab}`, 'aria-current': tab === current && 'true', 'data-testid': `tab-${tab}`, 'data-focus': `tabs/${tab}`, onclick: go };
      return h('li', {}, h('a', attributes, TABS[tab], h('span', { class: 'muted small' }, count(tab))));
    };
    return h('ul', {}, ...(Object.keys(TABS) as Tab[]).map(link));
  }

  private moreButton(tab: Tab): HTMLElement[] {
    if (tab !== 'all' || !this.everybody?.more || this.wanted >= PARTS) return [];
    const further = () => {
      this.wanted++;
      void this.readAll();
    };
    return [h('p', { class: 'body' }, h('button', { class: 'button compact', type: 'button', 'data-focus': 'list/more', onclick: further }, 'More'))];
  }

  private makeTable(): HTMLElement {
    const cells = HEADS.map((name) => h('th', { scope: 'col' }, name));
    const caption = h('caption', { class: 'visually-hidden' }, 'Tasks, by due date, then the newest first');
    return h('table', { class: 'cards' }, caption, h('thead', {}, h('tr', {}, ...cells)), this.body);
  }

  /** The row of a task, and the row of its panel. */
  private rows(task: TaskInfo): HTMLElement[] {
    const { instance, element, process, businessKey, lane, createdAt } = task;
    const cell = (label: string, ...content: (Node | string)[]) => h('td', { 'data-label': label }, h('div', {}, ...content));
    const href = `${this.instances}/${encodeURIComponent(instance)}`;
    const link = h('a', { href, 'data-focus': `open/${element}` }, taskName(task));
    const row = h(
      'tr',
      { 'data-element': element, 'data-node': task.node, 'data-mine': String(task.assignee === this.user) },
      cell('Task', link),
      cell('Process', this.named.get(process)?.process ?? process),
      cell('Business key', businessKey ?? '—'),
      cell('Lane', lane === null ? '—' : (this.named.get(process)?.part(lane) ?? lane)),
      cell('Whose', ...this.whose(task)),
      cell('Due', ...(task.dueAt ? dueNotes(task) : ['—'])),
      cell('Waiting since', time(createdAt)),
      h('td', { 'data-label': 'Commands' }, h('div', { class: 'row' }, ...this.commands(task))),
    );
    return this.working && this.isOpen(task) ? [row, this.working.row] : [row];
  }

  private whose({ assignee, candidates }: TaskInfo): (Node | string)[] {
    if (assignee === this.user) return [h('span', { class: 'badge', 'data-status': 'mine' }, 'yours')];
    if (assignee !== null) return [assignee];
    return [h('span', { class: 'muted' }, candidates.length > 0 ? `unassigned, open to ${candidates.join(', ')}` : 'nobody’s')];
  }

  private commands(task: TaskInfo): HTMLElement[] {
    const { instance, element, assignee } = task;
    const button = (label: string, type: string, then: () => void = () => undefined) =>
      commandButton({
        label,
        about: taskName(task),
        focus: `${element}/${type}`,
        run: () => run(this.client.command({ type, instance, element }).then(then)),
      });
    const isOpen = this.isOpen(task);
    const open = commandButton({
      label: isOpen ? 'Close' : 'Work on it',
      about: taskName(task),
      focus: `${element}/work`,
      kind: isOpen ? undefined : 'primary',
      run: () => (isOpen ? this.stopWorking() : this.work(task), this.show()),
    });
    open.ariaExpanded = String(isOpen);
    // A claimed task is opened.
    const claimed = () => {
      this.work(task);
      this.choose('mine');
    };
    if (assignee === null) return [button('Claim', 'claim', claimed), open];
    const released = () => {
      if (this.working && this.isOpen(task)) this.working.panel.hasActed = true;
      this.show();
    };
    return [open, button('Release', 'release', released)];
  }

  /** Opens a task below its row, and closes any other. */
  private work(task: TaskInfo): void {
    this.stopWorking();
    const closed = () => {
      this.stopWorking();
      this.show();
    };
    const panel = new TaskPanel(this.client, task, this.user, closed);
    const cell = h('td', { colspan: HEADS.length }, panel.root);
    const row = h('tr', { class: 'worked-on', 'data-testid': 'task-panel' }, cell);
    this.working = { task, panel, row, at: 0 };
  }

  private stopWorking(): void {
    this.working?.panel.close();
    this.working = undefined;
  }
}

/** Two tasks without a due date keep their order. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b);
