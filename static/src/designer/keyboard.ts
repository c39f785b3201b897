/**
 * The palette and the context pad by keyboard: their entries are reached with Tab and run with Enter or Space. Without a pointer, a
 * created element is placed after the selected one, after the only open end of what is drawn, or where the canvas is free, and a
 * copied one below its original.
 */
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { ADDED } from './palette.js';
import type { Box, Canvas, Element, EventBus, Moddle, Modeling, Registry, Selection } from './types.js';

interface Services {
  get<T>(name: string): T;
}

interface ElementFactory {
  createShape(attributes: { type: string; isExpanded?: boolean }): unknown;
  createParticipantShape(): unknown;
}

interface Point {
  x: number;
  y: number;
}
/** A copied element; a flow has no place. */
interface Copied extends Box {
  /** That of its original. */
  id: string;
  businessObject?: Moddle;
}
interface Paste {
  /** The copied elements, by their depth. */
  tree?: Record<number, Copied[]>;
  point?: Point;
}
interface Created {
  context: { elements: Element[]; hints?: { isBeside?: boolean } };
}

/** From the left border of a subprocess to the middle of its start event. */
const INSET = 58;
const ENTRIES = '.djs-palette .entry, .djs-context-pad .entry';
const [SUBPROCESS, PARTICIPANT] = ['bpmn:SubProcess', 'bpmn:Participant'];
/** Elements that may be around others. */
const ENCLOSING = [PARTICIPANT, 'bpmn:Group'];
/** Between elements that are not connected. */
const GAP = 20;
const DATA = ['bpmn:DataObjectReference', 'bpmn:DataStoreReference'];
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

/** The keys of the designer that work outside of the canvas, too, which has its own for undo and redo. */
export function shortcuts(canvas: HTMLElement, { save, step }: { save: () => void; step: (way: 'undo' | 'redo') => void }): void {
  document.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const letter = event.key.toLowerCase();
    if (letter === 's') {
      event.preventDefault();
      return save();
    }
    const inText = (event.target as HTMLElement).matches('input, textarea, select, [contenteditable]');
    if (inText || event.defaultPrevented || canvas.contains(event.target as Node)) return;
    if (letter === 'z' || letter === 'y') {
      event.preventDefault();
      step(letter === 'y' || event.shiftKey ? 'redo' : 'undo');
    }
  });
}

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

/** What is pasted follows no pointer: it is placed below its original, and selected. */
export function pasteBeside(services: Services): void {
  const bus = services.get<EventBus>('eventBus');
  const hints = { isBeside: true };
  bus.on<Paste>('copyPaste.pasteElements', (event) => {
    const copied = (event.tree?.[0] ?? []).filter(({ x }) => x !== undefined);
    if (event.point || copied.length === 0) return;
    const box = around(copied);
    const canvas = services.get<Canvas>('canvas');
    const origin = services.get<Registry>('elementRegistry').get(copied[0]!.id)?.parent;
    const isShown = origin && (canvas.findRoot(origin) ?? origin) === canvas.getRootElement();
    const home = isShown ? origin : homeOf(copied[0]!.businessObject?.$type ?? '', services.get<Selection>('selection').get()[0], services);
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const wanted = isShown ? { x: middle.x, y: middle.y + box.height + GAP } : middleOf(home, services);
    const place = below(wanted, box, home, services);
    const { y: top = 0, height = 0 } = home;
    // The border of a pool or a subprocess stays where it is.
    const isInside = !home.parent || place.y + box.height / 2 < top + height;
    const point = isInside ? place : { x: middle.x + GAP, y: middle.y + GAP };
    Object.assign(event, { element: home, point, hints });
  });
  bus.on<Created>('commandStack.elements.create.postExecuted', ({ context }) => {
    if (!context.hints?.isBeside) return;
    const inner = new Set(context.elements);
    const isPasted = ({ parent, host, waypoints, labelTarget }: Element) => !waypoints && !labelTarget && !inner.has(parent!) && !inner.has(host!);
    services.get<Selection>('selection').select(context.elements.filter(isPasted));
  });
}

/** The box around these shapes. */
function around(shapes: readonly Copied[]): Box {
  const [x, y] = [Math.min(...shapes.map(({ x }) => x)), Math.min(...shapes.map(({ y }) => y))];
  const right = Math.max(...shapes.map(({ x, width }) => x + width));
  return { x, y, width: right - x, height: Math.max(...shapes.map(({ y, height }) => y + height)) - y };
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

/** After the selected element or the open end, or where its home is free. */
function place(type: string, shape: unknown, services: Services): Element {
  const [selected] = services.get<Selection>('selection').get();
  const home = homeOf(type, selected, services);
  const source = selected && continues(selected) ? selected : DATA.includes(type) ? undefined : openEnd(home, services);
  if (source && !ALONE.includes(type)) return services.get<{ append(source: Element, shape: unknown): Element }>('autoPlace').append(source, shape);
  return services.get<Modeling>('modeling').createShape(shape, free(type, shape as Box, home, services), home);
}

/** The canvas or, where that has pools, one of them. */
function homeOf(type: string, selected: Element | undefined, services: Services): Element {
  const root = services.get<Canvas>('canvas').getRootElement();
  if (root.type !== 'bpmn:Collaboration' || ENCLOSING.includes(type)) return root;
  if (selected?.type === PARTICIPANT) return selected;
  return services.get<Registry>('elementRegistry').filter((element) => element.type === PARTICIPANT)[0] ?? root;
}

function continues({ businessObject, labelTarget }: Element): boolean {
  return !labelTarget && is(businessObject, 'bpmn:FlowNode') && !is(businessObject, 'bpmn:EndEvent');
}

/** The only node of the home from which no flow leaves yet. */
function openEnd(home: Element, services: Services): Element | undefined {
  const nodes = services.get<Registry>('elementRegistry').filter((element) => element.parent === home && continues(element));
  const ends = nodes.filter(({ businessObject }) => !businessObject.get<Moddle[] | undefined>('outgoing')?.length);
  return ends.length === 1 ? ends[0] : undefined;
}

/** The middle or, where that is taken, a place below. What encloses others may be around them. */
function free(type: string, box: Box, home: Element, services: Services): Point {
  const middle = middleOf(home, services);
  return ENCLOSING.includes(type) ? middle : below(middle, box, home, services);
}

/** The middle of a pool or else of what is seen. */
function middleOf(home: Element, services: Services): Point {
  const { x = 0, y = 0, width = 0, height = 0 } = home.type === PARTICIPANT ? home : services.get<Canvas>('canvas').viewbox();
  return { x: x + width / 2, y: y + height / 2 };
}

/** This place or, where it is taken, the next below that is free. */
function below(wanted: Point, { width, height }: Box, home: Element, services: Services): Point {
  const shapes = services
    .get<Registry>('elementRegistry')
    .filter(({ parent, waypoints, type }) => parent === home && !waypoints && type !== 'bpmn:Lane');
  const meets = (at: Point) =>
    shapes.find(({ x: left = 0, y: top = 0, width: wide = 0, height: high = 0 }) => {
      const across = Math.abs(left + wide / 2 - at.x) < (wide + width) / 2 + GAP;
      return across && Math.abs(top + high / 2 - at.y) < (high + height) / 2 + GAP;
    });
  const place = { ...wanted };
  for (let taken = meets(place); taken; taken = meets(place)) place.y = (taken.y ?? 0) + (taken.height ?? 0) + GAP + height / 2;
  return place;
}
