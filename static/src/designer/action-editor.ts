/**
 * The action editor: the actions of a node, each with the fields that apply to it, by their names and in their order: Name, Order,
 * Timer expression, Action type, Trigger type, Required type, Repeatable, Autorun children, Allow BACK, then what its type needs
 * (Message type, Message, Target process), then Data to send → Keys.
 */
import { h } from '../dom.js';
import { messageCheck, PARAMS, type Param, TYPE_LABELS } from './action-types.js';
import { durationInWords, isDuration, isName, isPath, isWholeNumber } from './checks.js';
import { completePaths } from './completion.js';
import { drawField, type Field, type Pending } from './fields.js';
import { drawKeys } from './key-editor.js';
import type { Model } from './model.js';
import { nextTimes, tryOut } from './try-out.js';
import type { Element, Moddle } from './types.js';

/** What a panel provides to the editor of one of its parts. */
export interface Editing {
  model: Model;
  element: Element;
  pending: Pending;
  paths: readonly string[];
  /** Whether the user may change the model, and try parts of it. */
  mayEdit: boolean;
  /** Draws the panel again, as other fields apply now; then moves the focus to the field with this name, if given. */
  redraw: (to?: string) => void;
  /** Prefix of the names of fields, if an element has several of a kind. */
  prefix?: string;
}

const OPEN = new WeakSet<Moddle>();
/** The Action message that asks the frontend to start a process. */
const START_MESSAGE = {
  processName: 'demoProcess',
  type: 'START_PROCESS_INHERIT',
  clientDataKeys: [],
  params: { startCondition: '${startCondition}', paramsToCopy: [] },
};

/** Opens an action, so that it is visible when the panel is drawn next. */
export function openAction(action: Moddle): void {
  OPEN.add(action);
}

export function drawActions(editing: Editing): HTMLElement {
  const { model, element, redraw } = editing;
  const actions = model.actions(element.businessObject);
  const add = () => {
    const order = 1 + Math.max(0, ...actions.map((action) => Number(action.get('order')) || 0));
    const action = create(model, freeName(actions, 'action'), order);
    openAction(action);
    model.setActions(element, [...actions, action]);
    redraw(`action/${actions.length}/name`);
  };
  const button = h(
    'button',
    { type: 'button', class: 'button compact', 'data-focus': 'actions/add', 'data-testid': 'add-action', onclick: add },
    'Add an action',
  );
  return h('div', { class: 'actions' }, ...actions.map((action, index) => drawAction(editing, actions, action, index)), button);
}

/** Every attribute is written, so that a file is explicit. */
function create(model: Model, name: string, order: number): Moddle {
  const param = (name: string, body: string) => model.create('stepwire:Param', { name, body });
  const params = [param('messageType', 'default'), param('message', '{}'), param('target', 'active')];
  const attributes = { name, order: String(order), type: 'websocketSend', trigger: 'automatic', required: 'mandatory' };
  const action = model.create('stepwire:Action', { ...attributes, params });
  params.forEach((one) => (one.$parent = action));
  return action;
}

function freeName(actions: readonly Moddle[], stem: string): string {
  const names = new Set(actions.map((action) => action.get<string>('name')));
  for (let number = actions.length + 1; ; number++) if (!names.has(`${stem}${number}`)) return `${stem}${number}`;
}

