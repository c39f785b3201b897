/** Converts the JSON form of a process to BPMN, so that it can be drawn: member by member, according to docs/process-model.md. */
import { reader } from './layout.js';
import type { Moddle } from './types.js';

type Json = Record<string, unknown>;
type Create = (type: string, properties?: Json, parent?: Moddle) => Moddle;

const text = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
};
const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);
/** A member that contains one value, or several as a list. */
const oneOrSeveral = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : value ? [value as Json] : []);
const typeName = (kind: string) => `bpmn:${kind[0]!.toUpperCase()}${kind.slice(1)}`;

/** BPMN XML, without a diagram, of a process in JSON form. */
export async function bpmnOf(json: string): Promise<string> {
  const value: unknown = JSON.parse(json.replace(/^\uFEFF/, ''));
  const definition = value as Json;
  if (typeof value !== 'object' || value === null || !Array.isArray(definition.nodes)) {
    throw new Error('expected the JSON form of a process, but there are no nodes in it; see the process model');
  }
  const moddle = reader();
  const create: Create = (type, properties = {}, parent) => {
    const entries = Object.entries(properties).filter(([, one]) => one !== undefined);
    const created = moddle.create(type, Object.fromEntries(entries));
    if (parent) created.$parent = parent;
    return created;
  };
  const id = text(definition.id) ?? 'process';
  const definitions = create('bpmn:Definitions', { id: `${id}Definitions`, targetNamespace: 'https://stepwire.dev' });
  const process = create('bpmn:Process', { id, name: text(definition.name), isExecutable: true }, definitions);
  definitions.get<Moddle[]>('rootElements').push(process);
  if (isGlobalTask(definition)) {
    // A task outside of the process, which exists only for the canvas.
    process.set('id', `${id}Canvas`);
    process.set('isExecutable', false);
    definitions.get<Moddle[]>('rootElements').push(createGlobalTask(definition, definitions, create));
    return (await moddle.toXML(definitions, { format: true })).xml;
  }
  fillProcess(process, definition, create);
  const nodes = new Map<string, Moddle>();
  const container = (scope: unknown) => nodes.get(text(scope) ?? '') ?? process;
  const outerFirst = list(definition.nodes).sort((a, b) => depth(a, definition) - depth(b, definition));
  for (const node of outerFirst) {
    const around = container(node.scope);
    const drawn = createNode(node, around, definitions, create);
    nodes.set(text(node.id) ?? '', drawn);
    around.get<Moddle[]>('flowElements').push(drawn);
  }
  for (const object of list(definition.dataObjects)) {
    const around = container(object.scope);
    const drawn = create('bpmn:DataObject', { id: text(object.id), name: text(object.name) }, around);
    if (object.default !== undefined && object.default !== null) {
      extend(drawn, [create('stepwire:Default', { body: JSON.stringify(object.default) })], create);
    }
    around.get<Moddle[]>('flowElements').push(drawn);
  }
  for (const node of list(definition.nodes)) {
    const attached = nodes.get(text(node.attachedTo) ?? '');
    const drawn = nodes.get(text(node.id) ?? '');
    if (attached) drawn?.set('attachedToRef', attached);
    if (drawn) compensate(node, drawn, nodes, create);
  }
  const around = (flow: Json) => nodes.get(text(flow.source) ?? '')?.$parent ?? process;
  const flows = list(definition.flows).map((flow) => createFlow(flow, nodes, around(flow), create));
  for (const node of list(definition.nodes)) {
    const flow = flows.find((one) => one.id === node.defaultFlow);
    if (flow) nodes.get(text(node.id) ?? '')?.set('default', flow);
  }
  createLanes(list(definition.lanes), nodes, process, create);
  return (await moddle.toXML(definitions, { format: true })).xml;
}

/** Whether a definition represents a global task: its only node has its id. */
function isGlobalTask({ id, nodes }: Json): boolean {
  const [only, ...others] = list(nodes);
  return others.length === 0 && only !== undefined && only.id === id && /task$/i.test(text(only.type) ?? '');
}

