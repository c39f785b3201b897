/**
 * Compares two versions of a model in words: which elements were added, removed and changed, and which of their fields. Their
 * positions are not compared.
 */
import { reader } from './layout.js';
import type { Moddle } from './types.js';

/** The change of an element from the other version to the drawn one. */
export interface Difference {
  id: string;
  label: string;
  kind: 'added' | 'removed' | 'changed';
  /** The changed fields: `name`, `action show: message`. */
  fields: { name: string; before: string; after: string }[];
}

interface Property {
  name: string;
  isReference?: boolean;
  isMany?: boolean;
}
interface Typed {
  $descriptor: { properties: Property[] };
  $attrs: Record<string, string>;
}
type Fields = Map<string, string>;
interface Part {
  label: string;
  fields: Fields;
}

/** These are compared as separate elements. */
const CONTAINED = ['flowElements', 'laneSets', 'lanes', 'childLaneSet', 'participants', 'artifacts'];
/** The other end has the same information. */
const REPEATED = ['incoming', 'outgoing', 'di'];

/** The differences from one model to another, both as BPMN XML. */
export async function compare(before: string, after: string): Promise<Difference[]> {
  const [former, current] = [await partsOf(before), await partsOf(after)];
  const differences: Difference[] = [];
  for (const [id, { label, fields }] of current) {
    const known = former.get(id);
    if (!known) differences.push({ id, label, kind: 'added', fields: [] });
    else {
      const changed = changedFields(known.fields, fields);
      if (changed.length > 0) differences.push({ id, label, kind: 'changed', fields: changed });
    }
  }
  for (const [id, { label }] of former) if (!current.has(id)) differences.push({ id, label, kind: 'removed', fields: [] });
  return differences;
}

function changedFields(before: Fields, after: Fields): Difference['fields'] {
  const names = new Set([...before.keys(), ...after.keys()]);
  const all = [...names].map((name) => ({ name, before: before.get(name) ?? '', after: after.get(name) ?? '' }));
  return all.filter((field) => field.before !== field.after);
}

async function partsOf(xml: string): Promise<Map<string, Part>> {
  const { rootElement } = await reader().fromXML(xml);
  const parts = new Map<string, Part>();
  const visit = (moddle: Moddle) => {
    if (moddle.id) parts.set(moddle.id, { label: labelOf(moddle), fields: fieldsOf(moddle) });
    for (const name of CONTAINED) children(moddle, name).forEach(visit);
  };
  rootElement.get<Moddle[]>('rootElements').forEach(visit);
  return parts;
}

function labelOf({ $type, id, name }: Moddle): string {
  const kind = $type.replace('bpmn:', '');
  return name ? `${name} (${kind} ${id})` : `${kind} ${id}`;
}

function children(moddle: Moddle, name: string): Moddle[] {
  if (!propertiesOf(moddle).some((property) => localName(property.name) === name)) return [];
  const value = moddle.get<Moddle | Moddle[] | undefined>(name);
  return Array.isArray(value) ? value : value ? [value] : [];
}

function localName(name: string): string {
  return name.replace(/^\w+:/, '');
}

function propertiesOf(moddle: Moddle): Property[] {
  return (moddle as unknown as Partial<Typed>).$descriptor?.properties ?? [];
}

/** All values of an element, as names and texts; nested ones by their name or place. */
function fieldsOf(moddle: Moddle, prefix = '', fields: Fields = new Map()): Fields {
  for (const { name, isReference } of propertiesOf(moddle)) {
    const local = localName(name);
    if (CONTAINED.includes(local) || REPEATED.includes(local)) continue;
    const value = moddle.get<unknown>(name);
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
    if (isReference)
      fields.set(
        prefix + local,
        [value]
          .flat()
          .map((one) => (one as Moddle).id)
          .join(', '),
      );
    else if (typeof value !== 'object')
      fields.set(prefix + (local === 'body' || local === 'text' ? 'value' : local), String(value));
    else [value].flat().forEach((one, index) => nested(one as Moddle, prefix, local, index, fields));
  }
  const attributes = (moddle as unknown as Partial<Typed>).$attrs ?? {};
  for (const [name, value] of Object.entries(attributes)) if (!name.startsWith('xmlns')) fields.set(prefix + name, value);
  return fields;
}

function nested(moddle: Moddle, prefix: string, property: string, index: number, fields: Fields): void {
  if (typeof moddle !== 'object') return void fields.set(`${prefix}${property} ${index + 1}`, String(moddle));
  // The name of an extension alone is sufficient.
  if (['extensionElements', 'values'].includes(property) && !named(moddle)) return void fieldsOf(moddle, prefix, fields);
  const kind = moddle.$type.replace(/^\w+:/, '');
  const name = named(moddle) ?? (index > 0 ? String(index + 1) : '');
  const place = kind === 'Param' ? name : `${kind[0]!.toLowerCase()}${kind.slice(1)}${name && ` ${name}`}`;
  fieldsOf(moddle, `${prefix}${place}: `, fields);
}

function named(moddle: Moddle): string | undefined {
  if (!moddle.$type.startsWith('stepwire:')) return undefined;
  const names = propertiesOf(moddle).map(({ name }) => localName(name));
  const own = ['name', 'path', 'url'].find((name) => names.includes(name));
  return own && moddle.get<string | undefined>(own);
}
