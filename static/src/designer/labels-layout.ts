/**
 * Names of events and gateways in a diagram that was laid out automatically. They are drawn below their element, which is where flows
 * that turn down begin: such a name is moved above it, or to the right of the flow.
 */
import type { Moddle } from './types.js';

interface Point {
  x: number;
  y: number;
}
type Box = Point & { width: number; height: number };

/** Of a name: the width of its lines, in whose middle it is, the height of a line, the width of a letter, and the distance to the element. */
const [WIDTH, LINE, LETTER, GAP] = [90, 14, 7, 6];

export function placeLabels(plane: Moddle, create: (type: string, properties: Record<string, unknown>) => Moddle): void {
  const drawn = plane.get<Moddle[] | undefined>('planeElement') ?? [];
  const ends = new Set<string>();
  const key = ({ x, y }: Point) => `${Math.round(x)} ${Math.round(y)}`;
  for (const edge of drawn) {
    const points = edge.$type === 'bpmndi:BPMNEdge' ? (edge.get('waypoint') as Point[]) : [];
    for (const point of [points[0], points.at(-1)]) if (point) ends.add(key(point));
  }
  for (const shape of drawn) {
    const element = shape.$type === 'bpmndi:BPMNShape' ? shape.get<Moddle | undefined>('bpmnElement') : undefined;
    if (!element?.name || !/(Event|Gateway)$/.test(element.$type)) continue;
    const { x, y, width, height } = shape.get<Box>('bounds');
    const middle = x + width / 2;
    if (!ends.has(key({ x: middle, y: y + height }))) continue;
    const isAboveFree = element.$type !== 'bpmn:BoundaryEvent' && !ends.has(key({ x: middle, y }));
    const long = Math.ceil(element.name.length * LETTER);
    const size = { width: WIDTH, height: Math.ceil(long / WIDTH) * LINE };
    const place = isAboveFree
      ? { x: middle - size.width / 2, y: y - GAP - size.height }
      : { x: middle + GAP - Math.max(WIDTH - long, 0) / 2, y: y + height + GAP };
    shape.set('label', create('bpmndi:BPMNLabel', { bounds: create('dc:Bounds', { ...place, ...size }) }));
  }
}
