/** Values of nodes on a drawing: a colour by size, with the value itself as text beside it. */
import { h } from '../dom.js';
import type { Services } from './token-marks.js';

interface Canvas {
  addMarker(element: string, marker: string): void;
  removeMarker(element: string, marker: string): void;
}
interface Overlays {
  add(element: string, type: string, overlay: { position: Partial<Record<'top' | 'bottom' | 'left', number>>; html: HTMLElement }): void;
  remove(filter: { type: string }): void;
}

export interface Heat {
  value: number;
  text: string;
}

/** Number of colours; the largest value has the last. */
const STEPS = 5;

export class HeatMarks {
  private marked: [element: string, marker: string][] = [];

  constructor(private readonly drawing: Services) {}

  show(nodes: ReadonlyMap<string, Heat>): void {
    const canvas = this.drawing.get<Canvas>('canvas');
    const overlays = this.drawing.get<Overlays>('overlays');
    const registry = this.drawing.get<{ get(id: string): { type: string } | undefined }>('elementRegistry');
    overlays.remove({ type: 'heat' });
    // Those of a process that was drawn before are gone with it.
    this.marked.filter(([element]) => registry.get(element)).forEach(([element, marker]) => canvas.removeMarker(element, marker));
    this.marked = [];
    const largest = Math.max(0, ...[...nodes.values()].map(({ value }) => value));
    for (const [node, { value, text }] of nodes) {
      // An older version may have had elements that this drawing lacks.
      const shape = registry.get(node);
      if (shape === undefined) continue;
      const marker = `heat-${step(value, largest)}`;
      canvas.addMarker(node, marker);
      this.marked.push([node, marker]);
      // The name of an event is below it.
      const position = shape.type.endsWith('Event') ? { top: -10, left: 4 } : { bottom: 8, left: 4 };
      overlays.add(node, 'heat', { position, html: h('span', { class: 'heat', 'data-node': node }, text) });
    }
  }
}

/** By orders of magnitude: days must not make minutes and hours look alike. */
export function step(value: number, largest: number): number {
  if (value <= 0 || largest <= 0) return 0;
  return Math.min(STEPS, 1 + Math.floor((Math.log1p(value) / Math.log1p(largest)) * (STEPS - 0.001)));
}
