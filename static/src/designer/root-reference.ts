/**
 * Root elements of a document that events refer to: messages, signals, errors, escalations. Renaming one renames it for all
 * references; one without references is removed with the last of them.
 */
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import { isRequired } from './checks.js';
import type { Moddle } from './types.js';

/** A kind of root element. */
export interface RootKind {
  kind: 'Message' | 'Signal' | 'Error' | 'Escalation';
  /** The label of its name in the panel. */
  label: string;
  /** The member that identifies it in the engine. */
  member: string;
  hint: string;
  /** Whether the reference is optional. */
  optional?: boolean;
}

export const MESSAGE = (hint: string): RootKind => ({ kind: 'Message', label: 'Message name', member: 'name', hint });
export const SIGNAL = (hint: string): RootKind => ({ kind: 'Signal', label: 'Signal name', member: 'name', hint });

/** The names of fields to which problems link: `messageName`, `signalName`, `errorCode`, `escalationCode`. */
function fieldOf({ kind, member }: RootKind): string {
  return member === 'name' ? `${kind.toLowerCase()}Name` : member;
}

/** Fields to choose a root element, or create one, and to name it. `holder` has the reference. */
export function referenceFields(editing: Editing, holder: Moddle, what: RootKind): HTMLElement[] {
  const { model, element, redraw } = editing;
  const { kind, label, member, hint, optional } = what;
  const reference = `${kind.toLowerCase()}Ref`;
  const roots = model.definitions.get<Moddle[]>('rootElements');
  const all = roots.filter(({ $type }) => $type === `bpmn:${kind}`);
  const referred = holder.get<Moddle | undefined>(reference);
  const nameOf = (one: Moddle) => nameOfRoot(one, member);
  const word = kind.toLowerCase();
  const none = optional ? `Any ${word}` : 'None';
  const refer = (to: Moddle | undefined, root?: Moddle) => {
    const others = countOf(editing, referred, reference, holder);
    const left = referred && referred !== to && others === 0 ? roots.filter((one) => one !== referred) : roots;
    const rootElements = root ? [...left, root] : left;
    const document = { moddle: model.definitions, properties: { rootElements } };
    const changes = rootElements === roots ? [] : [document];
    model.change(element, ...changes, { moddle: holder, properties: { [reference]: to } });
    redraw();
  };
  const create = () => {
    const name = freeName(all.map(nameOf), word);
    const made = model.create(`bpmn:${kind}`, { name, ...(member === 'name' ? {} : { [member]: name }) }, model.definitions);
    refer(made, made);
  };
  const draw = drawing(editing);
  const options = [['', none] as const, ...all.map((one) => [one.id ?? '', nameOf(one)] as const), ['new', `New ${word}…`] as const];
  const pick = draw({
    kind: 'select',
    name: word,
    label: kind,
    value: referred?.id ?? '',
    options,
    check: optional ? undefined : (id) => (id ? undefined : `expected a ${word} of the document, but none is chosen; choose one`),
    commit: (id) => (id === 'new' ? create() : refer(all.find((one) => one.id === id))),
  });
  if (!referred) return [pick];
  const others = countOf(editing, referred, reference, holder);
  const shared = others > 0 ? ` Shared with ${others} other${others === 1 ? '' : 's'}.` : '';
  const name = draw({
    kind: 'text',
    name: fieldOf(what),
    label,
    value: referred.get<string | undefined>(member) ?? (member === 'name' ? (referred.id ?? '') : ''),
    hint: `${hint}${shared}`,
    check: isRequired,
    commit: (text) => model.change(element, { moddle: referred, properties: renamed(referred, member, text.trim() || undefined) }),
  });
  return [pick, name];
}

/** The name by which a root element is known. */
export function nameOfRoot(root: Moddle, member: string): string {
  return root.get<string | undefined>(member) || root.name || root.id || '';
}

/** The changes of a renaming: where a code identifies the element, its display name follows as long as both are equal. */
export function renamed(root: Moddle, member: string, value: string | undefined): Record<string, string | undefined> {
  if (member === 'name') return { name: value };
  return { [member]: value, name: root.name === nameOfRoot(root, member) ? value : root.name };
}

/** How many elements refer to a root by `reference`, without `own`. */
export function countOf({ model }: Editing, root: Moddle | undefined, reference: string, own?: Moddle): number {
  if (!root) return 0;
  const ofElements = model.elements().flatMap(({ businessObject }) => [
    businessObject,
    ...listOf(businessObject, 'eventDefinitions'),
    ...thrownByIterations(businessObject),
  ]);
  // Definitions thrown by iterations, and shared ones of events, are outside of the processes.
  const holders = [...ofElements, ...model.definitions.get<Moddle[]>('rootElements')];
  return holders.filter((one) => one !== own && referenceOf(one, reference) === root).length;
}

/** The events thrown by an activity when conditions of its iterations are true. */
function thrownByIterations(activity: Moddle): Moddle[] {
  const loop = referenceOf(activity, 'loopCharacteristics');
  const complex = loop ? listOf(loop, 'complexBehaviorDefinition') : [];
  return complex.flatMap((one) => {
    const thrown = referenceOf(one, 'event');
    return thrown ? listOf(thrown, 'eventDefinitions') : [];
  });
}

function listOf(moddle: Moddle, name: string): Moddle[] {
  return (referenceOf(moddle, name) as unknown as Moddle[] | undefined) ?? [];
}

function referenceOf(moddle: Moddle, name: string): Moddle | undefined {
  return (moddle as unknown as Record<string, Moddle | undefined>)[name];
}

/** An unused name: `message2`. */
export function freeName(taken: readonly string[], word: string): string {
  let name = word;
  for (let number = 2; taken.includes(name); number++) name = `${word}${number}`;
  return name;
}
