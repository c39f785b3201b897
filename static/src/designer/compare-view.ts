/** Asks for the version to compare with, and shows the differences as a list and on the canvas. */
import { source, type Version, versions } from '../admin/definitions.js';
import { byId, h } from '../dom.js';
import { compare, type Difference } from './compare.js';
import type { Model } from './model.js';
import { complain } from './notes.js';
import type { Panel } from './panel.js';
import type { Canvas } from './types.js';

/** The symbol of each kind of difference, shown beside its word. */
const SIGNS: Record<Difference['kind'], string> = { added: '+', removed: '−', changed: '≠' };
/** Longer values are cut off in the list; the fields show them in full. */
const LONGEST = 300;

export class CompareView {
  private marked: [id: string, marker: string][] = [];

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

  private async show(process: string, { version, format }: Version): Promise<void> {
    try {
      const text = await source(process, version, format ?? 'bpmn');
      const before = format === 'json' ? await (await import('./json-form.js')).bpmnOf(text) : text;
      this.draw(version, await compare(before, await this.xml()));
    } catch (error) {
      complain(`Version ${version} cannot be compared: ${(error as Error).message}`);
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
    byId('differences').replaceChildren(h('header', {}, head, summary, close), list);
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
