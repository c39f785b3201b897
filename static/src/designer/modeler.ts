/**
 * The canvas: bpmn-js with the project's extension elements, a palette of the supported elements, and keyboard operation.
 */
import Modeler from 'bpmn-js/lib/Modeler';
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
import { paletteModule } from './palette.js';
import { mended } from './bpmn.js';
import { pasteBeside, reachable } from './keyboard.js';
import stepwire from './moddle.json';
import type { Modeling, Moddle, Element } from './types.js';

export type Drawing = NavigatedViewer;

/** Several changes of the model that are undone together. */
export interface Change {
  moddle: Moddle;
  properties: Record<string, unknown>;
}

class ChangeHandler {
  static $inject = ['modeling'];
  constructor(private readonly modeling: Modeling) {}
  preExecute({ element, changes }: { element: Element; changes: Change[] }): void {
    for (const { moddle, properties } of changes) this.modeling.updateModdleProperties(element, moddle, properties);
  }
}

/** The command of `ChangeHandler`: `{element, changes}`. */
export const CHANGE = 'stepwire.change';

class Commands {
  static $inject = ['commandStack'];
  constructor(commandStack: { registerHandler(command: string, handler: unknown): void }) {
    commandStack.registerHandler(CHANGE, ChangeHandler);
  }
}

/** The canvas in `root`; without `mayEdit` it is read-only. `kinds` are the supported BPMN elements. */
export function createDrawing(root: HTMLElement, mayEdit: boolean, kinds: ReadonlySet<string>): Drawing {
  const moddleExtensions = { stepwire };
  if (!mayEdit) {
    const viewer = new NavigatedViewer({ container: root, moddleExtensions });
    mended(viewer.get('moddle'));
    return viewer;
  }
  const commands = { __init__: ['stepwireCommands'], stepwireCommands: ['type', Commands] };
  const modeler = new Modeler({ container: root, moddleExtensions, additionalModules: [commands, paletteModule(kinds)] });
  mended(modeler.get('moddle'));
  reachable(root, modeler);
  pasteBeside(modeler);
  return modeler as unknown as Drawing;
}
