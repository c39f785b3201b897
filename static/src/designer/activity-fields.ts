/** Fields of every activity: loops, inputs and outputs, compensation. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute, drawing } from './attributes.js';
import { isJsonTemplate, isPath, isQuantity, isRequired, isWholeNumber } from './checks.js';
import { completePaths } from './completion.js';
import { behaviorFields } from './loop-behavior.js';
import { tryOut } from './try-out.js';
import type { Element, Moddle, Modeling } from './types.js';

const MULTIPLE = 'bpmn:MultiInstanceLoopCharacteristics';
const STANDARD = 'bpmn:StandardLoopCharacteristics';
const LOOPS: [string, string][] = [
  ['', 'Once'],
  ['parallel', 'Several times, all at once'],
  ['sequential', 'Several times, one after the other'],
  ['standard', 'Again while a condition is true'],
];

/** Whether an element is an activity: a task, a call activity or a subprocess. */
export function isActivity({ type, businessObject }: Element): boolean {
  return /^bpmn:(?!Global)\w*(Task|Activity|SubProcess|Transaction)$/.test(type) && !businessObject.get('triggeredByEvent');
}

/** How many tokens start an activity, and how many leave it. */
export function quantityFields(editing: Editing): HTMLElement[] {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const field = (name: string, label: string, hint: string) =>
    drawing(editing)({
      kind: 'text',
      name,
      label,
      hint,
      value: String(moddle.get<number>(name)),
      check: isQuantity,
      strict: true,
      commit: (text) => model.change(element, { moddle, properties: { [name]: Number(text.trim() || 1) } }),
    });
  return [
    field('startQuantity', 'Start quantity', 'How many tokens have to come, by whichever flows, before it begins; 1 as a rule.'),
    field('completionQuantity', 'Completion quantity', 'How many tokens leave it by each flow that is taken; 1 as a rule.'),
  ];
}

/** How often an activity runs. */
export function loopFields(editing: Editing): HTMLElement[] {
  const { model, element, redraw } = editing;
  const moddle = element.businessObject;
  const loop = moddle.get<Moddle | undefined>('loopCharacteristics');
  const own = moddle.get<string | undefined>('stepwire:collection');
  const kind = loop?.$type === STANDARD ? 'standard' : loop?.get('isSequential') ? 'sequential' : loop || own ? 'parallel' : '';
  const choose = (wanted: string) => {
    // Values that both kinds of loops have are kept.
    const kept = loop?.$type === MULTIPLE && wanted !== 'standard' && wanted !== '';
    if (kept) model.change(element, { moddle: loop, properties: { isSequential: wanted === 'sequential' } });
    else {
      const made = wanted && model.create(wanted === 'standard' ? STANDARD : MULTIPLE, wanted === 'sequential' ? { isSequential: true } : {}, moddle);
      const cleared = { 'stepwire:collection': undefined, 'stepwire:item': undefined };
      model.change(element, { moddle, properties: { loopCharacteristics: made || undefined, ...(wanted === 'parallel' ? {} : cleared) } });
    }
    redraw();
  };
  const select = drawing(editing)({ kind: 'select', name: 'loop', label: 'Runs', value: kind, options: LOOPS, commit: choose });
  if (kind === '') return [select];
  if (kind === 'standard') return [select, ...standardFields(editing, loop!)];
  return [select, ...multipleFields(editing, loop)];
}

function expressionField(editing: Editing, loop: Moddle, name: string, label: string, hint: string, placeholder: string): HTMLElement {
  const { model, element } = editing;
  return drawing(editing)({
    kind: name === 'loopCardinality' ? 'text' : 'template',
    rows: 2,
    name,
    label,
    hint,
    placeholder,
    value: loop.get<Moddle | undefined>(name)?.get<string | undefined>('body') ?? '',
    commit: (body: string) => {
      const expression = body.trim() ? model.create('bpmn:FormalExpression', { body }, loop) : undefined;
      model.change(element, { moddle: loop, properties: { [name]: expression } });
    },
  });
}

function withTryOut(editing: Editing, drawn: HTMLElement, name: string): HTMLElement {
  completePaths(drawn, () => editing.paths);
  if (editing.mayEdit) tryOut(drawn, 'condition', editing.model.processes()[0]?.id ?? '', editing.paths, `try/${name}`);
  return drawn;
}

/** A file may have collection and item at the activity itself, with or without a marker. */
function multipleFields(editing: Editing, marker: Moddle | undefined): HTMLElement[] {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const at = (name: string) => (moddle.get<string | undefined>(`stepwire:${name}`) || !marker ? moddle : marker);
  const collection = attribute(editing, at('collection'), 'collection', {
    label: 'Collection',
    placeholder: 'order.lines',
    hint: 'A path of a list: once for each of its items.',
    check: isPath,
  });
  const item = attribute(editing, at('item'), 'item', {
    label: 'Item',
    placeholder: 'item',
    hint: 'The variable for the item; by default item.',
    check: isPath,
  });
  if (!marker) {
    // The first of its other fields creates the marker.
    const add = () => {
      model.change(element, { moddle, properties: { loopCharacteristics: model.create(MULTIPLE, {}, moddle) } });
      editing.redraw();
    };
    const button = h('button', { type: 'button', class: 'button compact', 'data-focus': 'loop/more', onclick: add }, 'More fields');
    return [collection, item, button];
  }
  const completion = expressionField(
    editing,
    marker,
    'completionCondition',
    'Completion condition',
    'When it is true after an iteration, the remaining ones are left out. It may use numberOfCompletedInstances and the other counters.',
    '${numberOfCompletedInstances >= 2}',
  );
  return [
    collection,
    item,
    expressionField(editing, marker, 'loopCardinality', 'Cardinality', 'How many times, instead of a collection: a number or ${…}.', '3'),
    withTryOut(editing, completion, 'completionCondition'),
    attribute(editing, marker, 'outputKey', {
      label: 'Result list',
      placeholder: 'answers',
      hint: 'The path for the results of all iterations, in the order of the items.',
      check: isPath,
    }),
    attribute(editing, marker, 'output', {
      label: 'Result of an iteration',
      kind: 'template',
      placeholder: '${answer}',
      hint: 'A JSON template over its data.',
      check: isJsonTemplate,
    }),
    ...behaviorFields(editing, marker),
  ];
}

