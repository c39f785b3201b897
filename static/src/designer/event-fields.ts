/** The fields of events: what they catch or throw, and whether they interrupt. */
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import { durationInWords, isDuration, isJsonTemplate, isRequired } from './checks.js';
import { completePaths } from './completion.js';
import { definitionsOf, kindOf, removeButton, settingField, severalFields } from './event-definitions.js';
import { MESSAGE, referenceFields, SIGNAL } from './root-reference.js';
import { timerFields } from './start-fields.js';
import { tryOut } from './try-out.js';
import type { Element, Moddle, Modeling } from './types.js';

/** A part of the panel, under a heading. */
type Part = [name: string, label: string, content: HTMLElement[]];

const THROWS = ['bpmn:IntermediateThrowEvent', 'bpmn:EndEvent', 'bpmn:SendTask'];
const CODES = {
  Error: ['The error that is caught; without one every failure is caught.', 'The error that is thrown.'],
  Escalation: ['The escalation that is caught; without one every escalation is caught.', 'The escalation that is thrown.'],
} as const;

/** Whether an element is the start event of an event subprocess. */
export function beginsEventSubprocess({ type, businessObject }: Element): boolean {
  const around = businessObject.$parent;
  return type === 'bpmn:StartEvent' && around?.$type === 'bpmn:SubProcess' && around.get('triggeredByEvent') === true;
}

/** Everything that an event, or a send or receive task, waits for or throws. */
export function eventParts(editing: Editing): Part[] {
  const { element, model, mayEdit } = editing;
  const throws = THROWS.includes(element.type);
  const begins = beginsEventSubprocess(element);
  const isStart = element.type === 'bpmn:StartEvent' && !begins;
  const parts: Part[] = [];
  const add = (name: string, label: string, content: HTMLElement[]) => content.length > 0 && parts.push([name, label, content]);
  if (/Task$/.test(element.type)) {
    add('message', 'Message', messageFields(editing, element.businessObject, throws, instantiates(editing)));
    return parts;
  }
  add('interrupting', 'Interrupting', interruptingFields(editing, begins));
  const all = definitionsOf(element);
  all.forEach((definition, place) => {
    const kind = kindOf(definition);
    const isOnly = all.length === 1;
    const own = isOnly ? editing : { ...editing, prefix: `event/${place}/` };
    const content = fieldsOf(own, definition, throws, isStart);
    // A timer that starts the process is a schedule, which is shown elsewhere.
    if (isStart && kind === 'Timer') return;
    const label = PARTS[kind]?.[1] ?? kind;
    if (isOnly) return void add(PARTS[kind]?.[0] ?? kind, label, content);
    const remove = removeButton(own, definition, `${label}, event ${place + 1}`);
    add(`${PARTS[kind]?.[0] ?? kind}/${place}`, `${place + 1}. ${label}`, [...content, remove]);
  });
  const at = begins ? 'eventSubprocess' : element.type.replace('bpmn:', '').replace(/^./, (letter) => letter.toLowerCase());
  if (mayEdit)
    add('definitions', 'Several events', severalFields(editing, model.service<ReadonlySet<string>>('stepwireKinds'), at, throws));
  return parts;
}

/** Names and labels of the parts of the panel, by type of definition. */
const PARTS: Record<string, readonly [string, string]> = {
  Timer: ['timer', 'Timer'],
  Message: ['message', 'Message'],
  Signal: ['signal', 'Signal'],
  Conditional: ['conditional', 'Condition'],
  Error: ['error', 'Error'],
  Escalation: ['escalation', 'Escalation'],
  Compensate: ['compensation', 'Compensation'],
  Link: ['link', 'Link'],
  Cancel: ['cancel', 'Cancellation'],
  Terminate: ['terminate', 'Terminate'],
};

/** The fields of one definition. */
function fieldsOf(editing: Editing, definition: Moddle, throws: boolean, isStart: boolean): HTMLElement[] {
  const kind = kindOf(definition);
  switch (kind) {
    case 'Timer':
      return isStart ? [] : timerFields(editing, definition);
    case 'Message':
      return messageFields(editing, definition, throws, isStart);
    case 'Signal':
      return signalFields(editing, definition, throws);
    case 'Conditional':
      return conditionalFields(editing, definition);
    case 'Compensate':
      return throws ? compensationFields(editing, definition) : [];
    case 'Link':
      return linkFields(editing, definition);
    case 'Error':
    case 'Escalation': {
      const hint = CODES[kind][throws ? 1 : 0];
      return referenceFields(editing, definition, { kind, label: `${kind} code`, member: `${kind.toLowerCase()}Code`, hint, optional: !throws });
    }
    default:
      return [];
  }
}

/** Whether a receive task starts the process. */
function instantiates({ element }: Editing): boolean {
  return element.type === 'bpmn:ReceiveTask' && element.businessObject.get<boolean | undefined>('instantiate') === true;
}

