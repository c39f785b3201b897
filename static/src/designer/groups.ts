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
  'bpmn:ReceiveTask',
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
      addEventNames(editing, add);
      break;
    case 'bpmn:UserTask':
      add('task', 'User task', taskFields(editing));
      break;
    case 'bpmn:CallActivity':
      add('call', 'Call', callFields(editing, processIds));
      break;
    case 'bpmn:SendTask':
    case 'bpmn:ReceiveTask':
      add('message', 'Message', messageFields(editing, element.businessObject, 'Message'));
      break;
    case 'bpmn:EventBasedGateway':
      add('start', 'Start', gatewayStartFields(editing));
      break;
    case 'bpmn:SequenceFlow':
      add('condition', 'Condition', conditionFields(editing));
      break;
    case 'bpmn:ExclusiveGateway':
    case 'bpmn:InclusiveGateway':
    case 'bpmn:ComplexGateway':
      add('activation', 'Activation', activationFields(editing));
      add('default', 'Default flow', [defaultField(editing)]);
      break;
    case 'bpmn:EndEvent':
    case 'bpmn:BoundaryEvent':
      add('error', 'Error', codeFields(editing, ERROR));
      add('escalation', 'Escalation', codeFields(editing, ESCALATION));
      add('timer', 'Timer', timerFields(editing));
      addEventNames(editing, add);
      break;
    case 'bpmn:IntermediateCatchEvent':
      add('timer', 'Timer', timerFields(editing));
      add('link', 'Link', linkFields(editing));
      addEventNames(editing, add);
      break;
    case 'bpmn:IntermediateThrowEvent':
      add('escalation', 'Escalation', codeFields(editing, ESCALATION));
      add('link', 'Link', linkFields(editing));
      addEventNames(editing, add);
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

/** The message or signal that an event throws or waits for, by name. */
function addEventNames(editing: Editing, add: (name: string, label: string, content: HTMLElement[]) => unknown): void {
  for (const kind of ['Message', 'Signal'] as const) {
    const event = definitionOf(editing, kind);
    if (event) add(kind.toLowerCase(), kind, messageFields(editing, event, kind));
  }
}

function messageFields(editing: Editing, holder: Moddle, kind: 'Message' | 'Signal'): HTMLElement[] {
  const { model, element } = editing;
  const reference = `${kind.toLowerCase()}Ref`;
  const commit = (text: string) => {
    const wanted = text.trim();
    if (!wanted) return model.change(element, { moddle: holder, properties: { [reference]: undefined } });
    const roots = model.definitions.get<Moddle[]>('rootElements');
    const known = roots.find((one) => one.$type === `bpmn:${kind}` && one.name === wanted);
    if (known) return model.change(element, { moddle: holder, properties: { [reference]: known } });
    const made = model.create(`bpmn:${kind}`, { name: wanted }, model.definitions);
    return model.change(
      element,
      { moddle: model.definitions, properties: { rootElements: [...roots, made] } },
      { moddle: holder, properties: { [reference]: made } },
    );
  };
  const name = drawing(editing)({
    kind: 'text',
    name: `${kind.toLowerCase()}Name`,
    label: `${kind} name`,
    value: holder.get<Moddle | undefined>(reference)?.name ?? '',
    check: isRequired,
    hint: kind === 'Message' ? 'Goes to one that waits for it.' : 'Goes to all that wait for it.',
    commit,
  });
  if (kind === 'Signal' || element.type === 'bpmn:StartEvent') return [name];
  const key = attribute(editing, element.businessObject, 'correlationKey', {
    label: 'Correlation key',
    placeholder: '${order.id}',
    hint: 'A template: a message goes to who waits for the same key.',
  });
  return [name, key];
}

