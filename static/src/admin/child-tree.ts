/** The children of an instance as a tree: those of a child are loaded when its branch is opened. */
import type { ChildInfo, Instance, InstanceStatus, Store } from '@stepwire/client';
import { h, redraw } from '../dom.js';
import { getJson } from './rest.js';

export class ChildTree {
  private readonly open = new Set<string>();

  constructor(private readonly root: HTMLElement) {}

  show(children: readonly Instance[]): void {
    if (children.length === 0) return redraw(this.root, h('p', { class: 'empty' }, 'None.'));
    const items = children.map(({ key, process, status }) => this.item(key, process ?? '', status.get(), status));
    redraw(this.root, h('ul', { class: 'log-list child-tree' }, ...items));
  }

  private item(key: string, process: string, now: InstanceStatus | undefined, status?: Store<InstanceStatus | undefined>): HTMLElement {
    const badge = h('span', { class: 'badge', 'data-status': now }, now ?? '…');
    status?.subscribe((next) => {
      badge.dataset.status = next;
      badge.textContent = next ?? '';
    });
    const below = h('div', { class: 'below' });
    const link = h('a', { href: encodeURIComponent(key), class: 'table-link' }, key);
    const branch = h('details', { open: this.open.has(key) }, h('summary', {}, process, ' ', badge), link, below);
    const read = () => void this.below(key).then((list) => redraw(below, list));
    branch.addEventListener('toggle', () => {
      if (!branch.open) return void this.open.delete(key);
      this.open.add(key);
      read();
    });
    return h('li', { class: 'body', 'data-child': key }, branch);
  }

  private async below(key: string): Promise<HTMLElement> {
    const read = await getJson<{ children: ChildInfo[]; next: number | null }>(`/v1/instances/${encodeURIComponent(key)}/children?limit=100`);
    const children = read?.children ?? [];
    if (children.length === 0) return h('p', { class: 'muted small' }, 'No children of its own.');
    const items = children.map(({ instance, process, status }) => this.item(instance, process, status));
    const more = read?.next ? h('p', { class: 'muted small' }, 'There are more; see its own page.') : undefined;
    return h('div', {}, h('ul', {}, ...items), more);
  }
}
