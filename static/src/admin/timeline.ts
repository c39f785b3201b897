/**
 * Who did what when, with a slider over the moments of an instance: moved back, the page shows the state at that moment. Loads the
 * records in parts, and only new ones.
 */
import { h, redraw } from '../dom.js';
import { time } from './elements-table.js';
import { getJson } from './rest.js';

/** A record as `GET /v1/instances/{key}/records` lists it. */
export interface RecordEntry {
  seq: number;
  moment: number;
  at: string;
  by: string | null;
  kind: string;
  element?: string;
  node?: string;
  action?: string;
  about?: string;
}

/** Records that the table shows; the slider reaches all. */
const SHOWN = 200;
/** Records that are loaded at most. */
const MOST = 10_000;

/** What a record of a timer says: when it is due. */
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** `elementActivated` → `element activated`. */
const words = (kind: string) => kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

export class Timeline {
  readonly records: RecordEntry[] = [];
  /** The selected moment; `undefined` for now. */
  moment: number | undefined;
  private moments: RecordEntry[] = [];
  private readonly slider: HTMLInputElement;
  private readonly said = h('p', { class: 'small', id: 'moment', role: 'status', 'data-testid': 'moment' });
  private readonly table = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Records, newest first' });
  private readonly now: HTMLButtonElement;

  constructor(
    root: HTMLElement,
    private readonly path: string,
    private readonly nodeOf: (element: string) => string | undefined,
    private readonly moved: () => void,
  ) {
    this.slider = h('input', {
      type: 'range',
      min: 0,
      max: 0,
      value: 0,
      'aria-label': 'Moment that is shown',
      'data-testid': 'slider',
      oninput: () => this.slide(),
    });
    this.now = h('button', { class: 'button compact', type: 'button', 'data-testid': 'now', onclick: () => this.toNow() }, 'Now');
    root.replaceChildren(h('div', { class: 'body stack' }, h('div', { class: 'timeline' }, this.slider, this.now), this.said), this.table);
  }

  /** Loads new records. `false` for users who may not read them. */
  async read(): Promise<boolean> {
    for (let more = true; more && this.records.length < MOST;) {
      const after = this.records.at(-1)?.seq ?? 0;
      const part = await getJson<{ records: RecordEntry[]; next: number | null }>(`${this.path}/records?after=${after}`);
      if (!part) return this.records.length > 0;
      this.records.push(...part.records);
      more = part.next !== null;
    }
    this.moments = this.records.filter((record, index) => record.moment !== this.records[index + 1]?.moment);
    this.draw();
    return true;
  }

  /** The moment of the command that made a record. */
  momentOf(seq: number): number | undefined {
    return this.records.find((record) => record.seq === seq)?.moment;
  }

  /** What had ended up to the selected moment. */
  ended(): Set<string> {
    const until = this.moment ?? Infinity;
    const ends = this.records.filter(({ seq, kind }) => seq <= until && (kind === 'elementCompleted' || kind === 'elementTerminated'));
    return new Set(ends.map(({ element }) => element ?? ''));
  }

  private slide(): void {
    const place = Number(this.slider.value);
    this.moment = place >= this.moments.length - 1 ? undefined : this.moments[place]!.moment;
    this.draw();
    this.moved();
  }

  private toNow(): void {
    this.slider.value = this.slider.max;
    this.slide();
    this.slider.focus();
  }

  private draw(): void {
    const last = Math.max(0, this.moments.length - 1);
    this.slider.max = String(last);
    if (this.moment === undefined) this.slider.value = String(last);
    const shown = this.moments[Number(this.slider.value)];
    this.now.disabled = this.moment === undefined;
    this.slider.setAttribute('aria-valuetext', shown ? `${Number(this.slider.value) + 1} of ${last + 1}: ${shown.at}` : 'nothing yet');
    const by = shown?.by ? `by ${shown.by}` : 'by the server';
    redraw(
      this.said,
      ...(shown
        ? [
            h('strong', {}, this.moment === undefined ? 'Now' : 'An earlier moment'),
            h('span', {}, ` · step ${Number(this.slider.value) + 1} of ${last + 1} · `),
            h('span', {}, time(shown.at), ` · ${by}`),
          ]
        : []),
    );
    const until = this.moment ?? Infinity;
    const newest = this.records.filter(({ seq }) => seq <= until).slice(-SHOWN).reverse();
    redraw(this.table, this.list(newest));
  }

  private list(records: readonly RecordEntry[]): HTMLElement {
    const cell = (label: string, ...content: (Node | string)[]) => h('td', { 'data-label': label }, h('div', {}, ...content));
    const row = ({ seq, at, by, kind, node, element, action, about }: RecordEntry) =>
      h(
        'tr',
        { 'data-seq': seq, 'data-kind': kind },
        cell('Number', h('code', {}, String(seq))),
        cell('When', time(at)),
        cell('Who', by ?? 'the server'),
        cell('What', words(kind), about ? h('span', { class: 'muted' }, ' ', INSTANT.test(about) ? time(about) : about) : ''),
        cell('Where', [node ?? (element ? this.nodeOf(element) : undefined), action].filter(Boolean).join(' · ') || '—'),
      );
    const heads = ['Number', 'When', 'Who', 'What', 'Where'].map((name) => h('th', { scope: 'col' }, name));
    const caption = h('caption', { class: 'visually-hidden' }, 'Commands with user and time, newest first');
    return h('table', { class: 'cards' }, caption, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...records.map(row)));
  }
}