function interruptingFields(editing: Editing, begins: boolean): HTMLElement[] {
  const { model, element, redraw } = editing;
  const isBoundary = element.type === 'bpmn:BoundaryEvent';
  const always = definitionsOf(element).some((one) => ['Error', 'Compensate', 'Cancel'].includes(kindOf(one)));
  if (always || (!isBoundary && !begins)) return [];
  const name = isBoundary ? 'cancelActivity' : 'isInterrupting';
  return [
    drawing(editing)({
      kind: 'flag',
      name,
      label: 'Interrupting',
      hint: isBoundary ? 'The activity ends when the event occurs.' : 'Everything else in the scope ends when the event occurs.',
      value: element.businessObject.get<boolean | undefined>(name) !== false,
      commit: (is) => {
        model.service<Modeling>('modeling').updateProperties(element, { [name]: is });
        redraw();
      },
    }),
  ];
}

/** The message of a definition, or of a task, which is then the `holder`. */
function messageFields(editing: Editing, holder: Moddle, throws: boolean, startsProcess: boolean): HTMLElement[] {
  const hint = startsProcess ? 'A message or signal with this name starts the process.' : '${…} stands for a value of the data.';
  const what = { ...MESSAGE(hint), optional: editing.element.type === 'bpmn:SendTask' };
  const fields = referenceFields(editing, holder, what);
  if (editing.element.type === 'bpmn:ReceiveTask') fields.push(instantiateField(editing));
  if (!holder.get('messageRef')) return fields;
  if (!startsProcess) fields.push(correlationKey(editing, holder));
  if (!throws) return fields;
  fields.push(
    dataField(editing, holder),
    settingField(editing, holder, 'timeToLive', {
      label: 'Time to live',
      placeholder: 'PT1H',
      hint: 'How long it is kept when nothing waits for it; without a value, not at all.',
      check: isDuration,
      reading: durationInWords,
    }),
  );
  return fields;
}

/** Whether a receive task starts the process. */
function instantiateField(editing: Editing): HTMLElement {
  const { model, element, redraw } = editing;
  return drawing(editing)({
    kind: 'flag',
    name: 'instantiate',
    label: 'Starts the process',
    hint: 'Its message starts an instance here; then no flow leads to it.',
    value: instantiates(editing),
    commit: (is) => {
      model.change(element, { moddle: element.businessObject, properties: { instantiate: is || undefined } });
      redraw();
    },
  });
}

/** A file may have it at the message, where all references share it. */
function correlationKey(editing: Editing, holder: Moddle): HTMLElement {
  const part = { label: 'Correlation key', placeholder: '${order.id}', hint: 'A message goes to an element that waits for the same name and key.' };
  const drawn = settingField(editing, holder, 'correlationKey', part, [holder.get<Moddle>('messageRef')]);
  completePaths(drawn, () => editing.paths);
  return drawn;
}

function signalFields(editing: Editing, event: Moddle, throws: boolean): HTMLElement[] {
  const fields = referenceFields(editing, event, SIGNAL('A signal goes to all elements that wait for its name.'));
  if (!throws || !event.get('signalRef')) return fields;
  const businessKey = settingField(editing, event, 'businessKey', {
    label: 'Business key',
    placeholder: '${order.id}',
    hint: 'The business key of the instances that it starts.',
  });
  completePaths(businessKey, () => editing.paths);
  return [...fields, dataField(editing, event), businessKey];
}

/** The data of a message or signal. */
export function dataField(editing: Editing, holder: Moddle): HTMLElement {
  const drawn = settingField(editing, holder, 'data', {
    label: 'Data',
    kind: 'template',
    check: isJsonTemplate,
    placeholder: '{"order": "${order.id}"}',
    hint: 'A JSON template of the data to send.',
  });
  completePaths(drawn, () => editing.paths);
  return drawn;
}

function conditionalFields(editing: Editing, event: Moddle): HTMLElement[] {
  const { model, element, prefix = '' } = editing;
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
    hint: 'Evaluated when data change.',
    check: isRequired,
    commit,
  });
  completePaths(drawn, () => editing.paths);
  if (editing.mayEdit) tryOut(drawn, 'condition', model.processes()[0]?.id ?? '', editing.paths, `${prefix}try/condition`);
  return [drawn];
}

function compensationFields(editing: Editing, event: Moddle): HTMLElement[] {
  const { model, element } = editing;
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
      hint: 'The event continues when everything is compensated.',
      value: event.get<boolean | undefined>('waitForCompletion') !== false,
      commit: (is) => model.change(element, { moddle: event, properties: { waitForCompletion: is ? undefined : false } }),
    }),
  ];
}

function hasCompensation(event: Moddle): boolean {
  return event.get<Moddle[]>('eventDefinitions').some(({ $type }) => $type === 'bpmn:CompensateEventDefinition');
}

/** The scopes of an element, the innermost first. */
function scopes(moddle: Moddle): Moddle[] {
  const found: Moddle[] = [];
  for (let around = moddle.$parent; around; around = around.$parent) found.push(around);
  return found;
}

function linkFields(editing: Editing, event: Moddle): HTMLElement[] {
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
      hint: 'Throw events continue at the catch event of the same name in the same process or subprocess.',
      check: isRequired,
      suggestions: [...new Set(links)].filter(Boolean).sort(),
      commit: (text) => editing.model.change(editing.element, { moddle: event, properties: { name: text.trim() || undefined } }),
    }),
  ];
}
