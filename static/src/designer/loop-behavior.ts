/** The events that an activity with several iterations throws as they complete. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import { isRequired } from './checks.js';
import { completePaths } from './completion.js';
import { type RootKind, referenceFields, SIGNAL } from './root-reference.js';
import { tryOut } from './try-out.js';
import type { Moddle } from './types.js';

type Behavior = 'None' | 'One';

const REFERENCES: Record<Behavior, string> = { None: 'noneBehaviorEventRef', One: 'oneBehaviorEventRef' };
const COMPLEX = 'complexBehaviorDefinition';
const ESCALATION: RootKind = { kind: 'Escalation', label: 'Escalation code', member: 'escalationCode', hint: 'A boundary event with this code catches it.' };
const SIGNAL_EVENT = 'bpmn:SignalEventDefinition';
const EVENTS: [string, string][] = [
  [SIGNAL_EVENT, 'A signal'],
  ['bpmn:EscalationEventDefinition', 'An escalation'],
];

/** Fields of `behavior` and of the thrown events. BPMN stores a single one outside of the processes. */
export function behaviorFields(editing: Editing, loop: Moddle): HTMLElement[] {
  const { model, element, redraw } = editing;
  const value = loop.get<string | undefined>('behavior') ?? 'All';
  const draw = drawing(editing);
  const options: [string, string][] = [
    ['All', 'Nothing'],
    ['None', 'An event as each iteration completes'],
    ['One', 'An event as the first iteration completes'],
    ['Complex', 'Events as iterations complete of which a condition is true'],
  ];
  const former = isBehavior(value) ? loop.get<Moddle | undefined>(REFERENCES[value]) : undefined;
  const roots = model.definitions.get<Moddle[]>('rootElements');
  /** As one change: the previous event is removed from the document with its last reference. */
  const set = (behavior: string, event: Moddle | undefined) => {
    const kept = former === event ? roots : roots.filter((one) => one !== former);
    const rootElements = event && !kept.includes(event) ? [...kept, event] : kept;
    const properties: Record<string, unknown> = { behavior: behavior === 'All' ? undefined : behavior };
    for (const reference of Object.values(REFERENCES)) properties[reference] = undefined;
    if (isBehavior(behavior)) properties[REFERENCES[behavior]] = event;
    const complex = loop.get<Moddle[]>(COMPLEX);
    if (behavior !== 'Complex' && complex.length > 0) properties[COMPLEX] = [];
    if (behavior === 'Complex' && complex.length === 0) properties[COMPLEX] = [newComplex(editing, loop)];
    model.change(element, { moddle: model.definitions, properties: { rootElements } }, { moddle: loop, properties });
    redraw();
  };
  const create = (type: string) => model.create(type, {}, model.definitions);
  const choose = draw({
    kind: 'select',
    name: 'behavior',
    label: 'Throws',
    value,
    options,
    commit: (wanted) => set(wanted, isBehavior(wanted) ? (former ?? create(SIGNAL_EVENT)) : undefined),
  });
  if (value === 'Complex') return [choose, ...complexFields(editing, loop)];
  if (!isBehavior(value)) return [choose];
  const replace = (type: string) => type !== (former?.$type ?? '') && set(value, type ? create(type) : undefined);
  return [choose, ...thrownFields(editing, former, replace)];
}

function isBehavior(value: string): value is Behavior {
  return value === 'None' || value === 'One';
}

/** The fields of one thrown event. `replace` replaces it by one of another type. */
function thrownFields(editing: Editing, event: Moddle | undefined, replace: (type: string) => void): HTMLElement[] {
  const choose = drawing(editing)({
    kind: 'select',
    name: 'behaviorEvent',
    label: 'Event',
    value: event?.$type ?? '',
    options: [...(event ? [] : ([['', 'None']] as [string, string][])), ...EVENTS],
    check: (type) => (type ? undefined : 'expected an event to throw, but none is chosen; choose one'),
    commit: replace,
  });
  if (!event) return [choose];
  if (event.$type !== SIGNAL_EVENT) return [choose, ...referenceFields(editing, event, ESCALATION)];
  return [choose, ...referenceFields(editing, event, SIGNAL('Its fixed name; it goes to all that wait for it, without data.'))];
}

