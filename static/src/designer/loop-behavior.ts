/** What an activity that runs several times throws as its iterations complete. */
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import { type RootKind, referenceFields, SIGNAL } from './root-reference.js';
import type { Moddle } from './types.js';

type Behavior = 'None' | 'One';

const REFERENCES: Record<Behavior, string> = { None: 'noneBehaviorEventRef', One: 'oneBehaviorEventRef' };
const ESCALATION: RootKind = { kind: 'Escalation', label: 'Escalation code', member: 'escalationCode', hint: 'A boundary event with this code catches it.' };
const EVENTS: [string, string][] = [
  ['bpmn:SignalEventDefinition', 'A signal'],
  ['bpmn:EscalationEventDefinition', 'An escalation'],
];

/** Fields of `behavior` and of the event that it throws, which BPMN keeps beside the processes. */
export function behaviorFields(editing: Editing, loop: Moddle): HTMLElement[] {
  const { model, element, redraw } = editing;
  const value = loop.get<string | undefined>('behavior') ?? 'All';
  const draw = drawing(editing);
  const options: [string, string][] = [
    ['All', 'Nothing'],
    ['None', 'An event as each iteration completes'],
    ['One', 'An event as the first iteration completes'],
  ];
  // What a file says besides stays as it is.
  if (!options.some(([known]) => known === value)) options.push([value, value]);
  const former = isBehavior(value) ? loop.get<Moddle | undefined>(REFERENCES[value]) : undefined;
  const roots = model.definitions.get<Moddle[]>('rootElements');
  /** One change: what was thrown before leaves the document with its last reference. */
  const set = (behavior: string, event: Moddle | undefined) => {
    const kept = former === event ? roots : roots.filter((one) => one !== former);
    const rootElements = event && !kept.includes(event) ? [...kept, event] : kept;
    const properties: Record<string, unknown> = { behavior: behavior === 'All' ? undefined : behavior };
    for (const reference of Object.values(REFERENCES)) properties[reference] = undefined;
    if (isBehavior(behavior)) properties[REFERENCES[behavior]] = event;
    model.change(element, { moddle: model.definitions, properties: { rootElements } }, { moddle: loop, properties });
    redraw();
  };
  const create = (type: string) => model.create(type, {}, model.definitions);
  const choose = draw({
    kind: 'select',
    name: 'behavior',
    label: 'Throws',
    value,
    options,
    commit: (wanted) => set(wanted, isBehavior(wanted) ? (former ?? create(EVENTS[0]![0])) : undefined),
  });
  if (!isBehavior(value)) return [choose];
  const event = draw({
    kind: 'select',
    name: 'behaviorEvent',
    label: 'Event',
    value: former?.$type ?? '',
    options: [...(former ? [] : ([['', 'None']] as [string, string][])), ...EVENTS],
    check: (type) => (type ? undefined : 'expected an event to throw, but none is chosen; choose one'),
    commit: (type) => type !== (former?.$type ?? '') && set(value, type ? create(type) : undefined),
  });
  if (!former) return [choose, event];
  const isSignal = former.$type === EVENTS[0]![0];
  return [choose, event, ...referenceFields(editing, former, isSignal ? SIGNAL('It goes to all that wait for its name.') : ESCALATION)];
}

function isBehavior(value: string): value is Behavior {
  return value === 'None' || value === 'One';
}