function drawAction(editing: Editing, actions: readonly Moddle[], action: Moddle, index: number): HTMLElement {
  const { model, element, redraw } = editing;
  const name = action.get<string | undefined>('name') ?? '';
  const label = TYPE_LABELS.find(([value]) => value === action.get('type'))?.[1] ?? action.get<string>('type') ?? 'no type';
  const trigger = isManual(action) ? 'manual' : 'automatic';
  const head = h(
    'summary',
    { 'data-focus': `action/${index}` },
    h('strong', {}, name || '(no name)'),
    h('span', { class: 'muted small' }, `${label}, ${trigger}`),
  );
  const remove = () => {
    model.setActions(
      element,
      actions.filter((one) => one !== action),
    );
    redraw();
  };
  const copy = () => {
    const twin = clone(model, action);
    twin.set('name', freeName(actions, `${name}-`));
    twin.set('order', String(1 + Math.max(...actions.map((one) => Number(one.get('order')) || 0))));
    openAction(twin);
    model.setActions(element, [...actions, twin]);
    redraw(`action/${actions.length}/name`);
  };
  const button = (text: string, run: () => void) =>
    h(
      'button',
      {
        type: 'button',
        class: 'button quiet compact',
        'data-focus': `action/${index}/${text}`,
        'aria-label': `${text} action ${name}`,
        onclick: run,
      },
      text,
    );
  const body = h('div', { class: 'fields' });
  const details = h(
    'details',
    { class: 'action', 'data-action': name, 'data-testid': 'action', open: OPEN.has(action) },
    head,
    body,
  );
  const fill = () =>
    body.replaceChildren(
      ...drawFields(editing, actions, action, index),
      h('div', { class: 'row' }, button('Duplicate', copy), button('Delete', remove)),
    );
  // Hidden fields are not created: a node may have hundreds of actions.
  if (OPEN.has(action)) fill();
  details.addEventListener('toggle', () => {
    if (!details.open) return OPEN.delete(action);
    if (!OPEN.has(action)) fill();
    return OPEN.add(action);
  });
  return details;
}

function clone(model: Model, moddle: Moddle): Moddle {
  const copied = model.create(moddle.$type);
  for (const property of (moddle as unknown as { $descriptor: { properties: { name: string; isMany?: boolean }[] } }).$descriptor
    .properties) {
    const value = moddle.get<unknown>(property.name);
    const copy = (one: unknown) =>
      typeof one === 'object' && one !== null && '$type' in one ? adopt(copied, clone(model, one as Moddle)) : one;
    if (Array.isArray(value)) copied.get<unknown[]>(property.name).push(...value.map(copy));
    else if (value !== undefined) copied.set(property.name, copy(value));
  }
  return copied;
}

function adopt(parent: Moddle, child: Moddle): Moddle {
  child.$parent = parent;
  return child;
}

/** A field for a duration, with the time at which it would end if it began now. */
function timed({ mayEdit }: Editing, field: HTMLElement): HTMLElement {
  if (mayEdit) nextTimes(field, (text) => (isDuration(text) ? undefined : { when: { duration: text } }));
  return field;
}

function isManual(action: Moddle): boolean {
  return action.get('trigger') === 'manual';
}

function isTrue(action: Moddle, name: string, absent = false): boolean {
  const value = action.get<string | undefined>(name);
  return value === undefined ? absent : value === 'true' || value === '1';
}