function newComplex({ model }: Editing, loop: Moddle): Moddle {
  const complex = model.create('bpmn:ComplexBehaviorDefinition', {}, loop);
  complex.set('event', newThrow(model.create('bpmn:ImplicitThrowEvent', {}, complex), model.create(SIGNAL_EVENT)));
  return complex;
}

function newThrow(thrown: Moddle, definition: Moddle): Moddle {
  definition.$parent = thrown;
  thrown.get<Moddle[]>('eventDefinitions').push(definition);
  return thrown;
}

/** Any number of conditions, each with the events to throw. */
function complexFields(editing: Editing, loop: Moddle): HTMLElement[] {
  const { model, element, redraw } = editing;
  const all = loop.get<Moddle[]>(COMPLEX);
  const replace = (wanted: Moddle[]) => {
    model.change(element, { moddle: loop, properties: { [COMPLEX]: wanted } });
    redraw();
  };
  const rows = all.map((complex, index) => {
    const own = { ...editing, prefix: `complex/${index}/` };
    const remove = button('Remove the condition', `${own.prefix}remove`, () => replace(all.filter((one) => one !== complex)));
    const fields = [...conditionFields(own, complex), ...eventsFields(own, complex), remove];
    return h('fieldset', { class: 'key' }, h('legend', {}, `Condition ${index + 1}`), ...fields);
  });
  return [...rows, button('Add a condition', 'complex/add', () => replace([...all, newComplex(editing, loop)]))];
}

function conditionFields(editing: Editing, complex: Moddle): HTMLElement[] {
  const { model, element, paths, prefix = '' } = editing;
  const drawn = drawing(editing)({
    kind: 'template',
    name: 'condition',
    label: 'Condition',
    rows: 2,
    placeholder: '${numberOfCompletedInstances == 2}',
    hint: 'Looked at as an iteration completes, over its data and the counters.',
    value: complex.get<Moddle | undefined>('condition')?.get<string | undefined>('body') ?? '',
    check: isRequired,
    commit: (body) => {
      const condition = body.trim() ? model.create('bpmn:FormalExpression', { body }, complex) : undefined;
      model.change(element, { moddle: complex, properties: { condition } });
    },
  });
  completePaths(drawn, () => paths);
  if (editing.mayEdit) tryOut(drawn, 'condition', model.processes()[0]?.id ?? '', paths, `try/${prefix}condition`);
  return [drawn];
}

function eventsFields(editing: Editing, complex: Moddle): HTMLElement[] {
  const { model, element, redraw, prefix = '' } = editing;
  const thrown = complex.get<Moddle | undefined>('event');
  const definitions = thrown?.get<Moddle[]>('eventDefinitions') ?? [];
  const put = (wanted: Moddle[]) => {
    const event = thrown ?? model.create('bpmn:ImplicitThrowEvent', {}, complex);
    wanted.forEach((one) => (one.$parent = event));
    const changes = [{ moddle: event, properties: { eventDefinitions: wanted } }];
    model.change(element, ...(thrown ? [] : [{ moddle: complex, properties: { event } }]), ...changes);
    redraw();
  };
  const rows = definitions.map((definition, index) => {
    const own = { ...editing, prefix: `${prefix}event/${index}/` };
    const replace = (type: string) => {
      if (type && type !== definition.$type) put(definitions.map((one) => (one === definition ? model.create(type) : one)));
    };
    const isOnly = definitions.length === 1;
    const remove = button(`Remove event ${index + 1}`, `${own.prefix}remove`, () => put(definitions.filter((one) => one !== definition)));
    const fields = thrownFields(own, definition, replace);
    return h('fieldset', { class: 'key' }, h('legend', { class: 'visually-hidden' }, `Event ${index + 1}`), ...fields, ...(isOnly ? [] : [remove]));
  });
  return [...rows, button('Add an event', `${prefix}event/add`, () => put([...definitions, model.create(SIGNAL_EVENT)]))];
}

function button(text: string, focus: string, onclick: () => void): HTMLElement {
  return h('button', { type: 'button', class: `button compact${/^Remove/.test(text) ? ' quiet' : ''}`, 'data-focus': focus, onclick }, text);
}
