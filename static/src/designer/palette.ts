/**
 * The palette, the context pad and the menu of kinds, narrowed to what runs here. What the server refuses anyway need not be drawn
 * first; models that hold such elements are opened and kept as they are.
 */
import type { Element, Modeling } from './types.js';

interface Entry {
  group?: string;
  className?: string;
  title?: string;
  action?: unknown;
}
type Entries = Record<string, Entry>;
type Narrow = (entries: Entries) => Entries;
interface Menu {
  registerProvider(id: string, priority: number, provider: unknown): void;
}
interface Pad {
  registerProvider(priority: number, provider: unknown): void;
}
interface Create {
  start(event: Event, shape: unknown): void;
}
interface Place {
  append(source: unknown, shape: unknown): unknown;
}
interface ElementFactory {
  createShape(attributes: { type: string; eventDefinitionType?: string }): unknown;
}

/** Runs after the providers of bpmn-js. */
const LATE = 400;
/** Kinds of events that run, as the menu calls them; other events are other kinds there. */
const EVENTS = [
  'none-start',
  'timer-start',
  'message-start',
  'signal-start',
  'none-end',
  'error-end',
  'escalation-end',
  'compensation-end',
  'cancel-end',
  'terminate-end',
  'message-end',
  'signal-end',
  'none-intermediate-throw',
  'timer-intermediate-catch',
  'message-intermediate-catch',
  'message-intermediate-throw',
  'signal-intermediate-catch',
  'signal-intermediate-throw',
  'conditional-intermediate-catch',
  'escalation-intermediate-throw',
  'compensation-intermediate-throw',
  'link-intermediate-throw',
  'link-intermediate-catch',
  'error-boundary',
  'compensation-boundary',
  'cancel-boundary',
  'escalation-boundary',
  'non-interrupting-escalation-boundary',
  'timer-boundary',
  'non-interrupting-timer-boundary',
  'message-boundary',
  'non-interrupting-message-boundary',
  'signal-boundary',
  'non-interrupting-signal-boundary',
  'conditional-boundary',
  'non-interrupting-conditional-boundary',
];
/** Names of the menu for BPMN elements. */
const KINDS: Record<string, string> = {
  task: 'task',
  'rule-task': 'businessRuleTask',
  'collapsed-subprocess': 'subProcess',
  'expanded-subprocess': 'subProcess',
  transaction: 'transaction',
  'event-subprocess': 'eventSubProcess',
  'ad-hoc-subprocess': 'adHocSubProcess',
  'collapsed-ad-hoc-subprocess': 'adHocSubProcess',
};
/** What the palette and the context pad offer that is one kind of element. */
const OFFERED: Record<string, string> = {
  'create.intermediate-event': 'intermediateThrowEvent',
  'create.subprocess-expanded': 'subProcess',
  'append.intermediate-event': 'intermediateThrowEvent',
  'append.receive-task': 'receiveTask',
  'append.message-intermediate-event': 'intermediateCatchEvent',
  'append.timer-intermediate-event': 'intermediateCatchEvent',
  'append.condition-intermediate-event': 'intermediateCatchEvent',
  'append.signal-intermediate-event': 'intermediateCatchEvent',
  'append.compensation-activity': 'boundaryEvent',
};
/** What the palette offers besides, as it is what most processes are made of. */
export const ADDED = [
  { name: 'user-task', type: 'bpmn:UserTask', icon: 'bpmn-icon-user-task', title: 'user task' },
  { name: 'send-task', type: 'bpmn:SendTask', icon: 'bpmn-icon-send-task', title: 'send task' },
  { name: 'call-activity', type: 'bpmn:CallActivity', icon: 'bpmn-icon-call-activity', title: 'call activity' },
];
/** An event at the border of an activity that catches its failure. */
const CATCH = { type: 'bpmn:BoundaryEvent', eventDefinitionType: 'bpmn:ErrorEventDefinition' };

