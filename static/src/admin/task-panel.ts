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

  constructor(
    private readonly client: Client,
    private readonly task: TaskInfo,
  ) {
    this.instance = client.instance(task.process, task.instance);
    const list = h('div', { 'data-testid': 'task-actions' });
    this.root = h('div', { class: 'task-panel stack' }, list, this.others);
    this.actions = new ActionList(list, this.instance, true);
    const show = batched(() => this.show());
    this.ends.push(this.instance.actions.subscribe(show), this.instance.error.subscribe((error) => error && this.say(error.message)));
    show();
  }

  close(): void {
    this.ends.splice(0).forEach((end) => end());
    this.open.forEach((task) => task.close());
    this.open.clear();
    this.instance.close();
  }

  private show(): void {
    const mine = this.instance.actions.get().filter(({ element }) => element === this.task.element);
    this.actions.show(mine);
    for (const action of mine) if (!this.open.has(action.name)) this.keep(action);
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
