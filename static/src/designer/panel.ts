/**
 * The properties panel: the selected element, its fields in groups, and its actions. It is drawn again when the selection changes
 * or the model is changed other than by its own fields; open groups and the focus are kept.
 *
 * **The properties panel is the project's own**, not bpmn-io's: that one includes an editor for another expression language and
 * makes the designer's script 1.7 MB instead of 0.43 MB; fields, focus and dark mode are those of the other pages.
 */
import { h, redraw } from '../dom.js';
import { whenReleased } from '../press.js';
import { drawActions, type Editing, openAction } from './action-editor.js';
import { Pending } from './fields.js';
import { globalTasks, isGlobalTask } from './global-tasks.js';
import { groupsOf, hasActions } from './groups.js';
import type { Model } from './model.js';
import { knownPaths } from './paths.js';
import type { Canvas, Element, EventBus, Modeling, Selection } from './types.js';

/** Groups that are open when an element is selected for the first time. */
const OPEN_AT_FIRST = [
  'general',
  'process',
  'actions',
  'condition',
  'conditional',
  'default',
  'default-value',
  'call',
  'task',
  'script',
  'timer',
  'message',
  'signal',
  'error',
  'escalation',
  'compensation',
  'link',
  'interrupting',
  'roles',
];
/** Elements in the list of all elements; a longer list would be of no use. */
const LISTED = 500;

export class Panel {
  readonly pending = new Pending();
  private selected: Element | undefined;
  private ownChange = false;
  private isStale = false;
  /** The field that gets the focus when the panel is drawn next. */
  private next: string | undefined;
  private readonly opened = new Map<string, boolean>();
  /** Ids of processes that are deployed. */
  processIds: readonly string[] = [];

  constructor(
    private readonly root: HTMLElement,
    private readonly model: Model,
    private readonly mayEdit: boolean,
  ) {
    const bus = model.service<EventBus>('eventBus');
    bus.on('selection.changed', () => this.select());
    bus.on('commandStack.changed', () => {
      if (!this.ownChange) this.draw();
    });
    bus.on('import.done', () => this.reset());
    root.addEventListener('toggle', (event) => this.toggled(event.target as HTMLDetailsElement), true);
    this.pending.around = (commit) => this.asOwn(commit);
  }

  /** A field already shows what it commits; only the names of the element are updated. */
  private asOwn(commit: () => void): void {
    this.ownChange = true;
    try {
      commit();
    } finally {
      this.ownChange = false;
    }
    const head = this.root.querySelector<HTMLElement>('.head');
    if (!head || head.contains(document.activeElement)) return;
    whenReleased(head, () => this.selected && head.replaceWith(this.drawHead(this.selected)));
  }

  /** Draws again once the focus has moved to its target and the pressed button is released. */
  private drawSoon(): void {
    this.isStale = true;
    setTimeout(() => whenReleased(this.root, () => this.isStale && this.draw()));
  }

  private reset(): void {
    this.pending.drop();
    this.selected = undefined;
    this.select();
  }

  private select(): void {
    this.pending.flush();
    const [first, ...others] = this.model.service<Selection>('selection').get();
    const chosen = first && others.length === 0 ? (first.labelTarget ?? first) : undefined;
    const shown = this.model.service<Canvas>('canvas').getRootElement();
    // If nothing is selected on the plane of a collapsed subprocess: the subprocess.
    const inner = shown === this.model.root ? undefined : this.model.registry.get(shown?.businessObject?.id ?? '');
    const element = chosen ?? inner ?? this.model.root;
    if (element === this.selected) return;
    this.selected = element;
    this.draw();
    this.root.scrollTop = 0;
  }