function drawFields(editing: Editing, actions: readonly Moddle[], action: Moddle, index: number): HTMLElement[] {
  const { model, element, pending, paths, redraw } = editing;
  const place = `action/${index}`;
  const manual = isManual(action);
  const allowsBack = isTrue(action, 'allowBack');
  const text = (name: string) => action.get<string | undefined>(name) ?? '';
  const set = (properties: Record<string, string | undefined>, again = false) => {
    model.set(element, action, properties);
    if (again) redraw();
  };
  const flag = (name: string, label: string, hint?: string, absent = false): Field => ({
    kind: 'flag',
    name,
    label,
    hint,
    value: isTrue(action, name, absent),
    commit: (value) => set({ [name]: value === absent ? undefined : String(value) }, true),
  });
  const field = (part: Field) => drawField({ ...part, name: `${place}/${part.name}` } as Field, pending);
  const taken = (name: string) =>
    actions.some((one) => one !== action && one.get('name') === name)
      ? `expected each name once in a node, but ${name} is another action, too; rename one`
      : undefined;
  const drawn = [
    field({
      kind: 'text',
      name: 'name',
      label: 'Name',
      value: text('name'),
      check: (value) => isName(value) ?? taken(value),
      commit: (name) => rename(editing, actions, action, name),
    }),
    field({
      kind: 'text',
      name: 'order',
      label: 'Order',
      value: text('order') || '0',
      check: isWholeNumber,
      commit: (order) => set({ order }),
    }),
    timed(editing, field({
      kind: 'text',
      name: 'timer',
      label: 'Timer expression',
      value: text('timer'),
      placeholder: 'PT30S',
      hint: 'An ISO 8601 duration between the trigger and the work.',
      check: isDuration,
      reading: durationInWords,
      commit: (timer) => set({ timer }, !manual),
    })),
    field({
      kind: 'select',
      name: 'type',
      label: 'Action type',
      value: text('type'),
      options: TYPE_LABELS,
      commit: (type) => retype(editing, action, type),
    }),
    field({
      kind: 'select',
      name: 'trigger',
      label: 'Trigger type',
      value: text('trigger') || 'automatic',
      options: [
        ['automatic', 'Automatic'],
        ['manual', 'Manual'],
      ],
      commit: (trigger) => retrigger(editing, action, trigger),
    }),
    field({
      kind: 'select',
      name: 'required',
      label: 'Required type',
      value: text('required') || 'mandatory',
      options:
        manual || text('required') === 'optional'
          ? [
              ['mandatory', 'Mandatory'],
              ['optional', 'Optional'],
            ]
          : [['mandatory', 'Mandatory']],
      hint: manual ? undefined : 'Automatic actions are mandatory.',
      commit: (required) => set({ required }),
    }),
    field(flag('repeatable', 'Repeatable', 'It may run more than once.')),
    field(flag('autorunChildren', 'Autorun children', 'Its mandatory automatic children run after it.')),
  ];
  const parents = actions
    .filter((one) => one !== action && !one.get('parent'))
    .map((one) => [one.get<string>('name'), one.get<string>('name')] as const);
  if (parents.length > 0 || text('parent')) {
    drawn.push(
      field({
        kind: 'select',
        name: 'parent',
        label: 'Parent action',
        value: text('parent'),
        options: [['', 'None'], ...parents],
        commit: (parent) => set({ parent }),
      }),
    );
  }
  if (!manual && (text('timer') || !isTrue(action, 'holdsToken', true))) {
    drawn.push(field(flag('holdsToken', 'Holds the token', 'The node waits until the timer has run.', true)));
  }
  if (manual) {
    const back = field(flag('allowBack', 'Allow BACK on this action', 'It may run after the token has left, and takes the token back.'));
    const more = [
      field(flag('restartFromSnapshot', 'Restart from snapshot', 'Going back restores the data from before its first run.')),
      drawRestartKeys(editing, action, place),
    ];
    drawn.push(h('fieldset', { class: 'group' }, h('legend', {}, 'Back in steps'), back, ...(allowsBack ? more : [])));
  }
  drawn.push(...drawParams(editing, action, place));
  if (manual) {
    const keys = action.get<Moddle[]>('keys');
    const replace = (wanted: Moddle[], to?: string) => {
      wanted.forEach((key) => (key.$parent = action));
      model.change(element, { moddle: action, properties: { keys: wanted } });
      redraw(to);
    };
    const list = drawKeys({ model, element, keys, name: `${place}/keys`, pending, paths, replace, redraw });
    const strict = field(flag('strictKeys', 'Strict keys', 'Data that no key covers refuse the run instead of being ignored.'));
    drawn.push(
      h(
        'fieldset',
        { class: 'group' },
        h('legend', {}, 'Data to send'),
        h('p', { class: 'label' }, 'Keys'),
        list,
        ...(keys.length > 0 ? [strict] : []),
      ),
    );
  }
  return drawn;
}

/** Its children keep it as their parent. */
function rename({ model, element }: Editing, actions: readonly Moddle[], action: Moddle, name: string): void {
  const former = action.get('name');
  const children = former ? actions.filter((one) => one.get('parent') === former) : [];
  model.change(
    element,
    { moddle: action, properties: { name } },
    ...children.map((child) => ({ moddle: child, properties: { parent: name } })),
  );
}

