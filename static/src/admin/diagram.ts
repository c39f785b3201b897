import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import type { ActiveNode } from '@stepwire/client';
import { TokenMarks } from './token-marks.js';

interface Canvas {
  resized(): void;
  zoom(level: 'fit-viewport' | number, center: 'auto'): number;
}

/** The diagram of a definition with the live tokens and the passed path on it. */
export class Diagram {
  private readonly viewer: NavigatedViewer;
  private readonly tokens: TokenMarks;
  private loaded = false;

  constructor(root: HTMLElement) {
    this.viewer = new NavigatedViewer({ container: root });
    this.tokens = new TokenMarks(this.viewer);
    new ResizeObserver(() => this.fit()).observe(root);
  }

  async load(xml: string): Promise<void> {
    await this.viewer.importXML(xml);
    this.loaded = true;
    this.fit();
  }

  /**
   * Marks the positions of the tokens, the nodes and flows that were passed, and how often a node was visited if more than once. A
   * flow counts only between visited nodes, so that an earlier moment does not show a later path.
   */
  show(active: readonly ActiveNode[], passed: Iterable<string>, flows: Iterable<string>, visits: ReadonlyMap<string, number>): void {
    this.tokens.show(active, passed, flows, visits);
  }

  private fit(): void {
    if (!this.loaded) return;
    const canvas = this.viewer.get<Canvas>('canvas');
    canvas.resized();
    // Slightly smaller than the viewport, so that the outermost shapes do not touch its edge.
    canvas.zoom(canvas.zoom('fit-viewport', 'auto') * 0.94, 'auto');
  }
}
