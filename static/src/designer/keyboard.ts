/**
 * The palette and the context pad by keyboard: their entries are reached with Tab and run with Enter or Space. Without a pointer, a
 * created element is placed after the selected one, or in the middle of the canvas.
 */
import { ADDED } from './palette.js';
import type { Canvas, Element, Modeling, Selection } from './types.js';

interface Services {
  get<T>(name: string): T;
}

interface ElementFactory {
  createShape(attributes: { type: string; isExpanded?: boolean }): unknown;
  createParticipantShape(): unknown;
}

/** From the left border of a subprocess to the middle of its start event. */
const INSET = 58;
const ENTRIES = '.djs-palette .entry, .djs-context-pad .entry';
const [SUBPROCESS, PARTICIPANT] = ['bpmn:SubProcess', 'bpmn:Participant'];
/** Elements to which no flow leads. */
const ALONE = ['bpmn:StartEvent', PARTICIPANT, 'bpmn:Group'];
const CREATED: Record<string, string> = {
  'create.start-event': 'bpmn:StartEvent',
  'create.end-event': 'bpmn:EndEvent',
  'create.exclusive-gateway': 'bpmn:ExclusiveGateway',
  'create.task': 'bpmn:Task',
  'create.intermediate-event': 'bpmn:IntermediateThrowEvent',
  'create.subprocess-expanded': SUBPROCESS,
  'create.data-object': 'bpmn:DataObjectReference',
  'create.data-store': 'bpmn:DataStoreReference',
  'create.participant-expanded': PARTICIPANT,
  'create.group': 'bpmn:Group',
  ...Object.fromEntries(ADDED.map(({ name, type }) => [`create.${name}`, type])),
};

export function reachable(root: HTMLElement, services: Services): void {
  const prepare = () =>
    root.querySelectorAll<HTMLElement>(ENTRIES).forEach((entry) => {
      if (entry.tabIndex === 0) return;
      entry.tabIndex = 0;
      entry.setAttribute('role', 'button');
      const name = entry.getAttribute('aria-label') ?? (entry.title || (entry.dataset.action ?? ''));
      entry.setAttribute('aria-label', name);
      entry.title ||= name;
    });
  new MutationObserver(prepare).observe(root, { childList: true, subtree: true });
  prepare();
  root.addEventListener('keydown', (event) => {
    const entry = (event.target as HTMLElement).closest<HTMLElement>(ENTRIES);
    if (!entry || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault();
    event.stopPropagation();
    const type = CREATED[entry.dataset.action ?? ''];
    if (type && entry.closest('.djs-palette')) create(type, services);
    else entry.click();
  });
}

function create(type: string, services: Services): void {
  const selection = services.get<Selection>('selection');
  const modeling = services.get<Modeling>('modeling');
  const factory = services.get<ElementFactory>('elementFactory');
  const shape =
    type === PARTICIPANT
      ? factory.createParticipantShape()
      : factory.createShape(type === SUBPROCESS ? { type, isExpanded: true } : { type });
  const placed = place(type, shape, services);
  if (type === SUBPROCESS) {
    const { x = 0, y = 0, height = 0 } = placed;
    modeling.createShape(factory.createShape({ type: 'bpmn:StartEvent' }), { x: x + INSET, y: y + height / 2 }, placed);
  }
  selection.select(placed);
}

/** After the selected element, or in the middle of the canvas. */
function place(type: string, shape: unknown, services: Services): Element {
  const [source] = services.get<Selection>('selection').get();
  const allowed = services.get<{ allowed(rule: string, context: unknown): unknown }>('rules');
  if (source && !source.waypoints && !ALONE.includes(type) && allowed.allowed('shape.append', { element: source }))
    return services.get<{ append(source: Element, shape: unknown): Element }>('autoPlace').append(source, shape);
  const canvas = services.get<Canvas>('canvas');
  const { x, y, width, height } = canvas.viewbox();
  const middle = { x: x + width / 2, y: y + height / 2 };
  return services.get<Modeling>('modeling').createShape(shape, middle, canvas.getRootElement());
}
