/** A diagram for models without one: files written by hand, or in the JSON form. */
import { layoutProcess } from 'bpmn-auto-layout';
import { BpmnModdle } from 'bpmn-moddle';
import { placeLabels } from './labels-layout.js';
import { drawLanes } from './lanes-layout.js';
import { mended, type Restored, type Warning } from './bpmn.js';
import stepwire from './moddle.json';
import type { Moddle } from './types.js';

interface Reader {
  fromXML(xml: string): Promise<{ rootElement: Moddle; warnings: Warning[]; restored: Restored[] }>;
  toXML(definitions: Moddle, options: { format: boolean }): Promise<{ xml: string }>;
  create(type: string, properties?: Record<string, unknown>): Moddle;
}

/** Reads and writes BPMN with the project's extension elements, without a canvas. */
export function reader(): Reader {
  return mended(new (BpmnModdle as unknown as new (packages: Record<string, unknown>) => Reader)({ stepwire }));
}

/** The same model, with a generated diagram if it had none. What had to be left out is added to `warnings`. */
export async function withDiagram(xml: string, warnings: { message: string }[] = []): Promise<string> {
  const moddle = reader();
  const { rootElement: definitions, warnings: found, restored } = await moddle.fromXML(xml);
  const isDrawn = definitions
    .get<Moddle[]>('diagrams')
    .some((diagram) => (diagram.get<Moddle | undefined>('plane')?.get<Moddle[]>('planeElement').length ?? 0) > 0);
  if (isDrawn) return xml;
  warnings.push(...found);
  const roots = definitions.get<Moddle[]>('rootElements');
  // A document with global tasks only has nothing to draw: an empty process represents the canvas.
  if (!roots.some(({ $type }) => $type === 'bpmn:Process'))
    roots.push(moddle.create('bpmn:Process', { id: 'canvas', isExecutable: false, $parent: definitions }));
  for (const process of roots) if (process.$type === 'bpmn:Process') linkFlows(process);
  definitions.set('diagrams', []);
  // The reader of the layout takes these attributes for children, and fails.
  for (const { element, name } of restored) delete element.$attrs[name];
  const drawn = await layoutProcess((await moddle.toXML(definitions, { format: true })).xml);
  const complete = MORE.test(drawn) ? await withLanesAndLabels(moddle, drawn) : drawn;
  if (restored.length === 0) return complete;
  for (const { element, name, value } of restored) element.$attrs[name] = value;
  definitions.set('diagrams', (await moddle.fromXML(complete)).rootElement.get('diagrams'));
  return (await moddle.toXML(definitions, { format: true })).xml;
}

/** Lanes, and named events and gateways. */
const MORE = /<(\w+:)?(lane\b|\w*(Event|Gateway)\b[^>]* name=)/;

/** What the layout does not draw, or draws over flows. */
async function withLanesAndLabels(moddle: Reader, xml: string): Promise<string> {
  const { rootElement: definitions } = await moddle.fromXML(xml);
  const create = (type: string, properties: Record<string, unknown>) => moddle.create(type, properties);
  for (const diagram of definitions.get<Moddle[]>('diagrams')) {
    const plane = diagram.get<Moddle | undefined>('plane');
    if (!plane) continue;
    if (plane.get<Moddle | undefined>('bpmnElement')?.$type === 'bpmn:Process') drawLanes(plane, create);
    placeLabels(plane, create);
  }
  return (await moddle.toXML(definitions, { format: true })).xml;
}

/** The same model without its diagram, for the server's check. */
export function withoutDiagram(xml: string): string {
  return xml.replace(/<(\w+:)?BPMNDiagram\b[\s\S]*<\/(\w+:)?BPMNDiagram>/, '');
}

/** The layout needs the references from nodes to flows, which files written by hand omit. */
function linkFlows(process: Moddle): void {
  const add = (node: Moddle | undefined, list: string, flow: Moddle) => {
    const flows = node?.get<Moddle[]>(list);
    if (flows && !flows.includes(flow)) flows.push(flow);
  };
  for (const flow of process.get<Moddle[]>('flowElements')) {
    if (flow.$type === 'bpmn:SubProcess' || flow.$type === 'bpmn:Transaction') linkFlows(flow);
    if (flow.$type !== 'bpmn:SequenceFlow') continue;
    add(flow.get('sourceRef'), 'outgoing', flow);
    add(flow.get('targetRef'), 'incoming', flow);
  }
}
