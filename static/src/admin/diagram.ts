import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import type { ActiveNode } from '@stepwire/client';
import { h } from '../dom.js';

interface Canvas {
  resized(): void;
  zoom(level: 'fit-viewport' | number, center: 'auto'): number;
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

/** How a token looks. */
const SIGNS = { yours: '●', incident: '▲', 'read-only': '○' };

/** The diagram of a definition with the live tokens and the passed path on it. */
export class Diagram {
  private readonly viewer: NavigatedViewer;
  private loaded = false;
  private marked: [element: string, marker: string][] = [];

  constructor(root: HTMLElement) {
    this.viewer = new NavigatedViewer({ container: root });
    new ResizeObserver(() => this.fit()).observe(root);
  }

  async load(xml: string): Promise<void> {
    await this.viewer.importXML(xml);
    this.loaded = true;
    this.fit();
  }

  /**
   * Marks where the tokens are, the nodes and flows that were passed, and how often a node was visited when that is more than
   * once. A flow counts only between nodes that were visited, so that an earlier moment shows no later path.
   */
  show(active: readonly ActiveNode[], passed: Iterable<string>, flows: Iterable<string>, visits: ReadonlyMap<string, number>): void {
    const canvas = this.viewer.get<Canvas>('canvas');
    this.viewer.get<Overlays>('overlays').remove({ type: 'token' });
    this.viewer.get<Overlays>('overlays').remove({ type: 'visits' });
    this.marked.forEach(([element, marker]) => canvas.removeMarker(element, marker));
    this.marked = [];
    for (const element of passed) this.mark(element, 'passed');
    const registry = this.viewer.get<Registry>('elementRegistry');
    for (const flow of flows) {
      const ends = registry.get(flow);
      if (visits.has(ends?.source?.id ?? '') && visits.has(ends?.target?.id ?? '')) this.mark(flow, 'passed');
    }
    for (const [node, count] of visits) this.visited(node, count);
    for (const [node, visits] of byNode(active)) this.token(node, visits);
  }

  private fit(): void {
    if (!this.loaded) return;
    const canvas = this.viewer.get<Canvas>('canvas');
    canvas.resized();
    // A little smaller than the viewport, or the outermost shapes would touch its edge.
    canvas.zoom(canvas.zoom('fit-viewport', 'auto') * 0.94, 'auto');
  }

  private mark(element: string, marker: string): boolean {
    // An older version of the process may have had elements that this diagram has not.
    if (!this.viewer.get<Registry>('elementRegistry').get(element)) return false;
    this.viewer.get<Canvas>('canvas').addMarker(element, marker);
    this.marked.push([element, marker]);
    return true;
  }

  private visited(node: string, count: number): void {
    if (count < 2 || !this.viewer.get<Registry>('elementRegistry').get(node)) return;
    const html = h('span', { class: 'visits', 'data-node': node }, `${count}×`);
    this.viewer.get<Overlays>('overlays').add(node, 'visits', { position: { bottom: 10, left: -8 }, html });
  }

  private token(node: string, visits: ActiveNode[]): void {
    const incident = visits.some((visit) => visit.incident);
    if (!this.mark(node, incident ? 'at-incident' : 'at-token')) return;
    const look = incident ? 'incident' : visits.every(({ readOnly }) => readOnly) ? 'read-only' : 'yours';
    const text = `${SIGNS[look]}${visits.length > 1 ? ` ${visits.length}` : ''}`;
    const html = h('span', { class: `token ${look}`, 'data-node': node }, text);
    this.viewer.get<Overlays>('overlays').add(node, 'token', { position: { top: -12, right: 14 }, html });
  }
}

function byNode(active: readonly ActiveNode[]): Map<string, ActiveNode[]> {
  const groups = new Map<string, ActiveNode[]>();
  for (const visit of active) groups.set(visit.node, [...(groups.get(visit.node) ?? []), visit]);
  return groups;
}
