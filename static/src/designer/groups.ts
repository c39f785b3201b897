/** The groups of the properties panel for the selected element: all its fields except its actions. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute, documentation, drawing, flagged, idField, nameField } from './attributes.js';
import { forCompensation, isActivity, loopFields, mappingFields, quantityFields } from './activity-fields.js';
import { type Check, durationInWords, isDuration, isJson, isList, isPath, isRequired, isTemplate } from './checks.js';
import { completePaths } from './completion.js';
import { beginsEventSubprocess, eventParts } from './event-fields.js';
import { addGlobalTask, globalTasks, isGlobalTask, removeGlobalTask } from './global-tasks.js';
import { processFields } from './process-fields.js';
import { lanesOf, rolesField } from './roles-field.js';
import { rootListFields } from './root-list.js';
import { scheduleFields, startFields, startKeys } from './start-fields.js';
import { tryOut } from './try-out.js';
import type { Element, Moddle, Modeling } from './types.js';

/** A part of the panel with its own heading. */
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
  'bpmn:AdHocSubProcess',
  'bpmn:StartEvent',
  'bpmn:IntermediateThrowEvent',
  'bpmn:IntermediateCatchEvent',
  'bpmn:EndEvent',
];

/** Whether a node may have actions. */
export function hasActions({ type }: Element): boolean {
  return ACTIVITIES.includes(type.replace(':Global', ':'));
}

/** All fields of an element except its actions. `show` selects an element by its id. */
export function groupsOf(editing: Editing, processIds: readonly string[], show: (id: string) => void): Group[] {
  const { element } = editing;
  const moddle = element.businessObject;
  const groups: Group[] = [];
  const add = (name: string, label: string, content: HTMLElement[]) =>
    content.length > 0 && groups.push({ name, label, content });
  const processes = editing.model.processesOf(element);
  for (const process of processes)
    add(`process/${process.id}`, processes.length > 1 ? `Process ${process.id}` : 'Process', processFields(editing, process));
  for (const lane of processes.flatMap(lanesOf).filter(({ id = '' }) => !editing.model.registry.get(id)))
    add(`lane/${lane.id}`, `Lane ${lane.name ?? lane.id}`, roleFields(editing, lane));
  if (element.type === 'bpmn:Process' || element.type === 'bpmn:Collaboration') {
    add('document', 'Messages, signals, errors', rootListFields(editing));
    if (editing.mayEdit) add('global', 'Global tasks', addGlobalTask(editing, show));
    return groups;
  }
  add('general', 'General', general(editing, moddle));
  const startsProcess = element.type === 'bpmn:StartEvent' && !beginsEventSubprocess(element);
  if (startsProcess) {
    const starts = moddle.$parent?.$type === 'bpmn:Process';
    if (starts) add('start', 'Start', startFields(editing));
    if (starts) add('schedule', 'Schedule', scheduleFields(editing));
    if (starts) add('keys', 'Start data', [startKeys(editing)]);
  }
  const kind = element.type.replace(':Global', ':');
  if (kind === 'bpmn:UserTask') add('task', 'User task', taskFields(editing));
  if (kind === 'bpmn:ScriptTask') add('script', 'Script', scriptFields(editing));
  if (element.type === 'bpmn:CallActivity') add('call', 'Call', callFields(editing, processIds));
  if (/Event$|^bpmn:(Send|Receive)Task$/.test(element.type)) eventParts(editing).forEach((part) => add(...part));
  if (element.type === 'bpmn:EventBasedGateway') add('start', 'Start', gatewayStartFields(editing));
  if (element.type === 'bpmn:AdHocSubProcess')
    add('adHoc', 'Ad-hoc subprocess', adHocFields(editing));
  if (element.type === 'bpmn:ComplexGateway') add('activation', 'Activation', activationFields(editing));
  if (element.type === 'bpmn:SequenceFlow') add('condition', 'Condition', conditionFields(editing));
  if (hasDefault(element)) add('default', 'Default flow', [defaultField(editing)]);
  if (isActivity(element)) {
    add('loop', 'Loop', loopFields(editing));
    add('quantities', 'Tokens', quantityFields(editing));
  }
  if (isActivity(element) || isGlobalTask(element) || /Event$/.test(element.type))
    add('mappings', 'Inputs and outputs', mappingFields(editing));
  if (isGlobalTask(element) && editing.mayEdit) add('global', 'Global task', removeGlobalTask(editing));
  if (/^bpmn:DataObject(Reference)?$/.test(element.type)) add('default-value', 'Default', dataObjectFields(editing));
  if (element.type === 'bpmn:Lane') add('roles', 'Roles', roleFields(editing, moddle));
  return groups;
}

