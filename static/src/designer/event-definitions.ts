/**
 * The definitions of an event: usually one; several are thrown one after the other, or any or each of them is caught. The project's
 * additions to a definition (time zone, keys, data, time to live) are stored at the event when it has one definition, and at each
 * definition when it has several.
 */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import type { Check } from './checks.js';
import type { Change } from './modeler.js';
import type { Element, Moddle } from './types.js';

/** The project's attributes of each type of definition. */
const OWN: Record<string, readonly string[]> = {
  timeZone: ['Timer'],
  correlationKey: ['Message'],
  data: ['Message', 'Signal'],
  timeToLive: ['Message'],
  businessKey: ['Signal'],
};
const KINDS: readonly (readonly [kind: string, label: string])[] = [
  ['Message', 'A message'],
  ['Timer', 'A time'],
  ['Conditional', 'A condition'],
  ['Signal', 'A signal'],
  ['Error', 'An error'],
  ['Escalation', 'An escalation'],
  ['Compensate', 'Compensation'],
  ['Cancel', 'Cancellation of the transaction'],
  ['Terminate', 'The end of everything around it'],
];
/** The definitions of a throwing event that end its scope: only one of them is possible. */
const ENDS = ['Error', 'Cancel', 'Terminate'];

function listOf(moddle: Moddle, name: string): Moddle[] {
  return (moddle as unknown as Record<string, Moddle[] | undefined>)[name] ?? [];
}

/** All definitions of an event: its own, then those outside of the process that it refers to. */
export function definitionsOf({ businessObject }: Element): Moddle[] {
  return [...listOf(businessObject, 'eventDefinitions'), ...listOf(businessObject, 'eventDefinitionRef')];
}

/** The type of a definition: `Timer`. */
export function kindOf({ $type }: Moddle): string {
  return $type.replace(/^bpmn:|EventDefinition$/g, '');
}

/** The value of a project attribute of a definition, and the function that sets it. `others` may have it, too. */
export function setting(editing: Editing, definition: Moddle, name: string, others: readonly Moddle[] = []) {
  const { model, element } = editing;
  const node = element.businessObject;
  const key = `stepwire:${name}`;
  const said = (one: Moddle) => one.get<string | undefined>(key);
  const all = definitionsOf(element);
  const places = [definition, node, ...others];
  const value = places.map(said).find(Boolean) ?? '';
  const write = (text: string) => {
    if (all.length < 2) return model.set(element, places.find(said) ?? node, { [key]: text });
    model.change(element, ...spread(element, name, definition), { moddle: definition, properties: { [key]: text || undefined } });
  };
  return { value, write };
}

/** Copies a value of the event, which applies to all of its definitions, to each of them but one. */
function spread({ businessObject: node, ...element }: Element, name: string, but?: Moddle): Change[] {
  const key = `stepwire:${name}`;
  const shared = node.get<string | undefined>(key);
  if (!shared) return [];
  const meant = definitionsOf({ businessObject: node, ...element }).filter(
    (one) => one !== but && OWN[name]!.includes(kindOf(one)) && !one.get(key),
  );
  return [node, ...meant].map((moddle) => ({ moddle, properties: { [key]: moddle === node ? undefined : shared } }));
}

/** A field for a project attribute of a definition. */
export function settingField(
  editing: Editing,
  definition: Moddle,
  name: string,
  part: {
    label: string;
    hint: string;
    placeholder: string;
    kind?: 'text' | 'template';
    check?: Check;
    reading?: (text: string) => string | undefined;
  },
  others: readonly Moddle[] = [],
): HTMLElement {
  const { value, write } = setting(editing, definition, name, others);
  return drawing(editing)({ kind: 'text', rows: 2, ...part, name, value, commit: write });
}

/** A button that removes a definition. */
export function removeButton(editing: Editing, definition: Moddle, what: string): HTMLElement {
  const { model, element, redraw, prefix = '' } = editing;
  const node = element.businessObject;
  const remove = () => {
    const without = (name: string) => listOf(node, name).filter((one) => one !== definition);
    const list = listOf(node, 'eventDefinitions').includes(definition) ? 'eventDefinitions' : 'eventDefinitionRef';
    const isLast = definitionsOf(element).length <= 2;
    const parallel = isLast && node.get('parallelMultiple') ? { parallelMultiple: undefined } : {};
    model.change(element, { moddle: node, properties: { [list]: without(list), ...parallel } });
    redraw();
  };
  return h(
    'button',
    { type: 'button', class: 'button quiet compact', 'data-focus': `${prefix}remove`, 'aria-label': `Remove ${what}`, onclick: remove },
    'Remove',
  );
}

/**
 * The meaning of several definitions, and a button that adds one. `known` contains the supported definitions, by names such as
 * `endEvent:errorEventDefinition`; `place` is the kind of event in them.
 */
export function severalFields(editing: Editing, known: ReadonlySet<string>, place: string, throws: boolean): HTMLElement[] {
  const { model, element, redraw } = editing;
  const node = element.businessObject;
  const all = definitionsOf(element);
  const kinds = all.map(kindOf);
  // A link represents a flow, and compensation is not an event that occurs: neither can be combined.
  if (kinds.includes('Link') || (!throws && kinds.includes('Compensate'))) return [];
  const fits = (kind: string) => {
    if (!known.has(`${place}:${kind[0]!.toLowerCase()}${kind.slice(1)}EventDefinition`)) return false;
    // A time at which a process starts is its schedule; of several that end the scope only the first could be thrown.
    if (place === 'startEvent' && kind === 'Timer') return false;
    if (throws && ENDS.includes(kind)) return !kinds.some((one) => ENDS.includes(one));
    return throws || kind !== 'Compensate' || all.length === 0;
  };
  const add = (kind: string) => {
    const definition = model.create(`bpmn:${kind}EventDefinition`, {}, node);
    if (kind === 'Timer') definition.set('timeDuration', model.create('bpmn:FormalExpression', { body: 'PT1H' }, definition));
    const spreads = all.length === 0 ? [] : Object.keys(OWN).flatMap((name) => spread(element, name));
    const eventDefinitions = [...listOf(node, 'eventDefinitions'), definition];
    model.change(element, ...spreads, { moddle: node, properties: { eventDefinitions } });
    redraw();
  };
  const draw = drawing(editing);
  const options = [['', 'Choose…'] as const, ...KINDS.filter(([kind]) => fits(kind))];
  const drawn: HTMLElement[] = [];
  if (all.length > 1 && !throws)
    drawn.push(
      draw({
        kind: 'flag',
        name: 'parallelMultiple',
        label: 'Each has to come',
        hint: 'On: it waits for all of them, in any order. Off: the first that comes is enough.',
        value: node.get<boolean | undefined>('parallelMultiple') === true,
        commit: (is) => model.change(element, { moddle: node, properties: { parallelMultiple: is || undefined } }),
      }),
    );
  if (options.length > 1)
    drawn.push(
      draw({
        kind: 'select',
        name: 'addDefinition',
        label: all.length === 0 ? 'Make it an event of' : 'Add',
        value: '',
        options,
        hint: throws ? 'Several are all thrown, in their order.' : 'Of several the first that comes is caught, unless each has to come.',
        commit: (kind) => kind && add(kind),
      }),
    );
  return drawn;
}
