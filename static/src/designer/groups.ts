/** The groups of the properties panel for what is selected: which fields an element has, beside its actions. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute, documentation, drawing, flagged, idField, nameField } from './attributes.js';
import { type Check, durationInWords, isDuration, isList, isPath, isRequired, isTemplate } from './checks.js';
import { completePaths } from './completion.js';
import { processFields } from './process-fields.js';
import { scheduleFields, startFields, startKeys, timerFields } from './start-fields.js';
import { tryOut } from './try-out.js';
import type { Element, Moddle, Modeling } from './types.js';

/** A part of the panel under a heading of its own. */
export interface Group {
  name: string;
  label: string;
  content: HTMLElement[];
}

const optional =
  (check: Check): Check =>
  (text) =>
    text.trim() ? check(text) : undefined;
const ACTIVITIES = [
  'bpmn:Task',
  'bpmn:UserTask',
  'bpmn:ServiceTask',
  'bpmn:SendTask',
  'bpmn:ManualTask',
  'bpmn:ScriptTask',
  'bpmn:BusinessRuleTask',
  'bpmn:CallActivity',
  'bpmn:StartEvent',
  'bpmn:IntermediateThrowEvent',
  'bpmn:IntermediateCatchEvent',
  'bpmn:EndEvent',
];

/** Whether a node may have actions. */
export function hasActions({ type }: Element): boolean {
  return ACTIVITIES.includes(type);
}

/** Everything about an element but its actions. */
export function groupsOf(editing: Editing, processIds: readonly string[]): Group[] {
  const { element } = editing;
  const moddle = element.businessObject;
  const groups: Group[] = [];
  const add = (name: string, label: string, content: HTMLElement[]) =>
    content.length > 0 && groups.push({ name, label, content });
  const processes = editing.model.processesOf(element);
  for (const process of processes)
    add(`process/${process.id}`, processes.length > 1 ? `Process ${process.id}` : 'Process', processFields(editing, process));
  if (element.type === 'bpmn:Process' || element.type === 'bpmn:Collaboration') return groups;
  add('general', 'General', general(editing, moddle));
  switch (element.type) {
    case 'bpmn:StartEvent':
      add('start', 'Start', startFields(editing));
      add('schedule', 'Schedule', scheduleFields(editing));
      add('keys', 'Start data', [startKeys(editing)]);
      break;
    case 'bpmn:UserTask':
      add('task', 'User task', taskFields(editing));
      break;
    case 'bpmn:CallActivity':
      add('call', 'Call', callFields(editing, processIds));
      break;
    case 'bpmn:SequenceFlow':
      add('condition', 'Condition', conditionFields(editing));
      break;
    case 'bpmn:ExclusiveGateway':
    case 'bpmn:InclusiveGateway':
      add('default', 'Default flow', [defaultField(editing)]);
      break;
    case 'bpmn:EndEvent':
    case 'bpmn:BoundaryEvent':
      add('error', 'Error', errorFields(editing));
      add('timer', 'Timer', timerFields(editing));
      break;
    case 'bpmn:IntermediateCatchEvent':
      add('timer', 'Timer', timerFields(editing));
      break;
    case 'bpmn:Lane':
      add('roles', 'Roles', roleFields(editing));
      break;
  }
  return groups;
}

function general(editing: Editing, moddle: Moddle): HTMLElement[] {
  const fields = [nameField(editing, moddle), idField(editing, moddle, 'Id'), documentation(editing, moddle)];
  const isNode = editing.element.type !== 'bpmn:SequenceFlow' && moddle.get<unknown>('incoming') !== undefined;
  if (isNode)
    fields.push(
      flagged(
        editing,
        moddle,
        'canGoBack',
        'May be passed backwards',
        'Off: once passed, nothing behind it can be gone back to.',
        true,
      ),
    );
  return fields;
}

function taskFields(editing: Editing): HTMLElement[] {
  const moddle = editing.element.businessObject;
  const field = (name: string, part: Parameters<typeof attribute>[3]) => attribute(editing, moddle, name, part);
  return [
    field('assignee', {
      label: 'Assignee',
      placeholder: '${order.approver}',
      hint: 'Whose task it is from the beginning: a name, or a template of one.',
    }),
    field('dueDate', {
      label: 'Due date',
      placeholder: 'P3D',
      hint: 'A duration from its beginning, a point in time, or a template of one.',
      reading: durationInWords,
    }),
    field('reminder', {
      label: 'Reminder',
      placeholder: 'P1D',
      hint: 'So long before it is due.',
      check: isDuration,
      reading: durationInWords,
    }),
    field('reminderRepeat', {
      label: 'Reminder repeat',
      placeholder: 'P1D',
      hint: 'So long after a reminder, again.',
      check: isDuration,
      reading: durationInWords,
    }),
    field('decisionKey', {
      label: 'Decision key',
      placeholder: 'approval',
      hint: 'Approvals: where the decision lands in the data.',
      check: isPath,
    }),
  ];
}

