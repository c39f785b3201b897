/** Fields that many elements have, and how an attribute of an element becomes a field.
 *
 * **Attributes of extension elements are texts in the designer's model**, so that a file keeps what it
 * says, also where it is wrong.
 */
import type { Editing } from './action-editor.js';
import { type Check, isId, isPath } from './checks.js';
import { drawField, type Field } from './fields.js';
import type { Moddle, Modeling } from './types.js';

type Draw = (part: Field) => HTMLElement;

export function drawing({ pending, prefix = '' }: Editing): Draw {
  return (field) => drawField({ ...field, name: `${prefix}${field.name}` }, pending);
}

/** A text attribute of the project's extensions, by its name. */
export function attribute(
  editing: Editing,
  moddle: Moddle,
  name: string,
  part: {
    label: string;
    check?: Check;
    hint?: string;
    placeholder?: string;
    kind?: 'text' | 'template';
    reading?: (text: string) => string | undefined;
  },
) {
  const { model, element, paths } = editing;
  const value = moddle.get<string | undefined>(`stepwire:${name}`) ?? '';
  const commit = (text: string) => model.set(element, moddle, { [`stepwire:${name}`]: text });
  const suggestions = part.check === isPath ? paths : undefined;
  return drawing(editing)({ kind: 'text', rows: 2, ...part, name, value, suggestions, commit });
}

export function flagged(
  editing: Editing,
  moddle: Moddle,
  name: string,
  label: string,
  hint: string,
  absent = false,
): HTMLElement {
  const { model, element, redraw } = editing;
  const text = moddle.get<string | undefined>(`stepwire:${name}`);
  const value = text === undefined ? absent : text === 'true' || text === '1';
  const commit = (is: boolean) => {
    model.set(element, moddle, { [`stepwire:${name}`]: is === absent ? undefined : String(is) });
    redraw();
  };
  return drawing(editing)({ kind: 'flag', name, label, hint, value, commit });
}

export function idField(editing: Editing, moddle: Moddle, label: string, hint?: string): HTMLElement {
  const { model, element } = editing;
  const taken = (id: string) =>
    model.isTaken(id, moddle) ? `expected an id of its own, but ${id} is another element's; change it` : undefined;
  const check = (id: string) => isId(id) ?? taken(id);
  const commit = (id: string) => model.rename(element, moddle, id);
  return drawing(editing)({ kind: 'text', name: 'id', label, hint, value: moddle.id ?? '', strict: true, check, commit });
}

export function nameField(editing: Editing, moddle: Moddle): HTMLElement {
  const { model, element } = editing;
  const commit = (name: string) => {
    if (moddle === element.businessObject && model.isDrawn(element))
      model.service<Modeling>('modeling').updateProperties(element, { name: name || undefined });
    else model.set(element, moddle, { name });
  };
  return drawing(editing)({ kind: 'text', name: 'name', label: 'Name', value: moddle.name ?? '', commit });
}

export function documentation(editing: Editing, moddle: Moddle): HTMLElement {
  const { model, element } = editing;
  const [first, ...rest] = moddle.get<Moddle[]>('documentation');
  const commit = (text: string) => {
    const written = text ? [model.create('bpmn:Documentation', { text }, moddle)] : [];
    model.change(element, { moddle, properties: { documentation: [...written, ...rest] } });
  };
  return drawing(editing)({
    kind: 'area',
    name: 'documentation',
    label: 'Documentation',
    value: first?.get<string | undefined>('text') ?? '',
    commit,
  });
}