  /** Draws the selected element in its current state. */
  draw(): void {
    const element = this.stillThere(this.selected) ?? this.model.root;
    if (!element?.businessObject) return;
    this.selected = element;
    this.isStale = false;
    this.pending.flush();
    const redrawn = (to?: string) => {
      this.next = to;
      this.drawSoon();
    };
    const editing: Editing = {
      model: this.model,
      element,
      pending: this.pending,
      paths: knownPaths(this.model),
      mayEdit: this.mayEdit,
      redraw: redrawn,
    };
    const groups = groupsOf(editing, this.processIds, (id) => this.show(id));
    if (hasActions(element)) {
      const count = this.model.actions(element.businessObject).length;
      groups.splice(1, 0, { name: 'actions', label: `Actions (${count})`, content: [drawActions(editing)] });
    }
    const drawn = groups.map(({ name, label, content }) =>
      h(
        'details',
        { class: 'group-box', 'data-open': name, 'data-testid': `group-${name.split('/')[0]}`, open: this.isOpen(name) },
        h('summary', { 'data-focus': `group/${name}` }, h('h3', {}, label)),
        h('fieldset', { class: 'fields', disabled: !this.mayEdit }, h('legend', { class: 'visually-hidden' }, label), ...content),
      ),
    );
    this.root
      .querySelectorAll<HTMLDetailsElement>('details[data-open]')
      .forEach(({ dataset, open }) => this.opened.set(dataset.open!, open));
    const caret = caretIn(this.root);
    const { scrollTop: place } = this.root;
    redraw(this.root, h('h2', { class: 'visually-hidden' }, 'Properties'), this.drawHead(element), ...drawn);
    this.root
      .querySelectorAll<HTMLDetailsElement>('details[data-open]')
      .forEach((details) => (details.open = this.isOpen(details.dataset.open!)));
    this.root.scrollTop = place;
    caret?.();
    const to = this.next;
    this.next = undefined;
    if (to) this.fieldNamed(to, [])?.focus();
  }

  /** The selected element, unless it is a global task that was removed from the document. */
  private stillThere(element: Element | undefined): Element | undefined {
    return element && isGlobalTask(element) && !globalTasks(this.model).includes(element) ? undefined : element;
  }

  private isOpen(name: string): boolean {
    return this.opened.get(name) ?? OPEN_AT_FIRST.includes(name.split('/')[0]!);
  }

  private toggled({ dataset, open, isConnected }: HTMLDetailsElement): void {
    if (dataset.open !== undefined && isConnected) this.opened.set(dataset.open, open);
  }

  /** All elements as a list, so that each can be selected without the canvas; and the possible targets of a new flow. */
  private drawHead(element: Element): HTMLElement {
    const all = [...this.model.elements().slice(0, LISTED), ...globalTasks(this.model)];
    const label = ({ id, type, businessObject }: Element) => {
      const kind = type.replace('bpmn:', '');
      return businessObject.name ? `${businessObject.name} (${kind} ${id})` : `${kind} ${id}`;
    };
    const option = (one: Element) => h('option', { value: one.id, selected: one === element }, label(one));
    const known = all.includes(element) ? all : [element, ...all];
    const select = h(
      'select',
      { class: 'input', id: 'element', 'data-focus': 'head/element', 'data-testid': 'element' },
      ...known.map(option),
    );
    select.addEventListener('change', () => this.show(select.value));
    const drawn: HTMLElement[] = [h('div', { class: 'field' }, h('label', { for: 'element' }, 'Element'), select)];
    const isDrawn = element !== this.model.root && !isGlobalTask(element);
    if (this.mayEdit && element.businessObject.$type !== 'bpmn:SequenceFlow' && isDrawn)
      drawn.push(...this.drawConnect(element, all, label));
    return h('div', { class: 'fields head' }, ...drawn);
  }

  private drawConnect(element: Element, all: readonly Element[], label: (element: Element) => string): HTMLElement[] {
    const rules = this.model.service<{ allowed(rule: string, context: unknown): unknown }>('rules');
    const isFlow = (allowed: unknown) => (allowed as { type?: string } | null)?.type === 'bpmn:SequenceFlow';
    const targets = all.filter(
      (target) =>
        target !== element && !target.waypoints && !isGlobalTask(target) && isFlow(rules.allowed('connection.create', { source: element, target })),
    );
    if (targets.length === 0) return [];
    const none = h('option', { value: '' }, 'Choose…');
    const select = h(
      'select',
      { class: 'input', id: 'connect', 'data-focus': 'head/connect', 'data-testid': 'connect' },
      none,
      ...targets.map((one) => h('option', { value: one.id }, label(one))),
    );
    select.addEventListener('change', () => {
      const target = this.model.registry.get(select.value);
      if (target) this.model.service<Modeling>('modeling').connect(element, target);
    });
    return [h('div', { class: 'field' }, h('label', { for: 'connect' }, 'Sequence flow to'), select)];
  }

  /** Shows the element, and optionally its action and message, named after `#` in an address. */
  showAddressed(hash: string): void {
    const [element = '', action] = hash.slice(1).split('/').map(decoded);
    if (element && this.show(element) && action) this.focus(['message'], action);
  }

