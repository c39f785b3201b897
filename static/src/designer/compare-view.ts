/** Asks for the version to compare with, and shows the differences as a list and on the canvas. */
import { source, type Version, versions } from '../admin/definitions.js';
import { byId, h } from '../dom.js';
import { compare, type Difference } from './compare.js';
import { modelOf } from './files.js';
import type { Model } from './model.js';
import { complain, complainOf } from './notes.js';
import type { Panel } from './panel.js';
import type { Canvas } from './types.js';

/** The symbol of each kind of difference, shown beside its word. */
const SIGNS: Record<Difference['kind'], string> = { added: '+', removed: '−', changed: '≠' };
/** Longer values are cut off in the list; the fields show them in full. */
const LONGEST = 300;

export class CompareView {
  private marked: [id: string, marker: string][] = [];
  /** Says that the list is old, and offers a new one; filled once the drawing has changed. */
  private readonly stale = h('div', { role: 'status', 'data-testid': 'differences-stale' });
  private again: (() => Promise<void>) | undefined;

  constructor(
    private readonly model: Model,
    private readonly panel: Panel,
    private readonly xml: () => Promise<string>,
  ) {}

  /** Compares the drawn model with a version of the process that the user chooses. */
  async ask(process: string, current: number): Promise<void> {
    const known = process ? await versions(process) : undefined;
    if (!known) return complain('There is no version to compare with yet: save the draft first.');
    const others = known.reverse();
    const version = await chooseVersion(others, others.find(({ version }) => version !== current) ?? others[0]!);
    if (version) await this.show(process, version);
  }

  /** The list is about a former drawing from now on. */
  modelChanged(): void {
    if (!this.again || this.stale.hasChildNodes()) return;
    const button = h('button', { type: 'button', class: 'button compact', onclick: () => void this.again?.() }, 'Compare again');
    this.stale.append(h('p', { class: 'note warn small' }, 'The drawing has changed since: this list is old. ', button));
  }

  private async show(process: string, one: Version): Promise<void> {
    const { version, format } = one;
    try {
      const text = await source(process, version, format ?? 'bpmn');
      const differences = await compare(await modelOf(text), await this.xml());
      this.draw(version, differences);
      this.again = () => this.show(process, one);
    } catch (error) {
      complainOf(error as Error, `Version ${version} cannot be compared`);
    }
  }

  private draw(version: number, differences: readonly Difference[]): void {
    this.clear();
    const canvas = this.model.service<Canvas>('canvas');
    for (const { id, kind } of differences) {
      if (!this.model.registry.get(id)) continue;
      canvas.addMarker(id, `is-${kind}`);
      this.marked.push([id, `is-${kind}`]);
    }
    const counts = (['added', 'changed', 'removed'] as const).map(
      (kind) => `${differences.filter((one) => one.kind === kind).length} ${kind}`,
    );
    const close = h('button', { type: 'button', class: 'button quiet compact', onclick: () => this.clear() }, 'Close');
    const head = h('h2', {}, `Compared with version ${version}`);
    const summary = h('p', { class: 'small', role: 'status', 'data-testid': 'difference-count' }, counts.join(', '));
    const list = h(
      'ul',
      { class: 'problem-list', 'data-testid': 'differences' },
      ...differences.map((one) => this.drawDifference(one)),
    );
    byId('differences').replaceChildren(h('header', {}, head, summary, close), this.stale, list);
  }

  private drawDifference({ id, label, kind, fields }: Difference): HTMLElement {
    const sign = h('span', { class: 'badge difference', 'data-kind': kind }, `${SIGNS[kind]} ${kind}`);
    const name =
      kind === 'removed'
        ? h('span', {}, label)
        : h('button', { type: 'button', class: 'link', onclick: () => this.panel.show(id) }, label);
    const cut = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || 'nothing');
    const changes = fields.map(({ name, before, after }) =>
      h('li', {}, h('strong', {}, name), ' ', h('del', {}, cut(before)), ' → ', h('ins', {}, cut(after))),
    );
    return h(
      'li',
      { class: 'problem', 'data-element': id, 'data-kind': kind },
      sign,
      name,
      h('ul', { class: 'changes' }, ...changes),
    );
  }

  private clear(): void {
    const canvas = this.model.service<Canvas>('canvas');
    this.marked.filter(([id]) => this.model.registry.get(id)).forEach(([id, marker]) => canvas.removeMarker(id, marker));
    this.marked = [];
    this.again = undefined;
    this.stale.replaceChildren();
    byId('differences').replaceChildren();
  }
}

function chooseVersion(known: readonly Version[], first: Version): Promise<Version | undefined> {
  const option = (one: Version) =>
    h('option', { value: one.version, selected: one === first }, `Version ${one.version}, ${one.state}, by ${one.createdBy}`);
  const select = h('select', { class: 'input', id: 'compared', 'data-testid': 'compared' }, ...known.map(option));
  const cancel = h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h(
    'form',
    { class: 'stack', method: 'dialog' },
    h('h2', { id: 'compare-title' }, 'Compare the drawing'),
    h('div', { class: 'field' }, h('label', { for: 'compared' }, 'With'), select),
    h('div', { class: 'row' }, h('button', { class: 'button primary', value: 'compare' }, 'Compare'), cancel),
  );
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'compare-title', 'data-testid': 'compare-dialog' }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'compare' ? known.find(({ version }) => version === Number(select.value)) : undefined);
    }),
  );
}
