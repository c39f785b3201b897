/**
 * `<stepwire-form>`: a form for any action, generated from the JSON Schema of the data it accepts. Native inputs, in a shadow tree
 * that an app styles by its parts: `form`, `field`, `label`, `input`, `hint`, `error`, `progress`, `status`, `submit`.
 *
 * The client must be created with `schemas: true`. The server's answer decides: the checks of the form only help the user.
 *
 * **A form's checks are the browser's, and then the server's.** A second validator in the client could disagree with the server,
 * and would be the larger half of the form.
 */
import type { FieldErrors, StepwireError } from './error.js';
import { choicesOf, flat, isNullable, type Schema, typeOf, valueAt } from './form-schema.js';
import type { AvailableAction, JsonObject } from './frames.js';
import type { Instance, Member } from './instance.js';

/**
 * The texts of the form, in addition to the browser's own messages, which are in the user's language. Replace them by {@link
 * StepwireForm.texts}, which may also contain one for each code of a refusal (`minimum: 'Mindestens {}'`).
 */
const TEXTS: Record<string, string> = {
  submit: 'Send',
  gone: 'This is not offered to you any more; what you typed is kept.',
  ended: 'The process has ended; what you typed is kept.',
  taken: 'Somebody else has this task; what you typed is kept.',
  json: 'As JSON.',
};

/** The format of a file to upload, which no schema of a key can have. */
const FILE = Symbol() as unknown as string;

/** Kind of input by format. */
const FORMATS: Record<string, string> = {
  date: 'date',
  'date-time': 'datetime-local',
  email: 'email',
  uri: 'url',
};

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  path: string[];
  schema: Schema;
  control: Control;
  error: HTMLElement;
  /** The value of the input; throws if it is not a value of this kind. */
  read(): unknown;
  write(value: unknown): void;
  /** Whether the user has changed it since it was last sent. */
  typed: boolean;
}

/** Outside of a browser the class can be imported, but not used. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

const make = <K extends keyof HTMLElementTagNameMap>(tag: K, members: object = {}, part = ''): HTMLElementTagNameMap[K] => {
  const made = Object.assign(document.createElement(tag), members);
  if (part) made.setAttribute('part', part);
  return made;
};

/** `firstName` → `First name`. */
const humanised = (name: string) =>
  name[0]!.toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/**
 * The element. Set `instance` and `action`; it sends by itself. Events: `stepwire-done` (detail: the result of `run`) and
 * `stepwire-refused` (detail: the error).
 */
export class StepwireForm extends Base {
  static observedAttributes = ['action'];
  /** Texts that replace the default ones; keys as in the documentation. */
  texts: Record<string, string> = {};
  /** Key of the element whose action it shows, if several offer an action with this name. */
  element: string | undefined;
  #instance: Instance | undefined;
  #ends: (() => void)[] = [];
  #fields: Field[] = [];
  /** The schema from which the inputs were created. */
  #source: unknown;
  #offered: AvailableAction | undefined;
  #sending = false;
  #form = make('form', { noValidate: true }, 'form');
  #body = make('div');
  #progress = make('progress', { hidden: true, title: '%' }, 'progress');
  #status = make('p', { role: 'status' }, 'status');
  #submit = make('button', {}, 'submit');

  constructor() {
    super();
    this.#form.append(this.#body, this.#progress, this.#status, this.#submit);
    this.attachShadow({ mode: 'open' }).append(this.#form);
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      void this.send();
    };
  }

