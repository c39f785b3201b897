/**
 * Lanes in a diagram that was laid out automatically: each lane is a separate band, its nodes keep their columns and order, and
 * flows are drawn again where one of their ends has moved. The layout itself does not support lanes.
 */
import type { Moddle } from './types.js';

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Space around the content of a band, and width of the label at its left. */
const PAD = 30;
const LABEL = 40;

/** Draws the lanes of the process of a plane; a plane of a process without lanes is not changed. */
export function drawLanes(plane: Moddle, create: (type: string, properties: Record<string, unknown>) => Moddle): void {
  const process = plane.get<Moddle>('bpmnElement');
  const tops = (process.get<Moddle[] | undefined>('laneSets') ?? []).flatMap((set) => set.get<Moddle[]>('lanes'));
  if (tops.length === 0) return;
  const drawn = plane.get<Moddle[]>('planeElement');
  const shapes = new Map(drawn.filter(({ $type }) => $type === 'bpmndi:BPMNShape').map((shape) => [shape.get<Moddle>('bpmnElement'), shape]));
  const edges = drawn.filter(({ $type }) => $type === 'bpmndi:BPMNEdge');
  const boxOf = (shape: Moddle) => shape.get<Moddle>('bounds') as unknown as Box;
  const all = [...shapes.values()].map(boxOf);
  if (all.length === 0) return;
  const left = Math.min(...all.map(({ x }) => x)) - PAD;
  const right = Math.max(...all.map(({ x, width }) => x + width)) + PAD;
  const moved = new Set<Moddle>();
  let bottom = Math.min(...all.map(({ y }) => y));

  /** Moves nodes, with their boundary events, into the next band; gives its height. */
  const band = (nodes: readonly Moddle[]): { top: number; height: number } => {
    const attached = [...shapes.keys()].filter((node) => nodes.includes(hostOf(node)!));
    const own = [...new Set([...nodes, ...attached])].filter((node) => shapes.has(node) && !moved.has(node));
    const boxes = own.map((node) => boxOf(shapes.get(node)!));
    const top = bottom;
    const highest = Math.min(...boxes.map(({ y }) => y));
    const shift = boxes.length > 0 ? top + PAD - highest : 0;
    const height = boxes.length > 0 ? Math.max(...boxes.map(({ y, height: tall }) => y + tall)) - highest + 2 * PAD : 2 * PAD + 40;
    for (const [at, node] of own.entries()) {
      boxes[at]!.y += shift;
      moved.add(node);
      const label = shapes.get(node)!.get<Moddle | undefined>('label')?.get<Moddle | undefined>('bounds') as unknown as Box | undefined;
      if (label) label.y += shift;
    }
    bottom = top + height;
    return { top, height };
  };
  const lanes: Moddle[] = [];
  const drawLane = (lane: Moddle, x: number) => {
    const top = bottom;
    const inner = lane.get<Moddle | undefined>('childLaneSet')?.get<Moddle[]>('lanes') ?? [];
    if (inner.length > 0) inner.forEach((child) => drawLane(child, x + LABEL));
    else band(lane.get<Moddle[] | undefined>('flowNodeRef') ?? []);
    const bounds = create('dc:Bounds', { x, y: top, width: right - x, height: bottom - top });
    lanes.push(create('bpmndi:BPMNShape', { id: `${lane.id ?? 'Lane'}_di`, bpmnElement: lane, isHorizontal: true, bounds }));
  };
  tops.forEach((lane) => drawLane(lane, left - LABEL * depth(tops)));
  const others = [...shapes.keys()].filter((node) => !moved.has(node) && hostOf(node) === undefined);
  if (others.length > 0) band(others);
  for (const edge of edges) route(edge, shapes, boxOf, create);
  plane.set('planeElement', [...lanes, ...drawn]);
}

function depth(lanes: readonly Moddle[]): number {
  const inner = lanes.map((lane) => lane.get<Moddle | undefined>('childLaneSet')?.get<Moddle[]>('lanes') ?? []);
  return 1 + Math.max(0, ...inner.filter((children) => children.length > 0).map(depth));
}

function hostOf(node: Moddle): Moddle | undefined {
  return node.$type === 'bpmn:BoundaryEvent' ? node.get<Moddle | undefined>('attachedToRef') : undefined;
}

/** From the right of the source to the left of the target, or around below if the target is not to the right. */
function route(edge: Moddle, shapes: ReadonlyMap<Moddle, Moddle>, boxOf: (shape: Moddle) => Box, create: (type: string, properties: Record<string, unknown>) => Moddle): void {
  const flow = edge.get<Moddle>('bpmnElement');
  const ends = [flow.get<Moddle | undefined>('sourceRef'), flow.get<Moddle | undefined>('targetRef')].map((end) => end && shapes.get(end));
  if (!ends[0] || !ends[1]) return;
  const [from, to] = [boxOf(ends[0]), boxOf(ends[1])];
  const middle = (box: Box) => box.y + box.height / 2;
  const isBoundary = hostOf(flow.get<Moddle>('sourceRef')) !== undefined;
  const start = isBoundary ? { x: from.x + from.width / 2, y: from.y + from.height } : { x: from.x + from.width, y: middle(from) };
  const end = { x: to.x, y: middle(to) };
  let points: { x: number; y: number }[];
  if (isBoundary && end.y > start.y && end.x > start.x) points = [start, { x: start.x, y: end.y }, end];
  else if (end.x >= start.x + 10) {
    const turn = start.y === end.y ? [] : [end.x - Math.min(25, (end.x - start.x) / 2)];
    points = [start, ...turn.flatMap((x) => [{ x, y: start.y }, { x, y: end.y }]), end];
  } else {
    const below = Math.max(from.y + from.height, to.y + to.height) + 15;
    points = [start, { x: start.x + 15, y: start.y }, { x: start.x + 15, y: below }, { x: end.x - 15, y: below }, { x: end.x - 15, y: end.y }, end];
  }
  edge.set('waypoint', points.map((point) => create('dc:Point', point)));
}