function createGlobalTask(definition: Json, definitions: Moddle, create: Create): Moddle {
  const [node = {}] = list(definition.nodes);
  const kind = text(node.type) ?? 'task';
  const task = createNode({ ...node, type: `global${kind[0]!.toUpperCase()}${kind.slice(1)}` }, definitions, definitions, create);
  if (definition.documentation)
    task.get<Moddle[]>('documentation').push(create('bpmn:Documentation', { text: definition.documentation }, task));
  return task;
}

/** The reference of a compensation event, or the association of one at a boundary with its handler. */
function compensate(node: Json, drawn: Moddle, nodes: Map<string, Moddle>, create: Create): void {
  oneOrSeveral(node.event).forEach((event, place) => {
    const activity = nodes.get(text(event.activity) ?? '');
    if (activity) drawn.get<Moddle[]>('eventDefinitions')[place]?.set('activityRef', activity);
  });
  const handler = nodes.get(text(node.compensationHandler) ?? '');
  const around = drawn.$parent;
  if (!handler || !around) return;
  const ends = { id: `${text(node.id)}Handler`, sourceRef: drawn, targetRef: handler, associationDirection: 'One' };
  around.get<Moddle[]>('artifacts').push(create('bpmn:Association', ends, around));
}

/** How many subprocesses a node is nested in. */
function depth(node: Json, definition: Json): number {
  const nodes = new Map(list(definition.nodes).map((one) => [one.id, one]));
  let found = 0;
  for (let around = nodes.get(node.scope); around && found < nodes.size; around = nodes.get(around.scope)) found += 1;
  return found;
}

function fillProcess(process: Moddle, definition: Json, create: Create): void {
  const own: Json = {
    alias: text(definition.alias),
    expiry: text(definition.expiry),
    actionMessageExpiry: text(definition.actionMessageExpiry),
    anonymousStart: definition.anonymousStart === true ? 'true' : undefined,
    searchKeys: text(definition.searchKeys),
  };
  for (const [name, value] of Object.entries(own)) if (value !== undefined) process.set(`stepwire:${name}`, value);
  if (definition.documentation)
    process.get<Moddle[]>('documentation').push(create('bpmn:Documentation', { text: definition.documentation }, process));
  const hooks = list(definition.webhooks).map(({ url, on, include }) =>
    create('stepwire:Webhook', { url: text(url), on: Array.isArray(on) ? on.join(' ') : undefined, include: text(include) }),
  );
  extend(process, hooks, create);
}

function extend(parent: Moddle, values: Moddle[], create: Create): void {
  if (values.length === 0) return;
  const extensions = create('bpmn:ExtensionElements', { values }, parent);
  values.forEach((value) => (value.$parent = extensions));
  parent.set('extensionElements', extensions);
}

