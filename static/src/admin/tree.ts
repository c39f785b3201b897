import { h } from '../dom.js';
import { whenReleased } from '../press.js';

/** Draws JSON into `root` as a tree with foldable branches. Folded branches stay folded, and changes are marked. */
export class JsonTree {
  private readonly folded = new Set<string>();
  private shown: unknown;
  private wanted = '';

  constructor(private readonly root: HTMLElement) {}

  /** Shows only branches in which a name or value contains this text. */
  search(text: string): void {
    this.wanted = text.trim().toLowerCase();
    this.narrow();
  }

  private narrow(): void {
    for (const line of this.root.querySelectorAll<HTMLElement>('li')) {
      const fits = this.wanted === '' || line.textContent!.toLowerCase().includes(this.wanted);
      const above = line.parentElement!.closest<HTMLElement>('li');
      const name = above?.querySelector('.name')?.textContent?.toLowerCase() ?? '';
      // A branch with a matching name is shown completely.
      line.hidden = !fits && !(above !== null && !above.hidden && this.wanted !== '' && name.includes(this.wanted));
      const branch = line.querySelector<HTMLDetailsElement>(':scope > details');
      if (branch && fits && this.wanted !== '') branch.open = true;
    }
  }

  show(value: unknown): void {
    const before = this.shown;
    this.shown = value;
    const drawn = this.draw(value, before, '', before === undefined);
    whenReleased(this.root, () => {
      this.root.replaceChildren(drawn);
      if (this.wanted) this.narrow();
    });
  }

  private draw(value: unknown, before: unknown, path: string, first: boolean): HTMLElement {
    if (typeof value !== 'object' || value === null) return leaf(value, !first && before !== value);
    const members = Object.entries(value);
    if (members.length === 0) return h('span', { class: 'muted' }, Array.isArray(value) ? '[ ]' : '{ }');
    const old = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
    const list = h('ul');
    for (const [name, member] of members) list.append(this.member(name, member, old[name], `${path}/${name}`, first));
    return list;
  }

  private member(name: string, value: unknown, before: unknown, path: string, first: boolean): HTMLElement {
    const label = h('span', { class: 'name' }, name);
    const drawn = this.draw(value, before, path, first);
    if (drawn.tagName !== 'UL') return h('li', {}, label, ': ', drawn);
    const branch = h('details', { open: !this.folded.has(path) }, h('summary', {}, label), drawn);
    branch.addEventListener('toggle', () => (branch.open ? this.folded.delete(path) : this.folded.add(path)));
    return h('li', {}, branch);
  }
}

function leaf(value: unknown, changed: boolean): HTMLElement {
  const kind = typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'word';
  return h('span', { class: changed ? `${kind} changed` : kind }, JSON.stringify(value));
}
