/**
 * Fields of the properties panel. Input is written to the model after a short pause, and immediately when the field loses the focus
 * or the model is saved; each such change is one step of undo. Input rejected by a check stays in the field, with the error below
 * it.
 */
import { type Child, h } from '../dom.js';
import type { Check } from './checks.js';

const PAUSE_MS = 500;

interface Common {
  /** Unique in the panel: identifies the field for problems and for the focus. */
  name: string;
  label: string;
  hint?: string;
  value: string;
  check?: Check;
  commit: (text: string) => void;
}
export interface TextField extends Common {
  kind: 'text' | 'area' | 'template';
  placeholder?: string;
  rows?: number;
  /** Input rejected by its check is not written to the model, as the rest of the model depends on it. */
  strict?: boolean;
  /** The meaning of the value, in words. */
  reading?: (text: string) => string | undefined;
  suggestions?: readonly string[];
}
export interface ChoiceField extends Common {
  kind: 'select';
  options: readonly (readonly [value: string, label: string])[];
}
export interface FlagField {
  kind: 'flag';
  name: string;
  label: string;
  hint?: string;
  value: boolean;
  commit: (value: boolean) => void;
}
export type Field = TextField | ChoiceField | FlagField;

/** Input that is not yet part of the model. */
export class Pending {
  private readonly waiting = new Map<string, () => void>();
  private timer = 0;
  /** Wraps each commit. */
  around: (commit: () => void) => void = (commit) => commit();

  add(name: string, commit: () => void): void {
    this.waiting.set(name, commit);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  /** Commits everything immediately. */
  flush(): void {
    clearTimeout(this.timer);
    const commits = [...this.waiting.values()];
    this.waiting.clear();
    if (commits.length > 0) this.around(() => commits.forEach((commit) => commit()));
  }

  /** Discards it: the model was changed in another way. */
  drop(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
  }
}

let count = 0;

export function drawField(field: Field, pending: Pending): HTMLElement {
  const id = `field-${++count}`;
  if (field.kind === 'flag') return drawFlag(field, id);
  const { label, hint, name } = field;
  const error = h('p', { class: 'error', id: `${id}-error`, hidden: true });
  const reading = h('p', { class: 'hint', hidden: true });
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(' ');
  const attributes = { id, class: 'input', 'data-focus': name, 'data-field': name, 'aria-describedby': described };
  const input = field.kind === 'select' ? drawChoice(field, attributes) : drawText(field, attributes, pending);
  const show = () => {
    const sentence = field.check?.(input.value);
    error.hidden = !sentence;
    error.textContent = sentence ?? '';
    input.setAttribute('aria-invalid', String(Boolean(sentence)));
    const words = field.kind !== 'select' && !sentence ? field.reading?.(input.value) : undefined;
    reading.hidden = !words;
    reading.textContent = words ?? '';
  };
  input.addEventListener('input', show);
  input.addEventListener('change', show);
  show();
  const below: Child[] = [hint ? h('p', { class: 'hint', id: `${id}-hint` }, hint) : undefined, reading, error];
  const more = field.kind === 'text' && field.suggestions ? suggestions(field, input as HTMLInputElement, id) : undefined;
  return h('div', { class: 'field' }, h('label', { for: id }, label), input, more, ...below);
}

type Attributes = Record<string, string>;

function drawText(field: TextField, attributes: Attributes, pending: Pending): HTMLInputElement | HTMLTextAreaElement {
  const { kind, value, placeholder, rows = 3 } = field;
  const quiet = { spellcheck: 'false', autocomplete: 'off' };
  const input =
    kind === 'text'
      ? h('input', { ...attributes, ...quiet, placeholder })
      : h('textarea', { ...attributes, ...quiet, placeholder, rows, class: `input${kind === 'template' ? ' mono' : ''}` });
  input.value = value;
  let taken = value;
  const isRejected = () => input.value !== taken && Boolean(field.strict && field.check?.(input.value));
  const commit = () => {
    if (input.value === taken || isRejected()) return;
    taken = input.value;
    field.commit(taken);
  };
  input.addEventListener('input', () => {
    input.toggleAttribute('data-rejected', isRejected());
    pending.add(field.name, commit);
  });
  input.addEventListener('change', () => pending.flush());
  return input;
}

function drawChoice(field: ChoiceField, attributes: Attributes): HTMLSelectElement {
  const known = field.options.some(([value]) => value === field.value);
  // An unknown value in the model stays visible until another one is chosen.
  const options = known ? field.options : [...field.options, [field.value, field.value] as const];
  const select = h('select', attributes, ...options.map(([value, label]) => h('option', { value }, label)));
  select.value = field.value;
  select.addEventListener('change', () => field.commit(select.value));
  return select;
}

function drawFlag({ name, label, hint, value, commit }: FlagField, id: string): HTMLElement {
  const described = hint ? `${id}-hint` : undefined;
  const input = h('input', { id, type: 'checkbox', 'data-focus': name, 'data-field': name, 'aria-describedby': described });
  input.checked = value;
  input.addEventListener('change', () => commit(input.checked));
  const below = hint && h('p', { class: 'hint', id: `${id}-hint` }, hint);
  return h('div', { class: 'field flag' }, h('label', { for: id }, input, ' ', label), below);
}

function suggestions(field: TextField, input: HTMLInputElement, id: string): HTMLElement {
  input.setAttribute('list', `${id}-list`);
  return h('datalist', { id: `${id}-list` }, ...(field.suggestions ?? []).map((value) => h('option', { value })));
}
