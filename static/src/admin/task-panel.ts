/**
 * A user task that is worked on within the list: its actions as forms, who else has it open, and the draft of the user's input. The
 * server stores the draft, so it is available on every device of the user.
 */
import type { AvailableAction, Client, Instance, JsonObject, TaskInfo } from '@stepwire/client';
import type { StepwireForm } from '@stepwire/client/forms';
import { type OpenTask, openTask } from '@stepwire/client/task';
import { batched, h } from '../dom.js';
import { ActionList } from './action-list.js';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export class TaskPanel {
  readonly root: HTMLElement;
  private readonly instance: Instance;
  private readonly actions: ActionList;
  private readonly others = h('p', { class: 'muted small', role: 'status', 'data-testid': 'others' });
  private readonly open = new Map<string, OpenTask>();
  private readonly ends: (() => void)[] = [];
  /** Says that the task is over for this user; what was typed can still be read. */
  private readonly over = h('div', { role: 'status', 'data-testid': 'task-over' });
  /** The actions that are shown. */
  private shown: readonly AvailableAction[] = [];
  /** Whether the user has acted since the last input: then what vanishes is no surprise. */
  hasActed = false;
  /** Whether the page lists the task no more. */
  private isGone = false;
  /** Who else has the task, as far as known. */
  private taker: string | undefined;

  constructor(
    private readonly client: Client,
    private readonly task: TaskInfo,
    private readonly user: string,
    private readonly closed: () => void,
  ) {
    this.instance = client.instance(task.process, task.instance);
    const run: Instance['run'] = (...asked) => {
      const running = this.instance.run(...asked);
      this.hasActed = true;
      running.catch(() => (this.hasActed = false));
      return running;
    };
    const list = h('div', { 'data-testid': 'task-actions' });
    this.root = h('div', { class: 'task-panel stack' }, this.over, list, this.others);
    this.root.addEventListener('input', () => (this.hasActed = false));
    this.actions = new ActionList(list, { ...this.instance, run } as Instance, true);
    const show = batched(() => this.show());
    const { actions, nodes, error } = this.instance;
    this.ends.push(actions.subscribe(show), nodes.subscribe(show), error.subscribe((reason) => reason && this.say(reason.message)));
    show();
  }

  close(): void {
    this.ends.splice(0).forEach((end) => end());
    this.open.forEach((task) => task.close());
    this.open.clear();
    this.instance.close();
  }

  /** The page lists the task no more, or again. */
  gone(isGone: boolean): void {
    if (isGone === this.isGone) return;
    this.isGone = isGone;
    this.show();
  }

  private show(): void {
    const mine = this.instance.actions.get().filter(({ element }) => element === this.task.element);
    const offered = new Set(mine.map(({ name }) => name));
    // What somebody else does must not take away what this user types.
    const over = this.hasActed ? [] : this.shown.filter(({ name }) => !offered.has(name));
    this.shown = [...mine, ...over];
    const isOver = this.isGone || (over.length > 0 && mine.length === 0);
    this.actions.show(this.shown, isOver ? this.shown : over);
    this.drawOver(isOver);
    for (const action of mine) if (!this.open.has(action.name)) this.keep(action);
  }

  private drawOver(isOver: boolean): void {
    const node = this.instance.nodes.get().find(({ element }) => element === this.task.element);
    if (node) this.taker = node.assignee === this.user ? undefined : node.assignee;
    if (!isOver) return this.over.replaceChildren();
    const sentence = h('p', {}, `${this.reason(node !== undefined)} What you typed can still be read.`);
    const close = h('button', { class: 'button compact', type: 'button', 'data-focus': `${this.task.element}/over`, onclick: () => this.closed() }, 'Close');
    if (this.over.textContent !== `${sentence.textContent}Close`) this.over.replaceChildren(h('div', { class: 'note warn' }, sentence, close));
  }

  private reason(isThere: boolean): string {
    if (isThere) return this.taker ? `${this.taker} has taken this task.` : 'This task is not open to you any more.';
    const status = this.instance.status.get();
    if (status === 'terminated' || status === 'expired') return `This task is over: its process is ${status}.`;
    if (this.instance.error.get()) return 'This task is not open to you any more: somebody else has taken or completed it.';
    return this.taker ? `${this.taker} has completed this task.` : 'This task has been completed.';
  }

  /** Saves the input in the form of an action, and shows the input saved before. */
  private keep({ name, element }: AvailableAction): void {
    const task = openTask(this.client, this.instance, { element, action: name });
    this.open.set(name, task);
    this.ends.push(task.others.subscribe((others) => this.say(present(others))));
    const form = this.actions.formOf(element, name);
    if (!form) return;
    const fill = (draft: JsonObject | undefined) => draft && write(form, draft);
    this.ends.push(task.draft.subscribe(fill));
    fill(task.draft.get());
    form.addEventListener('input', () => task.save(read(form)));
    // Submitted data are no longer a draft: the server drops it with the command.
    form.addEventListener('stepwire-done', () => void task.discard().catch(() => undefined));
  }

  private say(text: string): void {
    this.others.textContent = text;
  }
}

function present(others: readonly { user: string; typing: boolean }[]): string {
  if (others.length === 0) return '';
  const names = others.map(({ user, typing }) => (typing ? `${user} (typing)` : user));
  return `Also open at ${names.join(', ')}.`;
}

const controls = (form: StepwireForm) => [...form.shadowRoot!.querySelectorAll<Control>('[name]')];

const isBox = (control: Control): control is HTMLInputElement => control instanceof HTMLInputElement && control.type === 'checkbox';

/** The content of the form as typed: a draft may contain half a number. */
function read(form: StepwireForm): JsonObject {
  return Object.fromEntries(controls(form).map((control) => [control.name, isBox(control) ? control.checked : control.value]));
}

/** Writes a draft into the inputs without the focus. */
function write(form: StepwireForm, draft: JsonObject): void {
  for (const control of controls(form)) {
    const value = draft[control.name];
    if (value === undefined || control === form.shadowRoot!.activeElement) continue;
    if (isBox(control) ? control.checked === value : control.value === `${value}`) continue;
    if (isBox(control)) control.checked = value === true;
    else control.value = `${value}`;
    // Tells the form that there is input; the draft is not saved again.
    control.dispatchEvent(new Event('input'));
  }
}
