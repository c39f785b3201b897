/**
 * The palette, the context pad and the menu of kinds, limited to the supported elements, as the server would reject others. Models
 * that contain such elements can still be opened and are kept unchanged.
 */
import { PopupEntries } from 'bpmn-js/lib/features/popup-menu/PopupEntries';
import { beginsEventSubprocess } from './event-fields.js';
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

/** Markers without effect. */
const NO_EFFECT = ['toggle-is-collection', 'toggle-participant-multiplicity'];
/** Runs after the providers of bpmn-js. */
const LATE = 400;
/** Names of the menu that differ from those of its entries. */
const NAMED: Record<string, string> = {
  'none-start': 'none-start-event',
  'none-intermediate-throw': 'none-intermediate-throwing',
  'none-end': 'none-end-event',
  subprocess: 'expanded-subprocess',
  'ad-hoc-subprocess': 'expanded-ad-hoc-subprocess',
};
/** The kinds of elements offered by the palette and the context pad. */
const OFFERED: Record<string, string> = {
  'create.intermediate-event': 'intermediateThrowEvent',
  'create.subprocess-expanded': 'subProcess',
  'append.intermediate-event': 'intermediateThrowEvent',
  'append.receive-task': 'receiveTask',
  'append.message-intermediate-event': 'intermediateCatchEvent:messageEventDefinition',
  'append.timer-intermediate-event': 'intermediateCatchEvent:timerEventDefinition',
  'append.condition-intermediate-event': 'intermediateCatchEvent:conditionalEventDefinition',
  'append.signal-intermediate-event': 'intermediateCatchEvent:signalEventDefinition',
  'append.compensation-activity': 'boundaryEvent:compensateEventDefinition',
};
/** Additional entries of the palette, for the most frequent elements. */
export const ADDED = [
  { name: 'user-task', type: 'bpmn:UserTask', icon: 'bpmn-icon-user-task', title: 'user task' },
  { name: 'send-task', type: 'bpmn:SendTask', icon: 'bpmn-icon-send-task', title: 'send task' },
  { name: 'call-activity', type: 'bpmn:CallActivity', icon: 'bpmn-icon-call-activity', title: 'call activity' },
];
/** A boundary event that catches the failure of an activity. */
const CATCH = { type: 'bpmn:BoundaryEvent', eventDefinitionType: 'bpmn:ErrorEventDefinition' };

/** The element that an entry of the menu creates. */
interface Target {
  type: string;
  eventDefinitionType?: string;
  triggeredByEvent?: boolean;
}
const TARGETS = PopupEntries as Record<string, { target: Target }>;

/** A name of BPMN without its prefix, in the spelling of tags. */
function tagOf(type: string): string {
  const name = type.replace('bpmn:', '');
  return name[0]!.toLowerCase() + name.slice(1);
}

/** Whether the result of an entry of the menu is supported, according to the server's list of kinds and events. */
function runs(entry: string, replaced: Element, kinds: ReadonlySet<string>): boolean {
  const name = entry.replace(/^replace-with-/, '');
  const target = name === entry ? undefined : TARGETS[NAMED[name] ?? name]?.target;
  // Entries other than kinds of elements: flows, pools.
  if (!target || !/(Event|Task|Gateway|SubProcess|Transaction|CallActivity)$/.test(target.type)) return true;
  const kind = tagOf(target.type);
  if (!target.eventDefinitionType) return kinds.has(kind);
  const place = kind === 'startEvent' && beginsEventSubprocess(replaced) ? 'eventSubprocess' : kind;
  return kinds.has(`${place}:${tagOf(target.eventDefinitionType)}`);
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
    popupMenu.registerProvider('bpmn-replace', LATE, {
      getPopupMenuEntries:
        (element: Element): Narrow =>
        (entries) =>
          without(entries, (name) => !runs(name, element, this.kinds)),
      getPopupMenuHeaderEntries: (): Narrow => (entries) => without(entries, (name) => NO_EFFECT.includes(name)),
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
    // Keeps the tasks together.
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

/** The module for the supported elements. */
export function paletteModule(kinds: ReadonlySet<string>) {
  return { __init__: ['stepwirePalette'], stepwireKinds: ['value', kinds], stepwirePalette: ['type', Narrowed] };
}