function createNode(node: Json, process: Moddle, definitions: Moddle, create: Create): Moddle {
  const drawn = create(typeName(text(node.type) ?? 'task'), { id: text(node.id), name: text(node.name) }, process);
  const set = (name: string, value: unknown) =>
    value !== undefined && value !== null && drawn.set(`stepwire:${name}`, text(value));
  if (node.canGoBack === false) set('canGoBack', 'false');
  if (node.startCondition) set('startCondition', node.startCondition);
  const extensions = [...list(node.keys).map((key) => createKey(key, create))];
  const mapping = (type: string) => (one: Json) =>
    create(type, { source: text(one.source), target: text(one.target), ...(one.ifSet === true ? { ifSet: 'true' } : {}) });
  extensions.push(...list(node.inputs).map(mapping('stepwire:Input')));
  extensions.push(...list(node.outputs).map(mapping('stepwire:Output')));
  const schedule = node.schedule as Json | undefined;
  if (schedule) extensions.push(...createSchedule(schedule, drawn, set, create));
  const task = (node.task ?? {}) as Json;
  for (const [name, value] of Object.entries(task)) set(name, Array.isArray(value) ? value.join(' ') : value);
  const { calledElement, ...call } = (node.call ?? {}) as Json;
  if (calledElement !== undefined) drawn.set('calledElement', calledElement);
  for (const [name, value] of Object.entries(call)) set(name, value);
  if (node.loop) drawn.set('loopCharacteristics', createLoop(node.loop as Json, drawn, definitions, create));
  if (node.triggeredByEvent === true) drawn.set('triggeredByEvent', true);
  if (node.adHoc) fillAdHoc(node.adHoc as Json, drawn, create);
  if (node.forCompensation === true) drawn.set('isForCompensation', true);
  if (node.interrupting === false) drawn.set(drawn.$type === 'bpmn:StartEvent' ? 'isInterrupting' : 'cancelActivity', false);
  const events = oneOrSeveral(node.event);
  for (const event of events) {
    const isTask = /Task$/.test(drawn.$type);
    if (isTask) drawn.set('messageRef', createRoot('Message', 'name', event.name, definitions, create));
    const definition = isTask ? undefined : createEvent(event, drawn, definitions, create);
    if (definition) drawn.get<Moddle[]>('eventDefinitions').push(definition);
    for (const name of ['timeZone', 'correlationKey', 'data', 'timeToLive', 'businessKey']) {
      if (!event[name]) continue;
      // With several definitions, each has its own value.
      if (events.length > 1) definition?.set(`stepwire:${name}`, text(event[name]));
      else set(name, event[name]);
    }
  }
  if (node.parallelMultiple === true) drawn.set('parallelMultiple', true);
  for (const name of ['startQuantity', 'completionQuantity']) if (node[name] !== undefined) drawn.set(name, node[name]);
  if (node.instantiate === true) drawn.set('instantiate', true);
  if (node.eventGatewayType === 'parallel') drawn.set('eventGatewayType', 'Parallel');
  if (node.activationCondition !== undefined)
    drawn.set('activationCondition', create('bpmn:FormalExpression', { body: text(node.activationCondition) }, drawn));
  const actions = list(node.actions).map((action) => createAction(action, create));
  if (actions.length > 0) {
    const all = create('stepwire:Actions', { values: actions });
    actions.forEach((action) => (action.$parent = all));
    extensions.push(all);
  }
  extend(drawn, extensions, create);
  return drawn;
}

function createKey({ path, required, schema }: Json, create: Create): Moddle {
  const key = create('stepwire:Key', { path: text(path), required: required === true ? 'true' : undefined });
  if (schema !== undefined && schema !== null)
    key.set('schema', create('stepwire:Schema', { body: JSON.stringify(schema) }, key));
  return key;
}

function createSchedule(schedule: Json, node: Moddle, set: (name: string, value: unknown) => unknown, create: Create): Moddle[] {
  const { when, startData } = schedule;
  ['timeZone', 'missed', 'overlap'].forEach((name) => set(name, schedule[name]));
  if (when === 'startup') set('onStartup', 'true');
  else {
    const timers = oneOrSeveral(when).map((one) => createTimer(one, node, create));
    node.get<Moddle[]>('eventDefinitions').push(...timers);
  }
  return startData && Object.keys(startData).length > 0
    ? [create('stepwire:StartData', { body: JSON.stringify(startData) })]
    : [];
}

function fillAdHoc(adHoc: Json, node: Moddle, create: Create): void {
  if (adHoc.sequential === true) node.set('ordering', 'Sequential');
  if (adHoc.cancelRemainingInstances === false) node.set('cancelRemainingInstances', false);
  const condition = text(adHoc.completionCondition);
  if (condition !== undefined)
    node.set('completionCondition', create('bpmn:FormalExpression', { body: condition }, node));
  const active = text(adHoc.activeElements);
  if (active !== undefined) node.set('stepwire:activeElements', active);
}

