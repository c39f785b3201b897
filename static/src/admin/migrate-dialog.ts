/**
 * Asks for the version to migrate instances to, shows the result for each in advance, and lets the user map nodes whose ids differ.
 */
import { h, redraw } from '../dom.js';
import type { MovableNode } from './move-dialog.js';
import { ask, getJson } from './rest.js';

interface Version {
  version: number;
  state: string;
}

/** The server's preview of the migration of an instance. */
export interface Preview {
  possible: boolean;
  elements: { element: string; node: string; to: string | null }[];
  problems: { node: string; message: string }[];
}

/** The decision: the instances to migrate, and the mapping. */
export interface Migration {
  version: number;
  mapping: Record<string, string>;
  keys: string[];
}

/** Previews requested at the same time. */
const AT_ONCE = 4;
/** Number of problems shown in full. */
const SHOWN = 20;

/** Migrates one instance. */
export const migrate = (key: string, { version, mapping }: Migration): Promise<unknown> =>
  ask(`/v1/instances/${encodeURIComponent(key)}/migrate`, { version, mapping });

/** Why instances cannot be migrated, the most frequent reason first. */
export function reasons(previews: readonly (Preview | string)[]): { message: string; count: number }[] {
  const counts = new Map<string, number>();
  const count = (message: string) => counts.set(message, (counts.get(message) ?? 0) + 1);
  for (const preview of previews) {
    if (typeof preview === 'string') count(preview);
    else preview.problems.forEach(({ message }) => count(message));
  }
  return [...counts].map(([message, count]) => ({ message, count })).sort((a, b) => b.count - a.count);
}

/** The nodes at which tokens are, with their targets: one line for each, regardless of the instance. */
export function places(previews: readonly (Preview | string)[]): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const preview of previews) if (typeof preview !== 'string') for (const { node, to } of preview.elements) found.set(node, to);
  return found;
}

class MigrateDialog {
  private readonly version = h('select', { class: 'input', id: 'migrate-to', required: true }, h('option', { value: '' }, 'Choose…'));
  private readonly shown = h('div', { class: 'stack', 'aria-live': 'polite', 'data-testid': 'migrate-preview' });
  private readonly go = h('button', { class: 'button primary', value: 'migrate', disabled: true }, 'Migrate');
  private readonly dialog: HTMLDialogElement;
  private mapping: Record<string, string> = {};
  private nodes: MovableNode[] = [];
  private possible: string[] = [];
  /** Number of the latest request: results of older ones are ignored. */
  private look = 0;

