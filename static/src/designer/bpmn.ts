/** The BPMN reader and writer of this page, with corrections of errors in the library that would lose content of a file. */

import type { Moddle } from './types.js';

interface Property {
  name: string;
  ns: { localName: string };
  type: string;
  isAttr?: boolean;
  isReference?: boolean;
  xml?: { serialize: 'property' };
}
interface Known {
  registry: { typeMap: Record<string, { properties: Property[] } | undefined> };
  fromXML(...args: unknown[]): Promise<{ rootElement: Moddle; warnings: Warning[]; restored?: Restored[] }>;
}
/** An attribute with the name of a child. */
export interface Restored {
  element: Read;
  name: string;
  value: string;
}
export interface Warning {
  message: string;
  element?: Moddle;
  property?: string;
  value?: string;
}
export type Read = Moddle & Record<string, unknown> & { $attrs: Record<string, unknown>; $descriptor?: { properties: Property[] } };

const SIMPLE = ['String', 'Boolean', 'Integer', 'Real'];

/**
 * The script of a global script task is an element, as in a script task; the library's schema has it as an attribute, and drops the
 * element. The conditions and events of iterations are written with the names of types instead of `condition` and `event`. An attribute with
 * the name of a child (`conditionExpression="…"`) is read as that child, which cannot be written: it stays an attribute that means nothing.
 * A flow from or to an element that does not exist can be neither drawn nor selected: it is left out, with a warning.
 */
export function mended<T>(moddle: T): T {
  const known = moddle as unknown as Known;
  const { registry } = known;
  const change = (type: string, name: string, how: Partial<Property>) => {
    const found = registry.typeMap[type]?.properties.find((one) => one.name === name);
    if (found) Object.assign(found, how);
  };
  change('bpmn:GlobalScriptTask', 'bpmn:script', { isAttr: false });
  for (const name of ['bpmn:condition', 'bpmn:event'])
    change('bpmn:ComplexBehaviorDefinition', name, { xml: { serialize: 'property' } });
  const read = known.fromXML.bind(known);
  known.fromXML = async (...args) => {
    const result = await read(...args);
    result.restored = restoreAttributes(result.rootElement as Read);
    leaveOutFlows(result.rootElement, result.warnings);
    return result;
  };
  return moddle;
}

/** Makes attributes again of the texts that stand where `root` and the elements in it have children. */
function restoreAttributes(root: Read): Restored[] {
  const restored: Restored[] = [];
  const waiting = [root];
  for (let element = waiting.pop(); element; element = waiting.pop()) {
    for (const { ns, type, isAttr, isReference } of element.$descriptor?.properties ?? []) {
      const value = element[ns.localName];
      if (isAttr || isReference || value === undefined || SIMPLE.includes(type)) continue;
      if (typeof value === 'string') {
        delete element[ns.localName];
        element.$attrs[ns.localName] = value;
        restored.push({ element, name: ns.localName, value });
      } else waiting.push(...([value].flat() as Read[]));
    }
  }
  return restored;
}

/** Leaves out the flows that a warning of the reader is about, and says so in that warning. */
function leaveOutFlows(definitions: Moddle, warnings: readonly Warning[]): void {
  const without = (from: Moddle | undefined, list: string, flow: Moddle) => {
    const all = from?.get<Moddle[] | undefined>(list);
    if (all?.includes(flow)) from!.set(list, all.filter((one) => one !== flow));
  };
  for (const warning of warnings) {
    const { element: flow, property = '', value } = warning;
    const end = /^bpmn:(source|target)Ref$/.exec(property)?.[1];
    if (!end || flow?.$type !== 'bpmn:SequenceFlow') continue;
    without(flow.$parent, 'flowElements', flow);
    without(flow.get('sourceRef'), 'outgoing', flow);
    without(flow.get('targetRef'), 'incoming', flow);
    for (const diagram of definitions.get<Moddle[] | undefined>('diagrams') ?? []) {
      const plane = diagram.get<Moddle | undefined>('plane');
      const drawn = plane?.get<Moddle[] | undefined>('planeElement') ?? [];
      plane?.set('planeElement', drawn.filter((edge) => edge.get('bpmnElement') !== flow));
    }
    const way = end === 'source' ? 'begins at' : 'leads to';
    warning.message = `the flow ${flow.id ?? ''} ${way} ${value ?? ''}, which does not exist: it was left out`;
  }
}
