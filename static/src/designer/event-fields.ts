/** The fields of events: what they wait for or throw, and whether they interrupt. */
import type { Editing } from './action-editor.js';
import { attribute, drawing } from './attributes.js';
import { durationInWords, isDuration, isJsonTemplate, isRequired } from './checks.js';
import { completePaths } from './completion.js';
import { MESSAGE, referenceFields, SIGNAL } from './root-reference.js';
import { timerFields } from './start-fields.js';
import { tryOut } from './try-out.js';
import type { Element, Moddle, Modeling } from './types.js';

/** A part of the panel, under a heading. */
type Part = [name: string, label: string, content: HTMLElement[]];

const THROWS = ['bpmn:IntermediateThrowEvent', 'bpmn:EndEvent', 'bpmn:SendTask'];
const CODES = {
  Error: ['The only error that is caught; without one every failure is.', 'The error that is thrown.'],
  Escalation: ['The only escalation that is caught; without one every one is.', 'The escalation that is thrown.'],
} as const;

/** Whether an element is the start event of an event subprocess. */
export function beginsEventSubprocess({ type, businessObject }: Element): boolean {
  const around = businessObject.$parent;
  return type === 'bpmn:StartEvent' && around?.$type === 'bpmn:SubProcess' && around.get('triggeredByEvent') === true;
}

/** The definition of an event of this kind, such as `Timer`. */
function definitionOf({ element }: Editing, kind: string): Moddle | undefined {
  const definitions = element.businessObject.get<Moddle[] | undefined>('eventDefinitions') ?? [];
  return definitions.find(({ $type }) => $type === `bpmn:${kind}EventDefinition`);
}

/** Everything about what an event, or a send task, waits for or throws. */
export function eventParts(editing: Editing): Part[] {
  const { element } = editing;
  const throws = THROWS.includes(element.type);
  const isStart = element.type === 'bpmn:StartEvent';
  const begins = beginsEventSubprocess(element);
  const parts: Part[] = [];
  const add = (name: string, label: string, content: HTMLElement[]) => content.length > 0 && parts.push([name, label, content]);
  add('interrupting', 'Interrupting', interruptingFields(editing, begins));
  // A timer that starts the process is a schedule.
  if (!isStart || begins) add('timer', 'Timer', timerFields(editing));
  add('message', 'Message', messageFields(editing, throws, isStart && !begins));
  add('signal', 'Signal', signalFields(editing, throws));
  add('conditional', 'Condition', conditionalFields(editing));
  for (const kind of ['Error', 'Escalation'] as const) {
    const event = definitionOf(editing, kind);
    const hint = CODES[kind][throws ? 1 : 0];
    const member = `${kind.toLowerCase()}Code`;
    if (event) add(kind.toLowerCase(), kind, referenceFields(editing, event, { kind, label: `${kind} code`, member, hint, optional: !throws }));
  }
  add('compensation', 'Compensation', compensationFields(editing, throws));
  add('link', 'Link', linkFields(editing));
  return parts;
}

function interruptingFields(editing: Editing, begins: boolean): HTMLElement[] {
  const { model, element, redraw } = editing;
  const isBoundary = element.type === 'bpmn:BoundaryEvent';
  const always = ['Error', 'Compensate', 'Cancel'].some((kind) => definitionOf(editing, kind));
  if (always || (!isBoundary && !begins)) return [];
  const name = isBoundary ? 'cancelActivity' : 'isInterrupting';
  return [
    drawing(editing)({
      kind: 'flag',
      name,
      label: 'Interrupting',
      hint: isBoundary ? 'The activity ends when the event comes.' : 'Everything else in the scope ends when the event comes.',
      value: element.businessObject.get<boolean | undefined>(name) !== false,
      commit: (is) => {
        model.service<Modeling>('modeling').updateProperties(element, { [name]: is });
        redraw();
      },
    }),
  ];
}

function messageFields(editing: Editing, throws: boolean, startsProcess: boolean): HTMLElement[] {
  const moddle = editing.element.businessObject;
  const isTask = ['bpmn:SendTask', 'bpmn:ReceiveTask'].includes(editing.element.type);
  const holder = isTask ? moddle : definitionOf(editing, 'Message');
  if (!holder) return [];
  const hint = startsProcess ? 'What is published under this name starts the process.' : '${…} stands for a value of the data.';
  const what = { ...MESSAGE(hint), optional: editing.element.type === 'bpmn:SendTask' };
  const fields = referenceFields(editing, holder, what);
  if (!holder.get('messageRef')) return fields;
  if (!startsProcess) fields.push(correlationKey(editing, holder));
  if (!throws) return fields;
  fields.push(
    dataField(editing),
    attribute(editing, moddle, 'timeToLive', {
      label: 'Time to live',
      placeholder: 'PT1H',
      hint: 'How long it is kept when nobody waits for it; without, not at all.',
      check: isDuration,
      reading: durationInWords,
    }),
  );
  return fields;
}

