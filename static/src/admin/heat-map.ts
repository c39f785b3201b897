/**
 * Where the time of a process is spent: how long its nodes take, how often they are visited, and what waits or is blocked, on the
 * diagram and in a table. The server computes it from a sample of the newest instances.
 */
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import { h, redraw } from '../dom.js';
import { drawingOf } from './drawing.js';
import { type Heat, HeatMarks } from './heat-marks.js';
import { getJson } from './rest.js';
import { table } from './table.js';

interface NodeStatistics {
  node: string;
  visits: number;
  running: number;
  incidents: number;
  medianMs: number | null;
  p95Ms: number | null;
  totalMs: number;
}

interface Statistics {
  instances: number;
  truncated: boolean;
  nodes: NodeStatistics[];
}

export interface Version {
  id: string;
  version: number;
  name: string;
  state: string;
  format: string;
}

type Measure = (node: NodeStatistics) => Heat | undefined;
const time = (ms: number | null) => (ms === null ? undefined : { value: ms, text: durationText(ms) });
const count = (value: number) => (value > 0 ? { value, text: value.toLocaleString() } : undefined);
const MEASURES: Record<string, [label: string, measure: Measure]> = {
  median: ['Median duration', ({ medianMs }) => time(medianMs)],
  p95: ['95 of 100 take at most', ({ p95Ms }) => time(p95Ms)],
  total: ['Duration in all', ({ totalMs, medianMs }) => (medianMs === null ? undefined : time(totalMs))],
  visits: ['Visits', ({ visits }) => count(visits)],
  running: ['Waiting now', ({ running }) => count(running)],
  incidents: ['Incidents', ({ incidents }) => count(incidents)],
};

/** Each update reads a sample of the log; this is often enough for people. */
const PAUSE_MS = 5_000;