/** Whether one of its outgoing flows may be the default: for gateways that choose, and activities left by conditions. */
function hasDefault(element: Element): boolean {
  if (/^bpmn:(Exclusive|Inclusive|Complex)Gateway$/.test(element.type)) return true;
  return isActivity(element) && element.businessObject.get<Moddle[]>('outgoing').length > 1;
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
        'Off: once completed, neither it nor anything before it can be gone back to.',
        true,
      ),
    );
  if (isActivity(editing.element)) fields.push(forCompensation(editing));
  return fields;
}

/** Whether an event-based gateway starts the process. */
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
    ['Parallel', 'By the first message, then waits for the others'],
  ] as const;
  const hint = 'The events behind it wait for messages, and no flow leads here.';
  return [drawing(editing)({ kind: 'select', name: 'instantiate', label: 'Starts the process', value, options, hint, commit })];
}

function adHocFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const draw = drawing(editing);
  const set = (properties: Record<string, unknown>) => model.change(element, { moddle, properties });
  const condition = draw({
    kind: 'text',
    name: 'completionCondition',
    label: 'Completion condition',
    value: moddle.get<Moddle | undefined>('completionCondition')?.get<string | undefined>('body') ?? '',
    placeholder: '${order.checked}',
    hint: 'Evaluated when an activity in it completes: once true, the subprocess completes. Without a condition it completes when nothing in it is active.',
    commit: (body) =>
      set({ completionCondition: body.trim() ? model.create('bpmn:FormalExpression', { body }, moddle) : undefined }),
  });
  completePaths(condition, () => editing.paths);
  if (editing.mayEdit) tryOut(condition, 'condition', model.processes()[0]?.id ?? '', editing.paths, 'try/completionCondition');
  return [
    attribute(editing, moddle, 'activeElements', {
      label: 'Begins with',
      placeholder: '["callCustomer"]',
      hint: 'A JSON list of ids of activities in it, or the path of such a list in the data.',
    }),
    draw({
      kind: 'select',
      name: 'ordering',
      label: 'Ordering',
      value: moddle.get<string | undefined>('ordering') ?? 'Parallel',
      options: [
        ['Parallel', 'Several activities at the same time'],
        ['Sequential', 'One activity after the other'],
      ],
      commit: (ordering) => set({ ordering: ordering === 'Parallel' ? undefined : ordering }),
    }),
    condition,
    draw({
      kind: 'flag',
      name: 'cancelRemainingInstances',
      label: 'Cancel remaining instances',
      hint: 'On: active elements in it end once the completion condition is true. Off: it waits for them.',
      value: moddle.get<boolean | undefined>('cancelRemainingInstances') !== false,
      commit: (is) => set({ cancelRemainingInstances: is }),
    }),
  ];
}

/** The condition on which a join of a complex gateway continues. */
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
      hint: 'A join continues once it is true. It reads the data and activationCount, the number of tokens at its flows.',
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
      hint: 'The user to whom the task is assigned from the beginning: a name, or a template of one.',
    }),
    rolesField(editing, moddle, 'candidateGroups', 'Candidate groups', 'Roles that may claim it; without them those of the lane.'),
    field('dueDate', {
      label: 'Due date',
      placeholder: 'P3D',
      hint: 'A duration from its beginning, a point in time, or a template of one.',
      reading: durationInWords,
    }),
    field('reminder', {
      label: 'Reminder',
      placeholder: 'P1D',
      hint: 'How long before it is due.',
      check: isDuration,
      reading: durationInWords,
    }),
    field('reminderRepeat', {
      label: 'Reminder repeat',
      placeholder: 'P1D',
      hint: 'How long after a reminder the next one follows.',
      check: isDuration,
      reading: durationInWords,
    }),
    field('decisionKey', {
      label: 'Decision key',
      placeholder: 'approval',
      hint: 'Approvals: the path in the data for the decision.',
      check: isPath,
    }),
  ];
}