  /** The instance whose action it shows. */
  get instance(): Instance<any> | undefined {
    return this.#instance;
  }
  set instance(instance: Instance<any> | undefined) {
    if (instance === this.#instance) return;
    this.#instance = instance as Instance | undefined;
    if (this.isConnected) this.connectedCallback();
  }

  /** The action's name. */
  get action(): string {
    return this.getAttribute('action') ?? '';
  }
  set action(name: string) {
    this.setAttribute('action', name);
  }

  connectedCallback(): void {
    this.disconnectedCallback();
    const { actions, view, status, nodes } = this.#instance ?? {};
    const look = () => this.#look();
    this.#ends = [actions, view, status, nodes].flatMap((store) => store?.subscribe(look) ?? []);
    look();
  }

  disconnectedCallback(): void {
    this.#ends.splice(0).forEach((end) => end());
  }

  attributeChangedCallback(): void {
    this.#look();
  }

  /** Sends the content of the form, like its button. Resolves to whether it was accepted. */
  async send(): Promise<boolean> {
    const instance = this.#instance;
    if (!instance || !this.#offered || this.#sending) return false;
    const data: JsonObject = {};
    const faults: FieldErrors = {};
    let file: File | undefined;
    for (const { path, control, read } of this.#fields) {
      let message = control.validationMessage;
      file ??= (control as HTMLInputElement).files?.[0];
      try {
        const value = read();
        if (value !== undefined) put(data, path, value);
      } catch (unreadable) {
        message ||= `${unreadable}`;
      }
      if (message) faults[path.join('.')] = { code: '', message, params: {} };
    }
    if (!this.#mark(faults)) return false;
    const sent = this.#fields.map((field) => [field, field.control.value] as const);
    this.#sending = true;
    this.#look();
    try {
      const { action } = this;
      const { element } = this.#offered;
      const onProgress = (value: number, max: number) => Object.assign(this.#progress, { max, value, hidden: false });
      // The module that uploads files is loaded when needed.
      const detail = file
        ? await (await import('./upload.js')).upload(instance, action, file, { data, element, onProgress })
        : await instance.run(action, data, { element });
      // Input typed meanwhile is kept.
      for (const [field, value] of sent) field.typed &&= field.control.value !== value;
      return this.#tell('done', detail);
    } catch (error) {
      const { fields = {}, message } = error as Partial<StepwireError>;
      if (this.#mark(fields)) this.#status.textContent = message!;
      return !this.#tell('refused', error);
    } finally {
      this.#sending = false;
      this.#progress.hidden = true;
      this.#look(this.#status.textContent);
    }
  }

  #tell(name: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(`stepwire-${name}`, { detail }));
  }

  /** Shows errors at their inputs, and the others below; gives whether there are none. */
  #mark(faults: FieldErrors): boolean {
    const left = new Map(Object.entries(faults));
    let first: Control | undefined;
    for (const { path, control, error } of this.#fields) {
      const at = path.join('.');
      // Errors within a value belong to its input, too.
      const found = [...left].filter(([wrong]) => wrong.startsWith(at) && /^([.[]|$)/.test(wrong.slice(at.length)));
      error.textContent = found.map(([, { code, message, params }]) => this.#text(code, params, message)).join(' ');
      control.ariaInvalid = `${!!found[0]}`;
      found.forEach(([wrong]) => left.delete(wrong));
      if (found[0]) first ??= control;
    }
    this.#status.textContent = [...left].map(([path, { message }]) => `${path}: ${message}`).join(' ');
    first?.focus();
    return !(first || left.size);
  }

  #text(code: string, params: JsonObject = {}, otherwise = code): string {
    return (this.texts[code] ?? TEXTS[code] ?? otherwise).replace('{}', `${params.limit}`);
  }

  /** Updates the display. */
  #look(said?: string | null): void {
    const { actions, view, status, nodes } = this.#instance ?? {};
    this.#offered = actions?.get().find(({ name, element }) => name === this.action && (this.element ?? element) === element);
    if (this.#offered) this.#build(this.#offered);
    for (const { path, schema, typed, write } of this.#fields) {
      if (!typed) write(valueAt(this.#offered?.initial, path) ?? valueAt(view?.get(), path) ?? schema.default);
    }
    if (!this.#offered && !this.#sending && this.#source && status?.get()) {
      const taken = nodes!.get().some(({ readOnly, assignee }) => readOnly && assignee);
      this.#status.textContent = this.#text((this.#instance as Member)._ended() ? 'ended' : taken ? 'taken' : 'gone');
    } else if (!said && this.#submit.disabled) this.#status.textContent = '';
    this.#submit.disabled = !this.#offered || this.#sending;
    this.#form.ariaBusy = `${this.#sending}`;
    this.#submit.textContent = this.#text('submit');
  }

  /** Creates the inputs of a schema, unless they exist already; typed values are kept for the same paths. */
  #build({ keys, requiredKeys, schema, type, maxBytes, types }: AvailableAction): void {
    // Without schemas, each key accepts any value.
    const any = () => ({ properties: Object.fromEntries(keys.map((key) => [key, {}])), required: requiredKeys });
    const source = JSON.stringify([type, keys, schema]);
    if (source === this.#source) return;
    this.#source = source;
    const before = this.#fields.filter(({ typed }) => typed);
    this.#fields = [];
    this.#body.replaceChildren();
    this.#members(schema ?? any(), [], this.#body, keys);
    if (type === 'uploadFile') {
      // It needs no text except its label, which is its name by default.
      this.#add(['file'], { title: this.texts.file!, description: `≤ ${maxBytes! / 1_000} kB`, format: FILE, types }, true, this.#body);
    }
    for (const field of this.#fields) {
      const old = before.find(({ control }) => control.name === field.control.name);
      if (!old) continue;
      const { files, value } = old.control as HTMLInputElement;
      Object.assign(field.control, files?.[0] ? { files } : { value });
      field.typed = true;
    }
  }

  #members(schema: Schema, path: string[], into: HTMLElement, keys: string[]): void {
    const { properties = {}, required = [] } = flat(schema);
    const members = Object.entries(properties).map(([name, member]) => {
      const at = [...path, ...name.split('.')];
      return { name, at, member: flat(member), order: keys.findIndex((key) => key.startsWith(at.join('.'))) };
    });
    for (const { name, at, member } of members.sort((a, b) => a.order - b.order)) {
      if (!member.properties) {
        this.#add(at, member, required.includes(name), into);
        continue;
      }
      const group = make('fieldset', {}, 'group');
      group.append(make('legend', { textContent: member.title ?? humanised(name) }, 'legend'));
      into.append(group);
      this.#members(member, at, group, keys);
    }
  }

  #add(path: string[], schema: Schema, required: boolean, into: HTMLElement): void {
    const made = control(schema, required);
    const input = made.control;
    const id = (input.id = `f${this.#fields.length}`);
    const label = make('label', { htmlFor: id, textContent: schema.title ?? humanised(path.at(-1)!) }, 'label');
    const hint = make('span', { id: `${id}h`, textContent: [schema.description, made.json && this.#text('json')].filter(Boolean).join(' · ') }, 'hint');
    const error = make('div', { id: `${id}e` }, 'error');
    const row = make('div', {}, required ? 'field required' : 'field');
    row.append(...(input.type === 'checkbox' ? [input, label] : [label, input]), hint, error);
    input.setAttribute('part', `input ${input.type}`);
    input.setAttribute('aria-describedby', `${id}h ${id}e`);
    input.name = path.join('.');
    const field: Field = { path, schema, error, typed: false, ...made };
    input.oninput = () => (field.typed = true);
    into.append(row);
    this.#fields.push(field);
  }
}

/** The input for a schema, with the functions that read and write it; the browser checks what it can. */
function control(schema: Schema, required: boolean): Pick<Field, 'control' | 'read' | 'write'> & { json?: boolean } {
  const kind = typeOf(schema);
  const choices = choicesOf(schema);
  if (choices) {
    const select = make('select', { required });
    select.append(make('option'), ...choices.map(({ label }) => make('option', { textContent: label })));
    return {
      control: select,
      read: () => choices[select.selectedIndex - 1]?.value,
      write: (value) => (select.selectedIndex = choices.findIndex((one) => one.value === value) + 1),
    };
  }
  if (kind === 'boolean') {
    const box = make('input', { type: 'checkbox', required: schema.const === true });
    return { control: box, read: () => box.checked, write: (value) => (box.checked = value === true) };
  }
  if (schema.format === FILE) {
    const input = make('input', { type: 'file', required, accept: schema.types ?? '' });
    // A file is sent beside the data.
    return { control: input, read: () => undefined, write: () => (input.value = '') };
  }
  const number = kind === 'number' || kind === 'integer';
  const plain = !(schema.oneOf ?? schema.anyOf ?? schema.$ref);
  if (plain && (number || !kind || kind === 'string')) {
    const { minimum: min, maximum: max, minLength, maxLength, pattern, multipleOf } = schema;
    const type = number ? 'number' : (FORMATS[schema.format!] ?? 'text');
    const input: Control = make(maxLength! > 200 ? 'textarea' : 'input', { required });
    const step = multipleOf ?? (kind === 'integer' ? 1 : 'any');
    // A pattern of JSON Schema may match anywhere in the text.
    const limits = { type, min, max, step, minLength, maxLength, pattern: pattern && `.*(?:${pattern}).*` };
    for (const [name, value] of Object.entries(limits)) if (value != null) input.setAttribute(name, `${value}`);
    let before: unknown;
    return {
      control: input,
      read() {
        const { value } = input;
        // A value that was removed is not the same as one that never existed.
        if (!value) return before == null ? undefined : isNullable(schema) ? null : number ? undefined : '';
        if (type === 'datetime-local') return new Date(value).toISOString();
        return number || (!kind && typeof before === 'number') ? +value : value;
      },
      write(value) {
        before = value;
        const text = value && typeof value === 'object' ? JSON.stringify(value) : `${value ?? ''}`;
        input.value = type === 'datetime-local' && text ? localTime(text) : text;
      },
    };
  }
  const area = make('textarea', { required, spellcheck: false });
  return {
    control: area,
    json: true,
    read: () => (area.value.trim() ? (JSON.parse(area.value) as unknown) : undefined),
    write: (value) => (area.value = value == null ? '' : JSON.stringify(value, null, 2)),
  };
}

/**
 * An RFC 3339 time in the format of a browser's local time input, which is also the Swedish one. Other values, such as data of
 * another version, show as an empty input.
 */
const localTime = (text: string) => new Date(text).toLocaleString('sv').slice(0, 16).replace(' ', 'T');

function put(data: JsonObject, path: string[], value: unknown): void {
  const at = path.slice(0, -1).reduce((into, name) => (into[name] ??= {}) as JsonObject, data);
  at[path.at(-1)!] = value;
}

const elements = globalThis.customElements as CustomElementRegistry | undefined;
if (!elements?.get('stepwire-form')) elements?.define('stepwire-form', StepwireForm);

declare global {
  interface HTMLElementTagNameMap {
    'stepwire-form': StepwireForm;
  }
}
