/** The parts of bpmn-js that the designer uses, whose own types are mostly untyped. */

/** A part of the model: BPMN or one of the extension elements. */
export interface Moddle {
  $type: string;
  $parent?: Moddle;
  id?: string;
  name?: string;
  get<T = unknown>(name: string): T;
  set(name: string, value: unknown): void;
}

/** A drawn element: a shape, a connection, a label, or the root. */
export interface Element {
  id: string;
  type: string;
  businessObject: Moddle;
  parent?: Element;
  labelTarget?: Element;
  /** Of a boundary event: the activity. */
  host?: Element;
  waypoints?: unknown[];
  x?: number;
  y?: number;
  width?: number;
  height?: number;
}

export interface EventBus {
  on<T = Record<string, never>>(events: string | string[], listener: (event: T) => void): void;
}
export interface Registry {
  get(id: string): Element | undefined;
  getAll(): Element[];
  filter(accept: (element: Element) => boolean): Element[];
}
export interface Selection {
  get(): Element[];
  select(elements: Element | Element[] | null): void;
}
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Canvas {
  getRootElement(): Element;
  findRoot(element: Element): Element | undefined;
  setRootElement(root: Element): void;
  getContainer(): HTMLElement;
  resized(): void;
  focus(): void;
  zoom(level: 'fit-viewport' | number, center?: 'auto'): number;
  scrollToElement(element: Element, padding?: number): void;
  addMarker(element: Element | string, marker: string): void;
  removeMarker(element: Element | string, marker: string): void;
  viewbox(box?: Box): Box & { inner: Box; outer: { width: number; height: number } };
}
export interface ZoomScroll {
  stepZoom(steps: number): void;
}
export interface Modeling {
  updateProperties(element: Element, properties: Record<string, unknown>): void;
  updateModdleProperties(element: Element, moddle: Moddle, properties: Record<string, unknown>): void;
  createShape(shape: unknown, position: { x: number; y: number }, parent: Element, hints?: { attach: boolean }): Element;
  connect(source: Element, target: Element): Element;
  removeElements(elements: Element[]): void;
}
export interface CommandStack {
  canUndo(): boolean;
  canRedo(): boolean;
  undo(): void;
  redo(): void;
  clear(): void;
  execute(command: string, context: unknown): void;
  registerHandler(command: string, handler: unknown): void;
}
export interface Factory {
  create(type: string, properties?: Record<string, unknown>): Moddle;
}
export interface Ids {
  assigned(id: string): Moddle | false | undefined;
  nextPrefixed(prefix: string, element?: Moddle): string;
}