function callFields(editing: Editing, processIds: readonly string[]): HTMLElement[] {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const field = (name: string, part: Parameters<typeof attribute>[3]) => attribute(editing, moddle, name, part);
  const called = drawing(editing)({
    kind: 'text',
    name: 'calledElement',
    label: 'Called process',
    value: moddle.get<string | undefined>('calledElement') ?? '',
    suggestions: [...new Set([...processIds, ...[...model.processes(), ...globalTasks(model)].map(({ id = '' }) => id)])],
    check: isRequired,
    commit: (text) => model.set(element, moddle, { calledElement: text }),
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
    field('businessKey', {
      label: 'Business key',
      placeholder: '${processBusinessKey}',
      hint: "A text with placeholders: the subprocess's business key; without it the subprocess has none.",
    }),
    field('outputKey', {
      label: 'Output key',
      placeholder: 'credit',
      check: isPath,
      hint: 'The path for the result; without it the result is dropped.',
    }),
    field('output', {
      label: 'Output',
      kind: 'template',
      check: optional(isTemplate),
      hint: "A template over the subprocess's data; without it the result is all its data.",
    }),
  ];
}

function conditionFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const flow = element.businessObject;
  const source = flow.get<Moddle | undefined>('sourceRef');
  // After the other gateways no flow is chosen.
  const chosen = source && !/^bpmn:(Parallel|EventBased)Gateway$|Event$/.test(source.$type);
  if (!chosen && !flow.get('conditionExpression')) return [];
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

/** The script of a script task; other tasks have it in an action. */
function scriptFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const language = isGlobalTask(element) ? 'scriptLanguage' : 'scriptFormat';
  const commit = (script: string) =>
    model.change(element, { moddle, properties: { script: script || undefined, [language]: script ? 'javascript' : undefined } });
  return [
    drawing(editing)({
      kind: 'template',
      name: 'script',
      label: 'Script',
      rows: 6,
      placeholder: 'output.total = input.order.amount * 2;',
      hint: 'JavaScript: input is the data; members assigned to output are merged into them.',
      value: moddle.get<string | undefined>('script') ?? '',
      commit,
    }),
  ];
}

function dataObjectFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const object = moddle.$type === 'bpmn:DataObjectReference' ? moddle.get<Moddle | undefined>('dataObjectRef') : moddle;
  if (!object) return [];
  const [found] = model.extensions(object, 'stepwire:Default');
  const commit = (body: string) =>
    model.setExtensions(element, object, 'stepwire:Default', body.trim() ? [model.create('stepwire:Default', { body })] : []);
  const name = drawing(editing)({
    kind: 'text',
    name: 'variable',
    label: 'Variable',
    hint: 'The name of the variable; by default the id.',
    value: object.name ?? '',
    commit: (text) => model.set(element, object, { name: text }),
  });
  const value = drawing(editing)({
    kind: 'template',
    name: 'default',
    label: 'Default value',
    hint: 'Its value at the beginning, as JSON.',
    placeholder: '{"items": []}',
    value: found?.get<string | undefined>('body') ?? '',
    check: optional(isJson),
    commit,
  });
  return object === moddle ? [value] : [name, value];
}

function roleFields(editing: Editing, lane: Moddle): HTMLElement[] {
  return [
    rolesField(editing, lane, 'view', 'View', 'Who may watch the instance; without a list its members only.'),
    rolesField(editing, lane, 'execute', 'Execute', 'Who may run the actions of its nodes; without a list every member.'),
    rolesField(editing, lane, 'assign', 'Assign', 'Who may assign its user tasks; without a list every member.'),
    rolesField(editing, lane, 'hold', 'Hold', 'Who may hold and end an instance whose token is here; without a list every member.'),
  ];
}