/** Parameters of the new type keep their values; the others are removed. */
function retype({ model, element, redraw }: Editing, action: Moddle, type: string): void {
  const wanted = new Set((PARAMS[type] ?? []).map(({ name }) => name));
  const gone = action
    .get<Moddle[]>('params')
    .map((param) => param.get<string>('name'))
    .filter((name) => !wanted.has(name));
  const values = Object.fromEntries(gone.map((name) => [name, '']));
  const added: Record<string, string> = type === 'websocketSend' ? { messageType: 'default', target: 'active' } : {};
  model.setParams(element, action, { ...values, ...added }, { type });
  redraw();
}

/** Parameters of manual actions are removed when an action becomes automatic. */
function retrigger({ model, element, redraw }: Editing, action: Moddle, trigger: string): void {
  const none = undefined;
  const properties =
    trigger === 'manual'
      ? { trigger, holdsToken: none }
      : {
          trigger,
          required: 'mandatory',
          allowBack: none,
          restartFromSnapshot: none,
          restartKeys: [],
          keys: [],
          strictKeys: none,
        };
  model.change(element, { moddle: action, properties });
  redraw();
}

function drawRestartKeys({ model, element, pending }: Editing, action: Moddle, place: string): HTMLElement {
  const paths = action.get<Moddle[]>('restartKeys').map((key) => key.get<string>('path'));
  const commit = (value: string) => {
    const wanted = value
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((path) => model.create('stepwire:RestartKey', { path }, action));
    model.change(element, { moddle: action, properties: { restartKeys: wanted } });
  };
  const check = (value: string) =>
    value
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(isPath)
      .find(Boolean);
  return drawField(
    {
      kind: 'text',
      name: `${place}/restartKeys`,
      label: 'Restart keys',
      value: paths.join(', '),
      placeholder: 'client.email, client.phone',
      hint: 'Paths whose values are kept when the data are restored.',
      check,
      commit,
    },
    pending,
  );
}

function drawParams({ model, element, pending, paths, mayEdit, redraw }: Editing, action: Moddle, place: string): HTMLElement[] {
  const value = (name: string) => model.param(action, name);
  const set = (param: Param, text: string) => model.setParams(element, action, { [param.name]: text });
  const draw = (param: Param): HTMLElement => {
    const { name, label, hint, kind, placeholder, options = [], absent = '' } = param;
    const common = { name: `${place}/${name}`, label, hint };
    if (kind === 'flag') {
      const commit = (is: boolean) => {
        set(param, String(is));
        redraw();
      };
      return drawField({ ...common, kind, value: (value(name) || absent) === 'true', commit }, pending);
    }
    const check = name === 'message' && !param.check ? messageCheck(value('messageType')) : param.check;
    if (kind === 'select') {
      const commit = (text: string) => {
        set(param, text);
        redraw();
      };
      return drawField({ ...common, kind, value: value(name) || absent, options, commit }, pending);
    }
    const rows = name === 'message' || name === 'script' ? 5 : 2;
    const drawn = drawField(
      { ...common, kind, value: value(name), placeholder, rows, check, commit: (text) => set(param, text) },
      pending,
    );
    if (kind === 'template' && name !== 'script') completePaths(drawn, () => paths);
    if (name === 'message' && value('messageType') === 'action') {
      const insert = () => {
        set(param, JSON.stringify(START_MESSAGE, null, 2));
        redraw();
      };
      const attributes = { type: 'button', class: 'button quiet compact', 'data-focus': `${place}/start`, onclick: insert };
      drawn.append(h('button', attributes, 'Insert the message that starts a process'));
    }
    if (name === 'message' && mayEdit) tryOut(drawn, 'message', model.processes()[0]?.id ?? '', paths, `${place}/preview`);
    return drawn;
  };
  return (PARAMS[action.get<string>('type')] ?? []).filter(({ applies }) => !applies || applies(value)).map(draw);
}
