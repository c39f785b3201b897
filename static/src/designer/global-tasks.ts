/**
 * Global tasks: tasks outside of processes, each deployed as a process of its own for call activities to call. BPMN has no shapes
 * for them, so they are only in the list of elements.
 */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import type { Model } from './model.js';
import type { Element, Moddle } from './types.js';

const KINDS: readonly (readonly [type: string, label: string])[] = [
  ['bpmn:GlobalUserTask', 'A user task'],
  ['bpmn:GlobalScriptTask', 'A script task'],
  ['bpmn:GlobalBusinessRuleTask', 'A business rule task'],
  ['bpmn:GlobalManualTask', 'A manual task'],
  ['bpmn:GlobalTask', 'A task'],
];
const elements = new WeakMap<Moddle, Element>();

/** Whether an element is a global task. */
export function isGlobalTask({ type }: Element): boolean {
  return /^bpmn:Global\w*Task$/.test(type);
}

/** The global tasks of the document, as elements that are not on a canvas. */
export function globalTasks(model: Model): Element[] {
  const roots = model.definitions.get<Moddle[]>('rootElements');
  return roots.filter(({ $type }) => KINDS.some(([type]) => type === $type)).map(elementOf);
}

/** The id of the first deployed part of a file: a process, or a global task if there is no executable process. */
export function firstDeployed(model: Model): string {
  const [first] = model.processes();
  if (first?.get('isExecutable')) return first.id ?? '';
  return globalTasks(model)[0]?.id ?? first?.id ?? '';
}

function elementOf(businessObject: Moddle): Element {
  const known = elements.get(businessObject);
  if (known) return known;
  const element: Element = {
    get id() {
      return businessObject.id ?? '';
    },
    type: businessObject.$type,
    businessObject,
  };
  elements.set(businessObject, element);
  return element;
}

/** A button that adds a global task. `show` selects it. */
export function addGlobalTask(editing: Editing, show: (id: string) => void): HTMLElement[] {
  const { model, element } = editing;
  const count = globalTasks(model).length;
  const add = (type: string) => {
    const task = model.create(type, {}, model.definitions);
    const rootElements = [...model.definitions.get<Moddle[]>('rootElements'), task];
    model.change(element, { moddle: model.definitions, properties: { rootElements } });
    show(task.id ?? '');
  };
  const there = count === 0 ? '' : ` The list of elements has the ${count === 1 ? 'one' : count} of this document.`;
  return [
    drawing(editing)({
      kind: 'select',
      name: 'addGlobalTask',
      label: 'Add a global task',
      value: '',
      options: [['', 'Choose…'], ...KINDS],
      hint: `A task beside the process, deployed as a process of its own that call activities call.${there}`,
      commit: (type) => type && add(type),
    }),
  ];
}

/** A button that removes a global task from the document. */
export function removeGlobalTask({ model, element, redraw }: Editing): HTMLElement[] {
  const remove = () => {
    const rootElements = model.definitions.get<Moddle[]>('rootElements').filter((one) => one !== element.businessObject);
    model.change(element, { moddle: model.definitions, properties: { rootElements } });
    redraw();
  };
  return [h('button', { type: 'button', class: 'button compact', 'data-focus': 'global/remove', onclick: remove }, 'Remove this global task')];
}
