import type { AvailableAction, Instance } from '@stepwire/client';
import { StepwireForm } from '@stepwire/client/forms';
import { h } from '../dom.js';
import { iterationOf } from './iterations.js';

/**
 * The actions that may be run now, each as a form generated from its data. Input is kept while other actions appear and disappear.
 */
export class ActionList {
  private readonly items = new Map<string, HTMLElement>();
  private readonly list = h('ul', { class: 'log-list' });
  /** The instance as a form sees it whose action is over. */
  private readonly offeringNone: Instance;
  private readonly empty = h('p', { class: 'empty' }, 'None for you at this step.');

  constructor(
    root: HTMLElement,
    private readonly instance: Instance,
    /** Whether a single action is open at first; later the user decides. */
    private opensOne = false,
  ) {
    this.offeringNone = { ...instance, actions: { get: () => [], subscribe: () => () => undefined } } as Instance;
    root.replaceChildren(this.empty, this.list);
  }

  /** Shows these actions; of those that are `over`, the input can be read, but not sent. */
  show(actions: readonly AvailableAction[], over: readonly AvailableAction[] = []): void {
    const keys = new Set(actions.map(keyOf));
    for (const [key, item] of this.items) {
      if (keys.has(key)) continue;
      item.remove();
      this.items.delete(key);
    }
    for (const action of actions) {
      const key = keyOf(action);
      if (this.items.has(key)) continue;
      const item = h('li', { 'data-action': action.name }, this.draw(action));
      this.items.set(key, item);
      this.list.append(item);
    }
    const withdrawn = new Set(over.map(keyOf));
    for (const [key, item] of this.items) {
      const isOver = withdrawn.has(key);
      item.querySelectorAll('button').forEach((button) => (button.disabled = isOver));
      const form = item.querySelector('stepwire-form');
      if (form) form.instance = isOver ? this.offeringNone : this.instance;
    }
    this.empty.hidden = actions.length > 0;
    // A single action is open from the start.
    if (actions.length === 1 && this.opensOne) this.list.querySelector('details')!.open = true;
    this.opensOne &&= actions.length === 0;
  }

  /** The form of an action, unless it takes its data in another way. */
  formOf(element: string, name: string): StepwireForm | null {
    return this.items.get(keyOf({ element, name }))?.querySelector('stepwire-form') ?? null;
  }

  private draw(action: AvailableAction): HTMLElement {
    const { name, node, element, required, repeatable, back } = action;
    const words = [iterationOf(element, this.instance.nodes.get()), required, repeatable && 'repeatable', back && 'goes back'].filter(Boolean).join(', ');
    const summary = h('summary', {}, h('strong', {}, name), h('code', {}, node), h('span', { class: 'muted' }, words));
    const form = isDecision(action) ? this.decision(action) : this.form(action);
    return h('details', {}, summary, h('div', { class: 'body' }, form));
  }

  private form({ name, element }: AvailableAction): HTMLElement {
    const form = new StepwireForm();
    form.action = name;
    form.element = element;
    form.texts = { submit: `Run ${name}` };
    form.instance = this.instance;
    form.classList.add('action-form');
    return form;
  }

  /** A decision accepts a comment, which is not one of the keys. */
  private decision(action: AvailableAction): HTMLElement {
    const { name, element } = action;
    const id = `comment-${element}-${name}`;
    const comment = h('textarea', { class: 'input', id, rows: 2 });
    return this.sending(action, [h('label', { for: id }, `Comment for ${name}`), comment], () =>
      this.instance.run(name, comment.value ? { comment: comment.value } : {}, { element }),
    );
  }

  private sending({ name }: AvailableAction, inputs: Node[], send: () => Promise<unknown>): HTMLElement {
    const trouble = h('p', { class: 'error', role: 'alert' });
    const button = h('button', { class: 'button compact' }, `Run ${name}`);
    const fields = h('form', { class: 'stack' }, h('div', { class: 'field' }, ...inputs, trouble), h('div', {}, button));
    fields.addEventListener('submit', (submitted) => {
      submitted.preventDefault();
      trouble.textContent = '';
      const refused = (error: Error) => (trouble.textContent = error.message);
      try {
        send().catch(refused);
      } catch (error) {
        refused(error as Error);
      }
    });
    return fields;
  }
}

/** An approval is decided by actions with these names. */
const isDecision = ({ name, keys }: AvailableAction) => (name === 'approve' || name === 'reject') && keys.length === 0;

const keyOf = ({ name, element }: Pick<AvailableAction, 'name' | 'element'>) => `${element}/${name}`;
