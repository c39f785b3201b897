import type { ActiveNode } from '@stepwire/client';
import { h } from '../dom.js';

interface Canvas {
  addMarker(element: string, marker: string): void;
  removeMarker(element: string, marker: string): void;
}
interface Overlays {
  add(element: string, type: string, overlay: { position: { top?: number; bottom?: number; left?: number; right?: number }; html: HTMLElement }): void;
  remove(filter: { type: string }): void;
}
interface Registry {
  get(id: string): { source?: { id: string }; target?: { id: string } } | undefined;
}
/** A drawing of bpmn-js, for viewing or editing. */
export interface Services {
  get<T>(name: string): T;
}

/** The symbols of tokens. */
const SIGNS = { yours: '●', incident: '▲', 'read-only': '○' };

/** The tokens and the passed path on a drawing. */
export class TokenMarks {
  private marked: [element: string, marker: string][] = [];

  constructor(private readonly drawing: Services) {}

  /** Marks the tokens, what was passed (flows only between visited nodes), and the number of visits if more than one. */
  show(
    active: readonly ActiveNode[],
    passed: Iterable<string> = [],
    flows: Iterable<string> = [],
    visits: ReadonlyMap<string, number> = new Map(),
  ): void {
    ['token', 'visits'].forEach((type) => this.drawing.get<Overlays>('overlays').remove({ type }));
    const canvas = this.drawing.get<Canvas>('canvas');
    this.marked.filter(([element]) => this.knows(element)).forEach(([element, marker]) => canvas.removeMarker(element, marker));
    this.marked = [];
    for (const element of passed) this.mark(element, 'passed');
    const registry = this.drawing.get<Registry>('elementRegistry');
    for (const flow of flows) {
      const ends = registry.get(flow);
      if (visits.has(ends?.source?.id ?? '') && visits.has(ends?.target?.id ?? '')) this.mark(flow, 'passed');
    }
    for (const [node, count] of visits) this.visited(node, count);
    for (const [node, all] of byNode(active)) this.token(node, all);
  }

  private visited(node: string, count: number): void {
    if (count < 2 || !this.knows(node)) return;
    const html = h('span', { class: 'visits', 'data-node': node }, `${count}×`);
    this.drawing.get<Overlays>('overlays').add(node, 'visits', { position: { bottom: 10, left: -8 }, html });
  }

  /** Whether it is drawn: an older version of the process may have had elements that this diagram lacks. */
  private knows(element: string): boolean {
    return this.drawing.get<Registry>('elementRegistry').get(element) !== undefined;
  }

  private mark(element: string, marker: string): boolean {
    if (!this.knows(element)) return false;
    this.drawing.get<Canvas>('canvas').addMarker(element, marker);
    this.marked.push([element, marker]);
    return true;
  }

  private token(node: string, visits: ActiveNode[]): void {
    const incident = visits.some((visit) => visit.incident);
    if (!this.mark(node, incident ? 'at-incident' : 'at-token')) return;
    const look = incident ? 'incident' : visits.every(({ readOnly }) => readOnly) ? 'read-only' : 'yours';
    // The whole of a loop is no iteration of its own.
    const count = visits.filter(({ loopCounter }) => loopCounter !== undefined).length || visits.length;
    const text = `${SIGNS[look]}${count > 1 ? ` ${count}` : ''}`;
    const html = h('span', { class: `token ${look}`, 'data-node': node }, text);
    this.drawing.get<Overlays>('overlays').add(node, 'token', { position: { top: -12, right: 14 }, html });
  }
}

function byNode(active: readonly ActiveNode[]): Map<string, ActiveNode[]> {
  const groups = new Map<string, ActiveNode[]>();
  for (const visit of active) groups.set(visit.node, [...(groups.get(visit.node) ?? []), visit]);
  return groups;
}