/** What makes an event-based gateway start the process. */
function gatewayStartFields(editing: Editing): HTMLElement[] {
  const { model, element, redraw } = editing;
  const gateway = element.businessObject;
  const isParallel = gateway.get<string | undefined>('eventGatewayType') === 'Parallel';
  const value = gateway.get<boolean | undefined>('instantiate') ? (isParallel ? 'Parallel' : 'Exclusive') : '';
  const commit = (kind: string) => {
    const properties = { instantiate: kind ? true : undefined, eventGatewayType: kind === 'Parallel' ? kind : undefined };
    model.change(element, { moddle: gateway, properties });
    redraw();
  };
  const options = [
    ['', 'No: a token comes here'],
    ['Exclusive', 'By the first message'],
    ['Parallel', 'By the first message, and the others are awaited'],
  ] as const;
  const hint = 'What is behind it waits for messages, and no flow leads here.';
  return [drawing(editing)({ kind: 'select', name: 'instantiate', label: 'Starts the process', value, options, hint, commit })];
}

/** The condition on which a join of a complex gateway goes on. */
function activationFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  if (element.type !== 'bpmn:ComplexGateway') return [];
  const gateway = element.businessObject;
  const commit = (body: string) => {
    const condition = body.trim() ? model.create('bpmn:FormalExpression', { body }, gateway) : undefined;
    model.change(element, { moddle: gateway, properties: { activationCondition: condition } });
  };
  return [
    drawing(editing)({
      kind: 'text',
      name: 'activationCondition',
      label: 'Activation condition',
      value: gateway.get<Moddle | undefined>('activationCondition')?.get<string | undefined>('body') ?? '',
      placeholder: '${activationCount >= 2}',
      hint: 'A join goes on once it is true. It reads the data and activationCount, the tokens at its flows.',
      commit,
    }),
  ];
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

/** What is thrown and caught under a code. */
interface Coded {
  kind: 'Error' | 'Escalation';
  caught: string;
  thrown: string;
}
const ERROR: Coded = {
  kind: 'Error',
  caught: 'The only error that is caught; without it every failure is.',
  thrown: 'The error the instance fails with.',
};
const ESCALATION: Coded = {
  kind: 'Escalation',
  caught: 'The only escalation that is caught; without it every one is.',
  thrown: 'The escalation that is thrown.',
};

function definitionOf({ element }: Editing, kind: string): Moddle | undefined {
  const definitions = element.businessObject.get<Moddle[]>('eventDefinitions');
  return definitions.find(({ $type }) => $type === `bpmn:${kind}EventDefinition`);
}

function codeFields(editing: Editing, { kind, caught, thrown }: Coded): HTMLElement[] {
  const { model, element } = editing;
  const event = definitionOf(editing, kind);
  if (!event) return [];
  const [reference, member] = [`${kind.toLowerCase()}Ref`, `${kind.toLowerCase()}Code`];
  const code = event.get<Moddle | undefined>(reference)?.get<string | undefined>(member) ?? '';
  const commit = (text: string) => {
    const wanted = text.trim();
    if (!wanted) return model.change(element, { moddle: event, properties: { [reference]: undefined } });
    const roots = model.definitions.get<Moddle[]>('rootElements');
    const known = roots.find((one) => one.$type === `bpmn:${kind}` && one.get(member) === wanted);
    if (known) return model.change(element, { moddle: event, properties: { [reference]: known } });
    const made = model.create(`bpmn:${kind}`, { [member]: wanted, name: wanted }, model.definitions);
    return model.change(
      element,
      { moddle: model.definitions, properties: { rootElements: [...roots, made] } },
      { moddle: event, properties: { [reference]: made } },
    );
  };
  const catches = element.type === 'bpmn:BoundaryEvent';
  return [
    drawing(editing)({
      kind: 'text',
      name: member,
      label: `${kind} code`,
      value: code,
      hint: catches ? caught : thrown,
      check: catches ? undefined : isRequired,
      commit,
    }),
  ];
}

function linkFields(editing: Editing): HTMLElement[] {
  const event = definitionOf(editing, 'Link');
  if (!event) return [];
  return [
    drawing(editing)({
      kind: 'text',
      name: 'linkName',
      label: 'Link name',
      value: event.get<string | undefined>('name') ?? '',
      hint: 'Throw events go on at the catch event of the same name in the same process or subprocess.',
      check: isRequired,
      commit: (text) => editing.model.change(editing.element, { moddle: event, properties: { name: text.trim() || undefined } }),
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