/** `90061000` is `1 d 1 h`: the two largest units. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  let seconds = Math.round(ms / 1_000);
  const parts: string[] = [];
  for (const [unit, length] of units) {
    const number = Math.floor(seconds / length);
    seconds -= number * length;
    if (number > 0 || parts.length > 0) parts.push(`${number} ${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part) => !part.startsWith('0 ')).join(' ');
}

export class HeatMap {
  readonly root = h('section', { class: 'box', 'data-testid': 'heat-map' });
  private readonly canvas = h('div', { class: 'diagram', role: 'group', 'aria-label': 'Diagram of the process; the table below has the same figures' });
  private readonly words = h('p', { class: 'muted small', role: 'status', 'data-testid': 'heat-sample' });
  private readonly list = h('div', {});
  private readonly viewer = new NavigatedViewer({ container: this.canvas });
  private readonly marks = new HeatMarks(this.viewer);
  private drawn = false;
  private statistics: Statistics | undefined;
  private process: Version;
  private measure: string;
  private lookedAt = 0;
  private timer = 0;

  constructor(private readonly versions: readonly Version[]) {
    const asked = new URLSearchParams(location.search);
    const named = versions.find((one) => keyOf(one) === asked.get('heat'));
    this.process = named ?? versions[0]!;
    this.measure = asked.get('by') ?? '';
    if (!(this.measure in MEASURES)) this.measure = 'median';
    const select = (id: string, label: string, options: [string, string][], value: string, choose: (value: string) => void) => {
      const chosen = h('select', { class: 'input', id, 'data-testid': id }, ...options.map(([key, text]) => h('option', { value: key }, text)));
      chosen.value = value;
      chosen.addEventListener('change', () => choose(chosen.value));
      return h('div', { class: 'field' }, h('label', { for: id }, label), chosen);
    };
    const name = (one: Version): [string, string] => [keyOf(one), `${one.name || one.id} v${one.version}`];
    const measures = Object.entries(MEASURES).map(([key, [label]]): [string, string] => [key, label]);
    const controls = h(
      'div',
      { class: 'row body' },
      select('heat-process', 'Process', versions.map(name), keyOf(this.process), (key) => this.choose(key)),
      select('heat-by', 'Show', measures, this.measure, (key) => this.show((this.measure = key))),
    );
    const legend = h('p', { class: 'legend' }, ...[1, 2, 3, 4, 5].map((step) => h('span', { class: `heat-key heat-key-${step}` }, step === 1 ? 'little' : step === 5 ? 'much' : '')));
    this.root.append(h('header', {}, h('h2', {}, 'Where time goes'), legend), controls, this.canvas, h('div', { class: 'body' }, this.words), this.list);
    new ResizeObserver(() => this.fit()).observe(this.canvas);
    void this.load();
  }

  /** Updates the display, though not too often. */
  look(): void {
    clearTimeout(this.timer);
    const wait = this.lookedAt + PAUSE_MS - Date.now();
    if (wait > 0) this.timer = setTimeout(() => void this.read(), wait);
    else void this.read();
  }

  private choose(key: string): void {
    this.process = this.versions.find((one) => keyOf(one) === key) ?? this.process;
    this.statistics = undefined;
    void this.load();
  }

  private get path(): string {
    return `/v1/definitions/${encodeURIComponent(this.process.id)}/${this.process.version}`;
  }

  private async load(): Promise<void> {
    const shown = this.process;
    this.drawn = false;
    try {
      await this.viewer.importXML(await drawingOf(this.path, this.process.format));
      this.drawn = shown === this.process;
    } catch {
      // The table shows everything.
      this.viewer.clear();
    }
    this.fit();
    await this.read();
  }

  private async read(): Promise<void> {
    this.lookedAt = Date.now();
    const shown = this.process;
    const read = await getJson<Statistics>(`${this.path}/statistics`);
    if (shown !== this.process) return;
    this.statistics = read;
    this.show(this.measure);
  }

  private show(measure: string): void {
    const address = new URL(location.href);
    address.searchParams.set('heat', keyOf(this.process));
    address.searchParams.set('by', measure);
    history.replaceState(null, '', address);
    const { nodes = [], instances = 0, truncated = false } = this.statistics ?? {};
    const [, of] = MEASURES[measure]!;
    const heats = nodes.flatMap((node): [string, Heat][] => {
      const heat = of(node);
      return heat ? [[node.node, heat]] : [];
    });
    if (this.drawn) this.marks.show(new Map(heats));
    const looked = `${instances.toLocaleString()} ${instances === 1 ? 'instance' : 'instances'} read`;
    this.words.textContent = truncated ? `The newest ${looked}; there are older ones.` : `${looked[0]!.toUpperCase()}${looked.slice(1)}.`;
    const sorted = [...nodes].sort((a, b) => b.totalMs - a.totalMs);
    redraw(this.list, sorted.length > 0 ? statisticsTable(sorted) : h('p', { class: 'empty' }, 'No instance of this version was started yet.'));
  }

  private fit(): void {
    if (!this.drawn || this.canvas.clientWidth === 0) return;
    const canvas = this.viewer.get<{ resized(): void; zoom(level: 'fit-viewport' | number, center: 'auto'): number }>('canvas');
    canvas.resized();
    canvas.zoom(canvas.zoom('fit-viewport', 'auto') * 0.9, 'auto');
  }
}

const keyOf = ({ id, version }: Version) => `${id}/${version}`;

function statisticsTable(nodes: readonly NodeStatistics[]): HTMLElement {
  const text = (ms: number | null) => [ms === null ? '—' : durationText(ms)];
  return table(
    'Nodes, by total time',
    [
      { label: 'Node', draw: ({ node }: NodeStatistics) => [h('code', {}, node)] },
      { label: 'Median', draw: ({ medianMs }) => text(medianMs) },
      { label: '95 of 100 within', draw: ({ p95Ms }) => text(p95Ms) },
      { label: 'In all', draw: ({ totalMs, medianMs }) => text(medianMs === null ? null : totalMs) },
      { label: 'Visits', draw: ({ visits }) => [visits.toLocaleString()] },
      { label: 'Waiting now', draw: ({ running }) => [running.toLocaleString()] },
      { label: 'Incidents', draw: ({ incidents }) => [incidents > 0 ? h('span', { class: 'badge', 'data-status': 'incident' }, String(incidents)) : '0'] },
    ],
    nodes,
    ({ node }) => node,
  );
}