  /** Selects an element, by its id or that of its process, and shows it. */
  show(id: string): boolean {
    const beside = globalTasks(this.model).find((task) => task.id === id);
    if (beside) {
      this.model.service<Selection>('selection').select(null);
      this.selected = beside;
      this.draw();
      this.root.scrollTop = 0;
      return true;
    }
    const found = this.model.registry.get(id);
    const pool = this.model
      .elements()
      .find(
        ({ type, businessObject }) =>
          type === 'bpmn:Participant' && businessObject.get<{ id?: string } | undefined>('processRef')?.id === id,
      );
    const element = found ?? pool ?? (this.model.processes().some((process) => process.id === id) ? this.model.root : undefined);
    if (!element) return false;
    const isRoot = element === this.model.root;
    const canvas = this.model.service<Canvas>('canvas');
    // The content of a collapsed subprocess is on a separate plane.
    const plane = isRoot ? element : canvas.findRoot(element);
    if (plane && plane !== canvas.getRootElement()) canvas.setRootElement(plane);
    this.model.service<Selection>('selection').select(isRoot ? null : element);
    // A model of thousands of nodes fits on the canvas only at a scale at which nothing is recognisable.
    const { inner, outer } = canvas.viewbox();
    if (!isRoot && inner.width > 50 * outer.width) canvas.zoom(0.5);
    if (!isRoot) canvas.scrollToElement(element, 120);
    this.select();
    return true;
  }

  /**
   * Moves the focus to a field of the selected element: to that of the action with this name, if given; of several keys, to the one
   * whose path is quoted, otherwise the first.
   */
  focus(fields: readonly string[], action?: string, quoted: readonly string[] = []): void {
    const actions = this.selected ? this.model.actions(this.selected.businessObject) : [];
    const index = actions.findIndex((one) => one.get('name') === action);
    if (index >= 0) {
      openAction(actions[index]!);
      this.opened.set('actions', true);
      this.draw();
    }
    const wanted = fields.flatMap((field) => (index >= 0 ? [`action/${index}/${field}`] : [field]));
    const target = wanted.map((name) => this.fieldNamed(name, quoted)).find(Boolean);
    const place =
      target ??
      this.root.querySelector<HTMLElement>(index >= 0 ? `[data-focus="action/${index}"]` : '[data-focus="head/element"]');
    if (place) reveal(place);
  }

  /** Moves the focus to a field whose input is not in the model, and gives what is wrong with it. */
  focusRejected(): string | undefined {
    const input = this.root.querySelector<HTMLInputElement>('[data-rejected]');
    if (!input) return undefined;
    reveal(input);
    const error = this.root.querySelector(`#${input.id}-error`)?.textContent;
    return `${input.labels?.[0]?.textContent}: ${error}`;
  }

  private fieldNamed(name: string, quoted: readonly string[]): HTMLElement | undefined {
    const exact =
      this.root.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"]`) ??
      // Of several events, including those thrown by iterations, the first with such a field.
      this.root.querySelector<HTMLElement>(`:is([data-field^="event/"], [data-field^="complex/"])[data-field$="/${CSS.escape(name)}"]`);
    if (exact || !name.endsWith('keys')) return exact ?? undefined;
    const paths = [
      ...this.root.querySelectorAll<HTMLInputElement>(`[data-field^="${CSS.escape(`${name}/`)}"][data-field$="/path"]`),
    ];
    return paths.find(({ value }) => quoted.includes(value)) ?? paths[0];
  }
}

function reveal(place: HTMLElement): void {
  for (let box = place.closest('details'); box; box = box.parentElement?.closest('details') ?? null) box.open = true;
  place.focus();
  place.scrollIntoView({ block: 'center' });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Restores the caret in the same field of a panel that was drawn again. */
function caretIn(root: HTMLElement): (() => void) | undefined {
  const before = document.activeElement;
  if (!root.contains(before) || !(before instanceof HTMLTextAreaElement || before instanceof HTMLInputElement)) return undefined;
  const { selectionStart, selectionEnd, scrollTop, dataset } = before;
  return () => {
    const after = document.activeElement;
    if (!(after instanceof HTMLTextAreaElement || after instanceof HTMLInputElement) || after.dataset.focus !== dataset.focus)
      return;
    if (selectionStart !== null) after.setSelectionRange(selectionStart, selectionEnd);
    after.scrollTop = scrollTop;
  };
}
