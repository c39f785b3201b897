import { h } from '../dom.js';
import type { FieldError } from '@stepwire/client';
import { customerSentence } from './customer-sentence.js';

interface FieldKind {
  label: string;
  type: 'text' | 'email' | 'number';
  hint?: string;
  autocomplete?: string;
}

/** How the page shows a data path. Paths that the process adds later get a plain text field with a name made from the path. */
const KINDS: Record<string, FieldKind> = {
  'client.firstName': { label: 'First name', type: 'text', autocomplete: 'given-name' },
  'client.lastName': { label: 'Last name', type: 'text', autocomplete: 'family-name' },
  'client.email': { label: 'Email', type: 'email', autocomplete: 'email', hint: 'Where the contract goes.' },
  'client.age': { label: 'Age', type: 'number', hint: 'You must be of age.' },
  'client.income': { label: 'Yearly income (€)', type: 'number', hint: 'Decides the credit check.' },
};

function kindOf(path: string): FieldKind {
  const words = path
    .split('.')
    .at(-1)!
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase();
  return KINDS[path] ?? { label: words.charAt(0).toUpperCase() + words.slice(1), type: 'text' };
}

/** The value at a dotted path. */
export function valueAt(data: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], data);
}

/** Sets the value at a dotted path and creates missing objects. */
export function setAt(data: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop()!;
  let target = data;
  for (const name of names) target = (target[name] ??= {}) as Record<string, unknown>;
  target[last] = value;
}

/** One input of a form: its value follows the view until the visitor types. */
export class Field {
  readonly root: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly error: HTMLElement;
  private touched = false;

  constructor(
    readonly path: string,
    required: boolean,
  ) {
    const { label, type, hint, autocomplete } = kindOf(path);
    const id = `field-${path}`;
    this.input = h('input', {
      id,
      name: path,
      class: 'input',
      type: type === 'number' ? 'text' : type,
      inputmode: type === 'number' && 'decimal',
      autocomplete: autocomplete ?? 'off',
      'aria-required': required && 'true',
      'aria-describedby': `${id}-hint ${id}-error`,
      'data-testid': `field-${path}`,
      'data-kind': type,
    });
    this.input.addEventListener('input', () => {
      this.touched = true;
      // The error of the previous value does not apply to this one.
      this.complain(undefined);
    });
    this.error = h('p', { id: `${id}-error`, class: 'error', hidden: true, 'data-testid': `error-${path}` });
    const mark = !required && h('span', { class: 'hint' }, ' (optional)');
    const help = h('p', { id: `${id}-hint`, class: 'hint' }, hint ?? '');
    this.root = h('div', { class: 'field' }, h('label', { for: id }, label, mark), this.input, help, this.error);
  }

  /** Shows the value in the view. */
  follow(view: unknown): void {
    const value = valueAt(view, this.path);
    if (!this.touched) this.input.value = value === undefined || value === null ? '' : String(value);
  }

  /** The value to send: numbers as numbers; `undefined` for an empty field. */
  get value(): unknown {
    const text = this.input.value.trim();
    if (text === '') return undefined;
    const number = Number(text.replace(',', '.'));
    return this.input.dataset.kind === 'number' && !Number.isNaN(number) ? number : text;
  }

  /** Shows the customer the server's error for this field, or none. */
  complain(wrong: FieldError | undefined): void {
    this.error.textContent = wrong ? customerSentence(wrong) : '';
    this.error.hidden = wrong === undefined;
    this.input.setAttribute('aria-invalid', String(wrong !== undefined));
  }

  focus(): void {
    this.input.focus();
  }

  /** From now on it shows the value in the view again. */
  release(): void {
    this.touched = false;
  }
}
