/**
 * What a document holds once and events refer to by picking: messages, signals, errors, escalations. Renaming one renames it for
 * all that refer to it; one that nothing refers to any more goes with its last reference.
 */
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import { isRequired } from './checks.js';
import type { Moddle } from './types.js';

/** A kind of root element. */
export interface RootKind {
  kind: 'Message' | 'Signal' | 'Error' | 'Escalation';
  /** What its name is called in the panel. */
  label: string;
  /** The member that tells one from the other: what the engine goes by. */
  member: string;
  hint: string;
  /** Whether the event may refer to none. */
  optional?: boolean;
}

export const MESSAGE = (hint: string): RootKind => ({ kind: 'Message', label: 'Message name', member: 'name', hint });
export const SIGNAL = (hint: string): RootKind => ({ kind: 'Signal', label: 'Signal name', member: 'name', hint });

/** The names of fields, which problems lead to: `messageName`, `signalName`, `errorCode`, `escalationCode`. */
function fieldOf({ kind, member }: RootKind): string {
  return member === 'name' ? `${kind.toLowerCase()}Name` : member;
}

/** Fields to pick one of the document, or a new one, and to name it. `holder` has the reference. */
export function referenceFields(editing: Editing, holder: Moddle, what: RootKind): HTMLElement[] {
  const { model, element, redraw } = editing;
  const { kind, label, member, hint, optional } = what;
  const reference = `${kind.toLowerCase()}Ref`;
  const roots = model.definitions.get<Moddle[]>('rootElements');
  const all = roots.filter(({ $type }) => $type === `bpmn:${kind}`);
  const referred = holder.get<Moddle | undefined>(reference);
  const nameOf = (one: Moddle) => one.get<string | undefined>(member) || one.name || one.id || '';
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
    const name = free(all.map(nameOf), word);
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
    commit: (text) => {
      const value = text.trim() || undefined;
      // A name is for people where a code tells them apart.
      const properties = member === 'name' ? { name: value } : { [member]: value, name: referred.name === nameOf(referred) ? value : referred.name };
      model.change(element, { moddle: referred, properties });
    },
  });
  return [pick, name];
}

/** How many others of the document refer to a root. */
function countOf({ model }: Editing, root: Moddle | undefined, reference: string, own: Moddle): number {
  if (!root) return 0;
  const ofElements = model.elements().flatMap(({ businessObject }) => [businessObject, ...listOf(businessObject, 'eventDefinitions')]);
  // What iterations throw stands beside the processes.
  const holders = [...ofElements, ...model.definitions.get<Moddle[]>('rootElements')];
  return holders.filter((one) => one !== own && referenceOf(one, reference) === root).length;
}

function listOf(moddle: Moddle, name: string): Moddle[] {
  return (referenceOf(moddle, name) as unknown as Moddle[] | undefined) ?? [];
}

function referenceOf(moddle: Moddle, name: string): Moddle | undefined {
  return (moddle as unknown as Record<string, Moddle | undefined>)[name];
}

function free(taken: readonly string[], word: string): string {
  let name = word;
  for (let number = 2; taken.includes(name); number++) name = `${word}${number}`;
  return name;
}