  constructor(
    private readonly process: string,
    private readonly keys: readonly string[],
    versions: readonly Version[],
  ) {
    for (const { version, state } of versions) this.version.append(h('option', { value: version }, `Version ${version} (${state})`));
    this.version.addEventListener('change', () => void this.chosen());
    const cancel = h('button', { class: 'button', type: 'button', onclick: () => this.dialog.close() }, 'Cancel');
    const about = keys.length === 1 ? 'this instance' : `${keys.length} instances`;
    const form = h(
      'form',
      { class: 'stack', method: 'dialog' },
      h('h2', { id: 'migrate-title' }, `Migrate ${about}`),
      h('p', { class: 'muted' }, 'Tokens continue in the other version, each at the node with the same id or at the one you choose. The data do not change.'),
      h('div', { class: 'field' }, h('label', { for: 'migrate-to' }, 'To'), this.version),
      this.shown,
      h('div', { class: 'row' }, this.go, cancel),
    );
    this.dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'migrate-title', 'data-testid': 'migrate-dialog' }, form);
  }

  open(): Promise<Migration | undefined> {
    document.body.append(this.dialog);
    this.dialog.showModal();
    return new Promise((resolve) =>
      this.dialog.addEventListener('close', () => {
        this.look++;
        this.dialog.remove();
        const decided = { version: Number(this.version.value), mapping: this.mapping, keys: this.possible };
        resolve(this.dialog.returnValue === 'migrate' ? decided : undefined);
      }),
    );
  }

  private async chosen(): Promise<void> {
    this.mapping = {};
    const version = this.version.value;
    const path = `/v1/definitions/${encodeURIComponent(this.process)}/${encodeURIComponent(version)}`;
    this.nodes = version === '' ? [] : ((await getJson<{ nodes: MovableNode[] }>(path))?.nodes ?? []);
    if (this.version.value === version) await this.preview();
  }

  private async preview(): Promise<void> {
    const look = ++this.look;
    this.go.disabled = true;
    if (this.version.value === '') return redraw(this.shown);
    const asked = { version: Number(this.version.value), mapping: this.mapping };
    const previews: (Preview | string)[] = [];
    const bar = h('progress', { max: this.keys.length, value: 0, 'aria-label': 'Looking' });
    redraw(this.shown, bar);
    let next = 0;
    const worker = async () => {
      while (next < this.keys.length && look === this.look) {
        const at = next++;
        const found = ask<Preview>(`/v1/instances/${encodeURIComponent(this.keys[at]!)}/migrate/preview`, asked);
        previews[at] = await found.catch((error: Error) => error.message);
        bar.value++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (look !== this.look) return;
    this.possible = this.keys.filter((_, at) => typeof previews[at] !== 'string' && (previews[at] as Preview).possible);
    this.go.disabled = this.possible.length === 0;
    this.show(previews);
  }

  private show(previews: readonly (Preview | string)[]): void {
    const all = this.keys.length;
    const summary = all === 1 ? (this.possible.length === 1 ? 'It can be migrated.' : 'It cannot be migrated.') : `${this.possible.length} of ${all} can be migrated.`;
    const why = reasons(previews);
    const listed = why.slice(0, SHOWN).map(({ message, count }) => h('li', {}, all === 1 ? message : `${message} (${count})`));
    if (why.length > SHOWN) listed.push(h('li', {}, `…and ${why.length - SHOWN} other reasons`));
    const rows = [...places(previews)].map(([node, to]) => this.row(node, to));
    const head = h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Token at'), h('th', { scope: 'col' }, 'Goes on at')));
    redraw(
      this.shown,
      h('p', { role: 'status', 'data-testid': 'migrate-summary' }, h('strong', {}, summary)),
      ...(listed.length > 0 ? [h('ul', { class: 'effects', 'data-testid': 'migrate-problems' }, ...listed)] : []),
      ...(rows.length > 0 ? [h('table', { class: 'cards' }, h('caption', { class: 'visually-hidden' }, 'Where tokens go'), head, h('tbody', {}, ...rows))] : []),
    );
  }

  private row(node: string, to: string | null): HTMLElement {
    const option = ({ id, name, type }: MovableNode) => h('option', { value: id, selected: id === to }, name ? `${name} (${type} ${id})` : `${type} ${id}`);
    const choices = this.nodes.filter(({ type }) => !/^(startEvent|endEvent)$/.test(type)).map(option);
    const select = h(
      'select',
      { class: 'input', 'aria-label': `Where ${node} continues`, 'data-focus': `map/${node}` },
      h('option', { value: '', selected: to === null }, 'Nowhere'),
      ...choices,
    );
    select.addEventListener('change', () => {
      if (select.value === '' || select.value === node) delete this.mapping[node];
      else this.mapping[node] = select.value;
      void this.preview();
    });
    return h('tr', {}, h('td', { 'data-label': 'Token at' }, h('code', {}, node)), h('td', { 'data-label': 'Goes on at' }, select));
  }
}

/** Resolves to the decision, or to `undefined` if cancelled. */
export async function askForMigration(process: string, keys: readonly string[], current?: number): Promise<Migration | undefined> {
  const read = await getJson<{ versions: Version[] }>(`/v1/definitions/${encodeURIComponent(process)}`);
  const targets = (read?.versions ?? []).filter(({ version, state }) => state !== 'draft' && state !== 'deleted' && version !== current);
  if (targets.length === 0) throw new Error(`expected another version of '${process}' to migrate to, but there is none: publish one first`);
  return new MigrateDialog(process, keys, [...targets].sort((a, b) => b.version - a.version)).open();
}
