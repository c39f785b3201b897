/** Completion of `${path}` in a text area: a list of known paths below it, by arrow keys, Enter or click. */
import { h } from '../dom.js';

const MOST = 8;

export function completePaths(root: HTMLElement, paths: () => readonly string[]): void {
  const area = root.querySelector('textarea');
  if (!area) return;
  const id = `${area.id}-paths`;
  const list = h('ul', { class: 'completion', role: 'listbox', id, 'aria-label': 'Known data paths', hidden: true });
  area.after(list);
  area.setAttribute('role', 'combobox');
  area.setAttribute('aria-autocomplete', 'list');
  area.setAttribute('aria-controls', id);
  area.setAttribute('aria-expanded', 'false');
  let found: string[] = [];
  let chosen = 0;

  const typed = () => /\$\{([\p{L}\p{N}_.]*)$/u.exec(area.value.slice(0, area.selectionStart))?.[1];
  const hide = () => {
    found = [];
    list.hidden = true;
    area.setAttribute('aria-expanded', 'false');
    area.removeAttribute('aria-activedescendant');
  };
  const take = (path: string) => {
    const start = area.selectionStart - (typed()?.length ?? 0);
    const closed = area.value.slice(area.selectionStart).startsWith('}');
    area.setRangeText(`${path}${closed ? '' : '}'}`, start, area.selectionStart, 'end');
    if (closed) area.selectionStart = area.selectionEnd = area.selectionEnd + 1;
    hide();
    area.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const draw = () => {
    const options = found.map((path, index) => {
      const option = h('li', { role: 'option', id: `${id}-${index}`, 'aria-selected': String(index === chosen) }, path);
      // Before the text area loses the focus.
      option.addEventListener('mousedown', (event) => {
        event.preventDefault();
        take(path);
      });
      return option;
    });
    list.replaceChildren(...options);
    list.hidden = false;
    area.setAttribute('aria-expanded', 'true');
    area.setAttribute('aria-activedescendant', `${id}-${chosen}`);
  };
  area.addEventListener('input', () => {
    const prefix = typed();
    found =
      prefix === undefined
        ? []
        : paths()
            .filter((path) => path.startsWith(prefix) && path !== prefix)
            .slice(0, MOST);
    chosen = 0;
    if (found.length === 0) hide();
    else draw();
  });
  area.addEventListener('blur', hide);
  area.addEventListener('keydown', (event) => {
    if (found.length === 0) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) chosen = (chosen + step + found.length) % found.length;
    else if (event.key === 'Escape') hide();
    else if (event.key === 'Enter' || event.key === 'Tab') take(found[chosen]!);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (found.length > 0 && step !== undefined) draw();
  });
}
