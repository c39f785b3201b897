/** The editor of a list of keys: the paths that may be sent, and a builder for the schema of each value. */
import { h } from '../dom.js';
import { isPath, isRequired, isSchema } from './checks.js';
import { drawField, type Pending } from './fields.js';
import type { Model } from './model.js';
import type { Element, Moddle } from './types.js';

type Schema = Record<string, unknown>;

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array'];
const FORMATS = ['email', 'date', 'date-time', 'time', 'uuid', 'uri', 'ipv4', 'hostname'];
const ANY = [['', 'Any']] as const;

export interface KeyList {
  model: Model;
  element: Element;
  keys: readonly Moddle[];
  /** Prefix of the names of the list's fields. */
  name: string;
  pending: Pending;
  paths: readonly string[];
  /** Replaces the keys, and draws the panel again; then moves the focus to the field with this name, if given. */
  replace: (keys: Moddle[], to?: string) => void;
  redraw: () => void;
}

export function drawKeys(list: KeyList): HTMLElement {
  const { model, keys, name, replace } = list;
  const add = () => replace([...keys, model.create('stepwire:Key', { path: '' })], `${name}/${keys.length}/path`);
  const button = h('button', { type: 'button', class: 'button compact', 'data-focus': `${name}/add`, onclick: add }, 'Add a key');
  const rows = keys.map((key, index) => drawKey(list, key, index));
  const none = h('p', { class: 'hint' }, 'Without keys no sent data are stored.');
  return h('div', { class: 'keys' }, ...(rows.length > 0 ? rows : [none]), button);
}

function drawKey(list: KeyList, key: Moddle, index: number): HTMLElement {
  const { model, element, keys, pending, replace, redraw, paths } = list;
  const name = `${list.name}/${index}`;
  const path = key.get<string | undefined>('path') ?? '';
  const schema = readSchema(key);
  const write = (text: string) => {
    const body = text.trim() ? model.create('stepwire:Schema', { body: text }, key) : undefined;
    model.change(element, { moddle: key, properties: { schema: body } });
  };
  const set = (changes: Schema) => {
    const next = { ...(schema ?? {}), ...changes };
    for (const member of Object.keys(next)) if (next[member] === undefined) delete next[member];
    write(Object.keys(next).length > 0 ? JSON.stringify(next) : '');
    redraw();
  };
  const remove = h(
    'button',
    {
      type: 'button',
      class: 'button quiet compact',
      'data-focus': `${name}/remove`,
      'aria-label': `Remove key ${path}`,
      onclick: () => replace(keys.filter((one) => one !== key)),
    },
    'Remove',
  );
  const field = (part: Parameters<typeof drawField>[0]) => drawField({ ...part, name: `${name}/${part.name}` }, pending);
  const head = field({
    kind: 'text',
    name: 'path',
    label: 'Key',
    value: path,
    placeholder: 'client.email',
    suggestions: paths,
    check: (text) => isRequired(text) ?? isPath(text),
    commit: (value) => model.set(element, key, { path: value }),
  });
  const required = field({
    kind: 'flag',
    name: 'required',
    label: 'Required',
    value: key.get('required') === 'true' || key.get('required') === '1',
    commit: (value) => model.set(element, key, { required: value ? 'true' : undefined }),
  });
  const builder = schema ? drawBuilder(schema, set, field) : [];
  const raw = field({
    kind: 'template',
    name: 'schema',
    label: 'Schema (JSON)',
    value: key.get<Moddle | undefined>('schema')?.get<string>('body') ?? '',
    placeholder: '{"type": "string", "format": "email"}',
    rows: 2,
    check: isSchema,
    commit: (value) => {
      write(value);
      redraw();
    },
  });
  const more = h('details', { 'data-open': `${name}/schema` }, h('summary', {}, `Schema${summary(schema)}`), ...builder, raw);
  return h(
    'fieldset',
    { class: 'key' },
    h('legend', { class: 'visually-hidden' }, `Key ${path}`),
    head,
    h('div', { class: 'row spread' }, required, remove),
    more,
  );
}

/** The schema of a key, empty if it has none; `undefined` for one that the builder cannot show. */
function readSchema(key: Moddle): Schema | undefined {
  const text = key.get<Moddle | undefined>('schema')?.get<string | undefined>('body');
  if (!text?.trim()) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
  } catch {
    return undefined;
  }
}

function summary(schema: Schema | undefined): string {
  const words = [schema?.type, schema?.format].filter((word) => typeof word === 'string');
  return words.length > 0 ? `: ${words.join(', ')}` : '';
}

function drawBuilder(
  schema: Schema,
  set: (changes: Schema) => void,
  field: (part: Parameters<typeof drawField>[0]) => HTMLElement,
): HTMLElement[] {
  const text = (name: string) => (typeof schema[name] === 'string' ? (schema[name] as string) : '');
  const choices = (values: string[]) => [...ANY, ...values.map((value) => [value, value] as const)];
  const type = text('type');
  const drawn = [
    field({
      kind: 'select',
      name: 'type',
      label: 'Type',
      value: type,
      options: choices(TYPES),
      commit: (value) => set({ type: value || undefined, format: value === 'string' ? schema.format : undefined }),
    }),
  ];
  if (type === 'string') {
    const commit = (value: string) => set({ format: value || undefined });
    drawn.push(
      field({ kind: 'select', name: 'format', label: 'Format', value: text('format'), options: choices(FORMATS), commit }),
    );
  }
  if (['', 'string', 'number', 'integer'].includes(type)) {
    const values = Array.isArray(schema.enum) ? schema.enum.map(String).join(', ') : '';
    const read = (value: string) => (type === 'number' || type === 'integer' ? Number(value) : value);
    const commit = (value: string) => {
      const parts = value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean);
      set({ enum: parts.length > 0 ? parts.map(read) : undefined });
    };
    const check = (value: string) =>
      value.split(',').some((part) => part.trim() && Number.isNaN(read(part.trim())))
        ? 'expected numbers, separated by commas; correct it'
        : undefined;
    drawn.push(
      field({
        kind: 'text',
        name: 'enum',
        label: 'One of (enum)',
        value: values,
        placeholder: 'desk, chair, lamp',
        check,
        strict: true,
        commit,
      }),
    );
  }
  const commit = (value: string) => set({ title: value || undefined });
  drawn.push(
    field({
      kind: 'text',
      name: 'title',
      label: 'Label',
      value: text('title'),
      hint: 'The label that a form shows beside the field.',
      commit,
    }),
  );
  return drawn;
}