function camelCase(words: string): string {
  return words.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function runs(entry: string, kinds: ReadonlySet<string>): boolean {
  const name = entry.replace(/^replace-with-/, '');
  if (name === entry) return true;
  const kind = KINDS[name] ?? camelCase(name);
  if (/(start|end|boundary|event|throwing|throw|catch)$/.test(name)) return EVENTS.includes(name);
  return !/(Task|Gateway|Activity|SubProcess|subProcess|task|transaction)$/.test(kind) || kinds.has(kind);
}

function without(entries: Entries, drop: (name: string) => boolean): Entries {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !drop(name)));
}

class Narrowed {
  static $inject = ['stepwireKinds', 'palette', 'contextPad', 'popupMenu', 'create', 'elementFactory', 'autoPlace', 'modeling'];
  constructor(
    private readonly kinds: ReadonlySet<string>,
    palette: Pad,
    contextPad: Pad,
    popupMenu: Menu,
    private readonly create: Create,
    private readonly factory: ElementFactory,
    private readonly place: Place,
    private readonly modeling: Modeling,
  ) {
    palette.registerProvider(LATE, { getPaletteEntries: (): Narrow => (entries) => this.palette(entries) });
    contextPad.registerProvider(LATE, {
      getContextPadEntries:
        (element: Element): Narrow =>
        (entries) =>
          this.pad(element, entries),
    });
    // Loops are a call activity's, over all items at once; its field for the collection draws the marker.
    popupMenu.registerProvider('bpmn-replace', LATE, {
      getPopupMenuEntries: (): Narrow => (entries) => without(entries, (name) => !runs(name, this.kinds)),
      getPopupMenuHeaderEntries: (): Narrow => (entries) => without(entries, (name) => name.startsWith('toggle-')),
    });
  }

  private isOffered(name: string): boolean {
    const kind = OFFERED[name];
    return kind === undefined || this.kinds.has(kind);
  }

  private palette(entries: Entries): Entries {
    const added: Entries = {};
    for (const { name, type, icon, title } of ADDED) {
      const start = (event: Event) => this.create.start(event, this.factory.createShape({ type }));
      added[`create.${name}`] = {
        group: 'activity',
        className: icon,
        title: `Create ${title}`,
        action: { dragstart: start, click: start },
      };
    }
    const kept = without(entries, (name) => !this.isOffered(name));
    // The tasks stand together.
    const result: Entries = {};
    for (const [name, entry] of Object.entries(kept)) {
      result[name] = entry;
      if (name === 'create.task') Object.assign(result, added);
    }
    return result;
  }

  private pad(element: Element, entries: Entries): Entries {
    const kept = without(entries, (name) => !this.isOffered(name));
    if (!kept['append.append-task']) return kept;
    const start = (event: Event) => this.create.start(event, this.factory.createShape({ type: 'bpmn:UserTask' }));
    const click = () => this.place.append(element, this.factory.createShape({ type: 'bpmn:UserTask' }));
    kept['append.user-task'] = {
      group: 'model',
      className: 'bpmn-icon-user-task',
      title: 'Append user task',
      action: { dragstart: start, click },
    };
    if (this.kinds.has('boundaryEvent') && /Task$|Activity$/.test(element.type)) {
      const { x = 0, y = 0, width = 0, height = 0 } = element;
      const place = { x: x + width * 0.8, y: y + height };
      const attach = () => this.modeling.createShape(this.factory.createShape(CATCH), place, element, { attach: true });
      kept['attach.error'] = {
        group: 'model',
        className: 'bpmn-icon-intermediate-event-catch-error',
        title: 'Catch errors',
        action: { click: attach },
      };
    }
    return kept;
  }
}

/** The module for the elements that run. */
export function paletteModule(kinds: ReadonlySet<string>) {
  return { __init__: ['stepwirePalette'], stepwireKinds: ['value', kinds], stepwirePalette: ['type', Narrowed] };
}