function createLoop({ type, ...looping }: Json, node: Moddle, definitions: Moddle, create: Create): Moddle {
  const isStandard = type === 'standard';
  const loop = create(`bpmn:${isStandard ? 'Standard' : 'MultiInstance'}LoopCharacteristics`, {}, node);
  const expression = (name: string, body: unknown) =>
    body !== undefined && body !== null && loop.set(name, create('bpmn:FormalExpression', { body: text(body) }, loop));
  if (isStandard) {
    if (looping.testBefore === true) loop.set('testBefore', true);
    if (looping.maximum !== undefined) loop.set('loopMaximum', looping.maximum);
    expression('loopCondition', looping.condition);
    return loop;
  }
  if (looping.sequential === true) loop.set('isSequential', true);
  expression('loopCardinality', looping.cardinality);
  expression('completionCondition', looping.completionCondition);
  for (const name of ['collection', 'item', 'outputKey', 'output'])
    if (looping[name] !== undefined) loop.set(`stepwire:${name}`, text(looping[name]));
  if (looping.behavior === 'complex') {
    loop.set('behavior', 'Complex');
    const complex = list(looping.complexBehavior).map(({ condition, event }) => {
      const made = create('bpmn:ComplexBehaviorDefinition', {}, loop);
      made.set('condition', create('bpmn:FormalExpression', { body: text(condition) }, made));
      const thrown = create('bpmn:ImplicitThrowEvent', {}, made);
      const events = oneOrSeveral(event).map((one) => createEvent(one, thrown, definitions, create));
      thrown.get<Moddle[]>('eventDefinitions').push(...events);
      made.set('event', thrown);
      return made;
    });
    loop.get<Moddle[]>('complexBehaviorDefinition').push(...complex);
  }
  if (looping.behavior && looping.event) {
    // BPMN requires the events thrown by iterations to be outside of the process.
    const event = createEvent(looping.event as Json, definitions, definitions, create);
    event.set('id', `${text(node.get('id'))}_event`);
    definitions.get<Moddle[]>('rootElements').push(event);
    const isOne = looping.behavior === 'one';
    loop.set('behavior', isOne ? 'One' : 'None');
    loop.set(isOne ? 'oneBehaviorEventRef' : 'noneBehaviorEventRef', event);
  }
  return loop;
}

function createTimer(when: unknown, node: Moddle, create: Create): Moddle {
  const [[kind, body] = ['cycle', '']] = Object.entries((when ?? {}) as Json);
  const definition = create('bpmn:TimerEventDefinition', {}, node);
  definition.set(
    `time${kind[0]!.toUpperCase()}${kind.slice(1)}`,
    create('bpmn:FormalExpression', { body: text(body) }, definition),
  );
  return definition;
}

function createEvent(event: Json, node: Moddle, definitions: Moddle, create: Create): Moddle {
  switch (event.type) {
    case 'error':
    case 'escalation': {
      const kind = event.type === 'error' ? 'Error' : 'Escalation';
      const thrown = create(`bpmn:${kind}EventDefinition`, {}, node);
      if (event.code !== undefined)
        thrown.set(`${kind.toLowerCase()}Ref`, createRoot(kind, `${kind.toLowerCase()}Code`, event.code, definitions, create));
      return thrown;
    }
    case 'message':
    case 'signal': {
      const kind = event.type === 'message' ? 'Message' : 'Signal';
      const referred = createRoot(kind, 'name', event.name, definitions, create);
      return create(`bpmn:${kind}EventDefinition`, { [`${kind.toLowerCase()}Ref`]: referred }, node);
    }
    case 'conditional': {
      const definition = create('bpmn:ConditionalEventDefinition', {}, node);
      definition.set('condition', create('bpmn:FormalExpression', { body: text(event.condition) }, definition));
      return definition;
    }
    case 'compensation': {
      const definition = create('bpmn:CompensateEventDefinition', {}, node);
      if (event.waitForCompletion === false) definition.set('waitForCompletion', false);
      return definition;
    }
    case 'link':
      return create('bpmn:LinkEventDefinition', { name: text(event.name) }, node);
    case 'timer':
      return createTimer(event.when, node, create);
    default:
      return create(`bpmn:${typeName(text(event.type) ?? '').slice('bpmn:'.length)}EventDefinition`, {}, node);
  }
}