/** Written at the event; a file may have it at the definition or at the message, which all that refer to it share. */
function correlationKey(editing: Editing, holder: Moddle): HTMLElement {
  const { model, element } = editing;
  const name = 'stepwire:correlationKey';
  const places = [element.businessObject, holder, holder.get<Moddle>('messageRef')];
  const place = places.find((one) => one.get<string | undefined>(name)) ?? element.businessObject;
  const drawn = drawing(editing)({
    kind: 'text',
    name: 'correlationKey',
    label: 'Correlation key',
    value: place.get<string | undefined>(name) ?? '',
    placeholder: '${order.id}',
    hint: 'A message goes to who waits for the same name and key.',
    commit: (text) => model.set(element, place, { [name]: text }),
  });
  completePaths(drawn, () => editing.paths);
  return drawn;
}

function signalFields(editing: Editing, throws: boolean): HTMLElement[] {
  const event = definitionOf(editing, 'Signal');
  if (!event) return [];
  const fields = referenceFields(editing, event, SIGNAL('A signal goes to all that wait for its name.'));
  return throws && event.get('signalRef') ? [...fields, dataField(editing)] : fields;
}

function dataField(editing: Editing): HTMLElement {
  const drawn = attribute(editing, editing.element.businessObject, 'data', {
    label: 'Data',
    kind: 'template',
    check: isJsonTemplate,
    placeholder: '{"order": "${order.id}"}',
    hint: 'A JSON template of the data it takes along.',
  });
  completePaths(drawn, () => editing.paths);
  return drawn;
}

function conditionalFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const event = definitionOf(editing, 'Conditional');
  if (!event) return [];
  const commit = (body: string) => {
    const condition = body.trim() ? model.create('bpmn:FormalExpression', { body }, event) : undefined;
    model.change(element, { moddle: event, properties: { condition } });
  };
  const drawn = drawing(editing)({
    kind: 'template',
    name: 'condition',
    label: 'Condition',
    value: event.get<Moddle | undefined>('condition')?.get<string | undefined>('body') ?? '',
    rows: 2,
    placeholder: '${order.amount > 100}',
    hint: 'Looked at when data change.',
    check: isRequired,
    commit,
  });
  completePaths(drawn, () => editing.paths);
  if (editing.mayEdit) tryOut(drawn, 'condition', model.processes()[0]?.id ?? '', editing.paths, 'try/condition');
  return [drawn];
}

function compensationFields(editing: Editing, throws: boolean): HTMLElement[] {
  const { model, element } = editing;
  const event = definitionOf(editing, 'Compensate');
  if (!event || !throws) return [];
  const around = scopes(element.businessObject);
  const compensable = model
    .elements()
    .filter(({ type, businessObject }) => type === 'bpmn:BoundaryEvent' && hasCompensation(businessObject))
    .map(({ businessObject }) => businessObject.get<Moddle>('attachedToRef'))
    .filter((activity) => around.includes(activity.$parent!));
  const subprocesses = model
    .elements()
    .map(({ businessObject }) => businessObject)
    .filter(({ $type, $parent }) => /^bpmn:(SubProcess|Transaction)$/.test($type) && around.includes($parent!));
  const activities = [...new Set([...compensable, ...subprocesses])].filter((one) => !around.includes(one));
  const chosen = event.get<Moddle | undefined>('activityRef');
  if (chosen && !activities.includes(chosen)) activities.push(chosen);
  const draw = drawing(editing);
  return [
    draw({
      kind: 'select',
      name: 'activityRef',
      label: 'Activity to compensate',
      value: chosen?.id ?? '',
      options: [['', 'All that is completed'], ...activities.map((one) => [one.id ?? '', one.name || one.id || ''] as const)],
      hint: 'Activities with a compensation event, and subprocesses, around this event.',
      commit: (id) =>
        model.change(element, { moddle: event, properties: { activityRef: activities.find((one) => one.id === id) } }),
    }),
    draw({
      kind: 'flag',
      name: 'waitForCompletion',
      label: 'Wait for completion',
      hint: 'The event goes on when everything is compensated.',
      value: event.get<boolean | undefined>('waitForCompletion') !== false,
      commit: (is) => model.change(element, { moddle: event, properties: { waitForCompletion: is ? undefined : false } }),
    }),
  ];
}

function hasCompensation(event: Moddle): boolean {
  return event.get<Moddle[]>('eventDefinitions').some(({ $type }) => $type === 'bpmn:CompensateEventDefinition');
}

/** The scopes around an element, the innermost first. */
function scopes(moddle: Moddle): Moddle[] {
  const found: Moddle[] = [];
  for (let around = moddle.$parent; around; around = around.$parent) found.push(around);
  return found;
}

function linkFields(editing: Editing): HTMLElement[] {
  const event = definitionOf(editing, 'Link');
  if (!event) return [];
  const links = editing.model
    .elements()
    .flatMap(({ businessObject }) => (businessObject as unknown as { eventDefinitions?: Moddle[] }).eventDefinitions ?? [])
    .filter(({ $type }) => $type === 'bpmn:LinkEventDefinition')
    .map((one) => one.get<string | undefined>('name') ?? '');
  return [
    drawing(editing)({
      kind: 'text',
      name: 'linkName',
      label: 'Link name',
      value: event.get<string | undefined>('name') ?? '',
      hint: 'Throw events go on at the catch event of the same name in the same process or subprocess.',
      check: isRequired,
      suggestions: [...new Set(links)].filter(Boolean).sort(),
      commit: (text) => editing.model.change(editing.element, { moddle: event, properties: { name: text.trim() || undefined } }),
    }),
  ];
}
