/**
 * The model behind the canvas, in the terms of the properties panel: attributes, extension elements, processes. Every change goes
 * through the command stack, so that it can be undone.
 */
import { CHANGE, type Change, type Drawing } from './modeler.js';
import type { Canvas, CommandStack, Element, Factory, Ids, Moddle, Modeling, Registry } from './types.js';

export class Model {
  constructor(private readonly drawing: Drawing) {}

  service<T>(name: string): T {
    return this.drawing.get<T>(name);
  }

  get registry(): Registry {
    return this.service('elementRegistry');
  }

  /** All drawn elements without labels, including the canvas itself. */
  elements(): Element[] {
    // Before a model is open, the canvas has no element. The plane of a collapsed subprocess has the same element as the
    // subprocess.
    return this.registry.filter(
      ({ businessObject, labelTarget, parent, type }) =>
        Boolean(businessObject) && !labelTarget && (Boolean(parent) || isRoot(type)),
    );
  }

  /** The element of the whole canvas, even while a collapsed subprocess is open on it. */
  get root(): Element {
    const [root] = this.registry.filter(({ type, parent }) => !parent && isRoot(type));
    return root ?? this.service<Canvas>('canvas').getRootElement();
  }

  get definitions(): Moddle {
    return this.drawing.getDefinitions() as unknown as Moddle;
  }

  /** All processes of the file, in order. */
  processes(): Moddle[] {
    return this.definitions.get<Moddle[]>('rootElements').filter(({ $type }) => $type === 'bpmn:Process');
  }

  /** The processes whose settings belong to an element: those of a pool, or of the canvas. */
  processesOf(element: Element): Moddle[] {
    const { businessObject, type } = element;
    if (type === 'bpmn:Process') return [businessObject];
    if (type === 'bpmn:Collaboration') return this.processes();
    if (type !== 'bpmn:Participant') return [];
    const process = businessObject.get<Moddle | undefined>('processRef');
    return process ? [process] : [];
  }

  /** Several changes that are undone together. */
  change(element: Element, ...changes: Change[]): void {
    this.service<CommandStack>('commandStack').execute(CHANGE, { element: this.drawn(element), changes });
  }

  /** The drawn element that changes with an element: the canvas itself for one that is not drawn. */
  private drawn(element: Element): Element {
    return this.isDrawn(element) ? element : this.root;
  }

  /** Whether an element is on the canvas. */
  isDrawn({ id, businessObject }: Element): boolean {
    return this.registry.get(id)?.businessObject === businessObject;
  }

  /** Sets attributes; an empty text removes one. */
  set(element: Element, moddle: Moddle, properties: Record<string, string | undefined>): void {
    const values = Object.entries(properties).map(([name, value]) => [name, value === '' ? undefined : value]);
    this.change(element, { moddle, properties: Object.fromEntries(values) });
  }

  /** Changes the id of an element and all references to it. */
  rename(element: Element, moddle: Moddle, id: string): void {
    const modeling = this.service<Modeling>('modeling');
    if (element.businessObject === moddle && this.isDrawn(element)) modeling.updateProperties(element, { id });
    else modeling.updateModdleProperties(this.drawn(element), moddle, { id });
  }

  /** Whether another element has this id. */
  isTaken(id: string, moddle: Moddle): boolean {
    // Without editing, ids are not tracked.
    const { ids } = this.service<{ ids?: Ids }>('moddle');
    const owner = ids?.assigned(id);
    return Boolean(owner) && owner !== moddle;
  }

  create(type: string, properties: Record<string, unknown> = {}, parent?: Moddle): Moddle {
    const created = this.service<Factory>('bpmnFactory').create(type, properties);
    if (parent) created.$parent = parent;
    return created;
  }

  /** The extension elements of a type, such as `stepwire:Key`. */
  extensions(moddle: Moddle, type: string): Moddle[] {
    const values = moddle.get<Moddle | undefined>('extensionElements')?.get<Moddle[] | undefined>('values') ?? [];
    return values.filter((value) => value.$type === type);
  }

  /** Replaces all extension elements of this type. */
  setExtensions(element: Element, moddle: Moddle, type: string, wanted: Moddle[]): void {
    const extensions =
      moddle.get<Moddle | undefined>('extensionElements') ?? this.create('bpmn:ExtensionElements', { values: [] }, moddle);
    const others = extensions.get<Moddle[]>('values').filter((value) => value.$type !== type);
    const values = [...others, ...wanted];
    wanted.forEach((one) => (one.$parent = extensions));
    const inner = { moddle: extensions, properties: { values } };
    const extensionElements = values.length > 0 ? extensions : undefined;
    this.change(element, inner, { moddle, properties: { extensionElements } });
  }

  actions(moddle: Moddle): Moddle[] {
    return this.extensions(moddle, 'stepwire:Actions').flatMap((actions) => actions.get<Moddle[]>('values'));
  }

  setActions(element: Element, wanted: Moddle[]): void {
    const moddle = element.businessObject;
    const [actions] = this.extensions(moddle, 'stepwire:Actions');
    if (wanted.length === 0) return this.setExtensions(element, moddle, 'stepwire:Actions', []);
    if (!actions) {
      const created = this.create('stepwire:Actions', { values: wanted });
      wanted.forEach((one) => (one.$parent = created));
      return this.setExtensions(element, moddle, 'stepwire:Actions', [created]);
    }
    wanted.forEach((one) => (one.$parent = actions));
    this.change(element, { moddle: actions, properties: { values: wanted } });
  }

  /** A parameter of an action, or empty. */
  param(action: Moddle, name: string): string {
    const found = action.get<Moddle[]>('params').find((param) => param.get('name') === name);
    return found?.get<string | undefined>('body') ?? '';
  }

  /** Sets parameters of an action; an empty text removes one. `attributes` change with them. */
  setParams(element: Element, action: Moddle, wanted: Record<string, string>, attributes: Record<string, unknown> = {}): void {
    const param = (name: string, body: string) => this.create('stepwire:Param', { name, body }, action);
    const former = action.get<Moddle[]>('params');
    const names = former.map((one) => one.get<string>('name'));
    const kept = former.map((one, index) => {
      const body = wanted[names[index]!];
      return body === undefined ? one : param(names[index]!, body);
    });
    const added = Object.entries(wanted).filter(([name]) => !names.includes(name));
    const all = [...kept, ...added.map(([name, body]) => param(name, body))];
    const params = all.filter((one) => one.get('body') || wanted[one.get<string>('name')] === undefined);
    this.change(element, { moddle: action, properties: { ...attributes, params } });
  }
}

function isRoot(type: string): boolean {
  return type === 'bpmn:Process' || type === 'bpmn:Collaboration';
}
