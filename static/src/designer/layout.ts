/** A diagram for models without one: files written by hand, or in the JSON form. */
import { layoutProcess } from 'bpmn-auto-layout';
import { BpmnModdle } from 'bpmn-moddle';
import { drawLanes } from './lanes-layout.js';
import { mended } from './bpmn.js';
import stepwire from './moddle.json';
import type { Moddle } from './types.js';

interface Reader {
  fromXML(xml: string): Promise<{ rootElement: Moddle; warnings: { message: string }[] }>;
  toXML(definitions: Moddle, options: { format: boolean }): Promise<{ xml: string }>;
  create(type: string, properties?: Record<string, unknown>): Moddle;
}

/** Reads and writes BPMN with the project's extension elements, without a canvas. */
export function reader(): Reader {
  return mended(new (BpmnModdle as unknown as new (packages: Record<string, unknown>) => Reader)({ stepwire }));
}

/** The same model, with a generated diagram if it had none. */
export async function withDiagram(xml: string): Promise<string> {
  const moddle = reader();
  const { rootElement: definitions } = await moddle.fromXML(xml);
  const isDrawn = definitions
    .get<Moddle[]>('diagrams')
    .some((diagram) => (diagram.get<Moddle | undefined>('plane')?.get<Moddle[]>('planeElement').length ?? 0) > 0);
  if (isDrawn) return xml;
  const roots = definitions.get<Moddle[]>('rootElements');
  // A document with global tasks only has nothing to draw: an empty process represents the canvas.
  if (!roots.some(({ $type }) => $type === 'bpmn:Process'))
    roots.push(moddle.create('bpmn:Process', { id: 'canvas', isExecutable: false, $parent: definitions }));
  for (const process of roots) if (process.$type === 'bpmn:Process') linkFlows(process);
  definitions.set('diagrams', []);
  const drawn = await layoutProcess((await moddle.toXML(definitions, { format: true })).xml);
  return /<(\w+:)?lane\b/.test(drawn) ? withLanes(moddle, drawn) : drawn;
}

async function withLanes(moddle: Reader, xml: string): Promise<string> {
  const { rootElement: definitions } = await moddle.fromXML(xml);
  for (const diagram of definitions.get<Moddle[]>('diagrams')) {
    const plane = diagram.get<Moddle | undefined>('plane');
    if (plane?.get<Moddle | undefined>('bpmnElement')?.$type === 'bpmn:Process') drawLanes(plane, (type, properties) => moddle.create(type, properties));
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