function standardFields(editing: Editing, loop: Moddle): HTMLElement[] {
  const { model, element } = editing;
  const draw = drawing(editing);
  const condition = expressionField(editing, loop, 'loopCondition', 'Loop condition', 'It runs again while this is true.', '${order.open}');
  return [
    withTryOut(editing, condition, 'loopCondition'),
    draw({
      kind: 'flag',
      name: 'testBefore',
      label: 'Test before',
      hint: 'The condition is also evaluated before the first iteration.',
      value: loop.get<boolean | undefined>('testBefore') === true,
      commit: (is) => model.change(element, { moddle: loop, properties: { testBefore: is || undefined } }),
    }),
    draw({
      kind: 'text',
      name: 'loopMaximum',
      label: 'Maximum',
      placeholder: '10',
      hint: 'The maximum number of iterations.',
      value: loop.get<number | undefined>('loopMaximum')?.toString() ?? '',
      check: isWholeNumber,
      strict: true,
      commit: (text) => model.change(element, { moddle: loop, properties: { loopMaximum: text.trim() ? Number(text) : undefined } }),
    }),
  ];
}

/** The inputs and outputs of an activity or event. */
export function mappingFields(editing: Editing): HTMLElement[] {
  return [mappings(editing, 'Input'), mappings(editing, 'Output')];
}

function mappings(editing: Editing, kind: 'Input' | 'Output'): HTMLElement {
  const { model, element, paths, redraw } = editing;
  const type = `stepwire:${kind}`;
  const moddle = element.businessObject;
  const all = model.extensions(moddle, type);
  const word = kind.toLowerCase();
  const replace = (wanted: Moddle[]) => {
    model.setExtensions(element, moddle, type, wanted);
    redraw();
  };
  const draw = drawing(editing);
  const rows = all.map((mapping, index) => {
    const name = (part: string) => `${word}s/${index}/${part}`;
    // A template is easier to write as the text of the element; the form in a file is kept.
    const place = mapping.get<string | undefined>('body')?.trim() ? 'body' : 'source';
    const source = draw({
      kind: 'template',
      rows: 2,
      name: name('source'),
      label: 'Source',
      placeholder: '${order.item}',
      hint: kind === 'Input' ? 'A template or an expression over the data around the element.' : 'A template or an expression over the data of the element.',
      value: mapping.get<string | undefined>(place) ?? '',
      check: isRequired,
      commit: (text) => model.set(element, mapping, { [place]: text }),
    });
    completePaths(source, () => paths);
    const target = draw({
      kind: 'text',
      name: name('target'),
      label: 'Target',
      placeholder: kind === 'Input' ? 'item' : 'order.result',
      hint: kind === 'Input' ? 'A variable of the element.' : 'A path of the data around the element.',
      value: mapping.get<string | undefined>('target') ?? '',
      check: (text) => isRequired(text) ?? isPath(text),
      suggestions: paths,
      commit: (text) => model.set(element, mapping, { target: text }),
    });
    const ifSet =
      kind === 'Output' &&
      draw({
        kind: 'flag',
        name: name('ifSet'),
        label: 'Only if set',
        hint: 'Nothing is written when the value is missing or null.',
        value: /^(true|1)$/.test(mapping.get<string | undefined>('ifSet') ?? ''),
        commit: (set) => model.set(element, mapping, { ifSet: set ? 'true' : undefined }),
      });
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'button quiet compact',
        'data-focus': name('remove'),
        'aria-label': `Remove ${word} ${index + 1}`,
        onclick: () => replace(all.filter((one) => one !== mapping)),
      },
      'Remove',
    );
    return h('fieldset', { class: 'key' }, h('legend', { class: 'visually-hidden' }, `${kind} ${index + 1}`), source, target, ifSet, remove);
  });
  const add = () => replace([...all, model.create(type, { source: '', target: '' })]);
  const button = h('button', { type: 'button', class: 'button compact', 'data-focus': `${word}s/add`, onclick: add }, `Add an ${word}`);
  const hint =
    kind === 'Input'
      ? 'Variables of its own, filled when it begins.'
      : 'Values written back when it completes. With outputs nothing else is written.';
  return h('fieldset', { class: 'group' }, h('legend', {}, `${kind}s`), h('p', { class: 'hint' }, hint), ...rows, button);
}

/** Whether it runs only to compensate another activity. */
export function forCompensation(editing: Editing): HTMLElement {
  const { model, element, redraw } = editing;
  return drawing(editing)({
    kind: 'flag',
    name: 'isForCompensation',
    label: 'For compensation',
    hint: 'It runs only to compensate an activity: connect the compensation boundary event of that activity to it.',
    value: element.businessObject.get<boolean | undefined>('isForCompensation') === true,
    commit: (is) => {
      model.service<Modeling>('modeling').updateProperties(element, { isForCompensation: is });
      redraw();
    },
  });
}