/** A root element to which events refer by name or code; created once in the document. */
function createRoot(
  kind: 'Error' | 'Escalation' | 'Message' | 'Signal',
  member: string,
  value: unknown,
  definitions: Moddle,
  create: Create,
): Moddle {
  const written = text(value);
  const roots = definitions.get<Moddle[]>('rootElements');
  const found = roots.find((root) => root.$type === `bpmn:${kind}` && root.get(member) === written);
  if (found) return found;
  const made = create(`bpmn:${kind}`, { id: `${kind}_${roots.length}`, name: written, [member]: written }, definitions);
  roots.push(made);
  return made;
}

function createAction({ params, keys, restartKeys, ...attributes }: Json, create: Create): Moddle {
  const written = Object.entries(attributes).map(([name, value]) => [name, text(value)]);
  const action = create('stepwire:Action', Object.fromEntries(written));
  const put = (name: string, values: Moddle[]) => {
    values.forEach((value) => (value.$parent = action));
    action.get<Moddle[]>(name).push(...values);
  };
  const bodies = Object.entries((params ?? {}) as Json).filter(([, value]) => value !== undefined && value !== null);
  put(
    'params',
    bodies.map(([name, value]) => create('stepwire:Param', { name, body: text(value) })),
  );
  put(
    'keys',
    list(keys).map((key) => createKey(key, create)),
  );
  put(
    'restartKeys',
    (Array.isArray(restartKeys) ? restartKeys : []).map((path) => create('stepwire:RestartKey', { path: text(path) })),
  );
  return action;
}

function createFlow(
  { id, name, source, target, condition }: Json,
  nodes: Map<string, Moddle>,
  process: Moddle,
  create: Create,
): Moddle {
  const [from, to] = [nodes.get(text(source) ?? ''), nodes.get(text(target) ?? '')];
  const flow = create('bpmn:SequenceFlow', { id: text(id), name: text(name), sourceRef: from, targetRef: to }, process);
  if (condition) flow.set('conditionExpression', create('bpmn:FormalExpression', { body: text(condition) }, flow));
  from?.get<Moddle[]>('outgoing').push(flow);
  to?.get<Moddle[]>('incoming').push(flow);
  process.get<Moddle[]>('flowElements').push(flow);
  return flow;
}

function createLanes(lanes: Json[], nodes: Map<string, Moddle>, process: Moddle, create: Create): void {
  if (lanes.length === 0) return;
  const set = create('bpmn:LaneSet', { id: `${process.id}Lanes` }, process);
  process.get<Moddle[]>('laneSets').push(set);
  const drawn = new Map<string, Moddle>();
  for (const lane of lanes) {
    const created = create('bpmn:Lane', { id: text(lane.id), name: text(lane.name) });
    for (const name of ['view', 'execute', 'assign', 'hold']) {
      const roles = lane[name];
      if (Array.isArray(roles)) created.set(`stepwire:${name}`, roles.join(' '));
    }
    const members = (Array.isArray(lane.nodes) ? lane.nodes : [])
      .map((id) => nodes.get(text(id) ?? ''))
      .filter((node) => node !== undefined);
    created.get<Moddle[]>('flowNodeRef').push(...members);
    drawn.set(text(lane.id) ?? '', created);
  }
  for (const lane of lanes) {
    const created = drawn.get(text(lane.id) ?? '')!;
    const parent = drawn.get(text(lane.parent) ?? '');
    let place = set;
    if (parent) {
      place = parent.get<Moddle | undefined>('childLaneSet') ?? create('bpmn:LaneSet', { id: `${parent.id}Lanes` }, parent);
      parent.set('childLaneSet', place);
    }
    created.$parent = place;
    place.get<Moddle[]>('lanes').push(created);
  }
}