function callFields(editing: Editing, processIds: readonly string[]): HTMLElement[] {
  const { model, element, redraw } = editing;
  const moddle = element.businessObject;
  const field = (name: string, part: Parameters<typeof attribute>[3]) => attribute(editing, moddle, name, part);
  const called = drawing(editing)({
    kind: 'text',
    name: 'calledElement',
    label: 'Called process',
    value: moddle.get<string | undefined>('calledElement') ?? '',
    suggestions: [...new Set([...processIds, ...model.processes().map(({ id = '' }) => id)])],
    check: isRequired,
    commit: (text) => model.set(element, moddle, { calledElement: text }),
  });
  const collection = moddle.get<string | undefined>('stepwire:collection') ?? '';
  const each = drawing(editing)({
    kind: 'text',
    name: 'collection',
    label: 'Collection',
    value: collection,
    placeholder: 'order.lines',
    hint: 'A path of a list: one subprocess runs per item, at the same time, with the item as item.',
    check: isPath,
    suggestions: editing.paths,
    commit: (text) => {
      // The marker goes with it, as it is how the diagram shows it.
      const marker = text.trim() ? model.create('bpmn:MultiInstanceLoopCharacteristics', {}, moddle) : undefined;
      model.change(element, { moddle, properties: { 'stepwire:collection': text || undefined, loopCharacteristics: marker } });
      redraw();
    },
  });
  return [
    called,
    field('paramsToCopy', {
      label: 'Params to copy',
      placeholder: '["client"]',
      check: isList,
      hint: 'A JSON list of paths. Without it everything is copied; [] copies nothing.',
    }),
    field('withoutParams', {
      label: 'Without params',
      placeholder: '["client.email"]',
      check: isList,
      hint: 'Paths that are left out of the copy.',
    }),
    field('outputKey', {
      label: 'Output key',
      placeholder: 'credit',
      check: isPath,
      hint: 'Where the result lands; without it the result is dropped.',
    }),
    field('output', {
      label: 'Output',
      kind: 'template',
      check: optional(isTemplate),
      hint: "A template over the subprocess's data; without it the result is all of them.",
    }),
    each,
  ];
}

function conditionFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const flow = element.businessObject;
  const source = flow.get<Moddle | undefined>('sourceRef');
  if (source?.$type !== 'bpmn:ExclusiveGateway' && !flow.get('conditionExpression')) return [];
  if (source?.get('default') === flow)
    return [h('p', { class: 'hint' }, 'This is the default flow: it is taken when no condition is true.')];
  const commit = (body: string) => {
    const condition = body.trim() ? model.create('bpmn:FormalExpression', { body }, flow) : undefined;
    model.change(element, { moddle: flow, properties: { conditionExpression: condition } });
  };
  const value = flow.get<Moddle | undefined>('conditionExpression')?.get<string | undefined>('body') ?? '';
  const drawn = drawing(editing)({
    kind: 'template',
    name: 'condition',
    label: 'Condition',
    value,
    rows: 2,
    placeholder: '${client.age >= 18}',
    hint: 'JavaScript over the data, without effects.',
    commit,
  });
  completePaths(drawn, () => editing.paths);
  if (editing.mayEdit) tryOut(drawn, 'condition', model.processes()[0]?.id ?? '', editing.paths, 'try/condition');
  return [drawn];
}

function defaultField(editing: Editing): HTMLElement {
  const { model, element, redraw } = editing;
  const gateway = element.businessObject;
  const flows = gateway.get<Moddle[]>('outgoing');
  const label = (flow: Moddle) =>
    flow.name ||
    `to ${flow.get<Moddle | undefined>('targetRef')?.name ?? flow.get<Moddle | undefined>('targetRef')?.id ?? flow.id}`;
  const options = [['', 'None'] as const, ...flows.map((flow) => [flow.id ?? '', label(flow)] as const)];
  const commit = (id: string) => {
    const flow = flows.find((one) => one.id === id);
    model.service<Modeling>('modeling').updateProperties(element, { default: flow });
    redraw();
  };
  return drawing(editing)({
    kind: 'select',
    name: 'default',
    label: 'Default flow',
    value: gateway.get<Moddle | undefined>('default')?.id ?? '',
    options,
    hint: 'Taken when no condition is true.',
    commit,
  });
}

function errorFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const event = element.businessObject
    .get<Moddle[]>('eventDefinitions')
    .find(({ $type }) => $type === 'bpmn:ErrorEventDefinition');
  if (!event) return [];
  const code = event.get<Moddle | undefined>('errorRef')?.get<string | undefined>('errorCode') ?? '';
  const commit = (text: string) => {
    const wanted = text.trim();
    if (!wanted) return model.change(element, { moddle: event, properties: { errorRef: undefined } });
    const roots = model.definitions.get<Moddle[]>('rootElements');
    const known = roots.find((one) => one.$type === 'bpmn:Error' && one.get('errorCode') === wanted);
    if (known) return model.change(element, { moddle: event, properties: { errorRef: known } });
    const error = model.create('bpmn:Error', { errorCode: wanted, name: wanted }, model.definitions);
    return model.change(
      element,
      { moddle: model.definitions, properties: { rootElements: [...roots, error] } },
      { moddle: event, properties: { errorRef: error } },
    );
  };
  const hint =
    element.type === 'bpmn:BoundaryEvent'
      ? 'The only error that is caught; without it every failure is.'
      : 'The error the instance fails with.';
  return [
    drawing(editing)({
      kind: 'text',
      name: 'errorCode',
      label: 'Error code',
      value: code,
      hint,
      check: element.type === 'bpmn:EndEvent' ? isRequired : undefined,
      commit,
    }),
  ];
}

function roleFields(editing: Editing): HTMLElement[] {
  const lane = editing.element.businessObject;
  const field = (name: string, label: string, hint: string) =>
    attribute(editing, lane, name, { label, hint, placeholder: 'clerk manager' });
  return [
    h('p', { class: 'hint' }, 'Roles, separated by blanks.'),
    field('view', 'View', 'Who may watch the instance; without a list its members only.'),
    field('execute', 'Execute', 'Who may run the actions of its nodes; without a list every member.'),
    field('assign', 'Assign', 'Who may assign its user tasks; without a list every member.'),
    field('hold', 'Hold', 'Who may hold and end an instance whose token is here; without a list every member.'),
  ];
}
