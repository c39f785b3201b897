/**
 * The palette and the context pad by keyboard: their entries are reached with Tab and run with Enter or Space. Without a pointer, a
 * created element is placed after the selected one, or in the middle of the canvas.
 */
import { ADDED } from './palette.js';
import type { Canvas, Element, Modeling, Selection } from './types.js';

interface Services {
  get<T>(name: string): T;
}

const ENTRIES = '.djs-palette .entry, .djs-context-pad .entry';
const CREATED: Record<string, string> = {
  'create.start-event': 'bpmn:StartEvent',
  'create.end-event': 'bpmn:EndEvent',
  'create.exclusive-gateway': 'bpmn:ExclusiveGateway',
  'create.task': 'bpmn:Task',
  ...Object.fromEntries(ADDED.map(({ name, type }) => [`create.${name}`, type])),
};

export function reachable(root: HTMLElement, services: Services): void {
  const prepare = () =>
    root.querySelectorAll<HTMLElement>(ENTRIES).forEach((entry) => {
      if (entry.tabIndex === 0) return;
      entry.tabIndex = 0;
      entry.setAttribute('role', 'button');
      if (!entry.hasAttribute('aria-label')) entry.setAttribute('aria-label', entry.title || (entry.dataset.action ?? ''));
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
  const shape = services.get<{ createShape(attributes: { type: string }): unknown }>('elementFactory').createShape({ type });
  const [source] = selection.get();
  const allowed = services.get<{ allowed(rule: string, context: unknown): unknown }>('rules');
  if (source && !source.waypoints && type !== 'bpmn:StartEvent' && allowed.allowed('shape.append', { element: source })) {
    const placed = services.get<{ append(source: Element, shape: unknown): Element }>('autoPlace').append(source, shape);
    return selection.select(placed);
  }
  const canvas = services.get<Canvas>('canvas');
  const { x, y, width, height } = canvas.viewbox();
  const root = canvas.getRootElement();
  selection.select(services.get<Modeling>('modeling').createShape(shape, { x: x + width / 2, y: y + height / 2 }, root));
}
