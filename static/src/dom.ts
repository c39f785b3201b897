/** Creates elements: only what both the demo and the admin pages need. */
import { whenReleased } from './press.js';

type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;
export type Child = Node | string | undefined | false;

/** An element with attributes (`on…` functions are listeners, `true` is an empty attribute) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

/** The page's element with this id, which its template must have. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`expected an element with id '${id}' in the page, but there is none`);
  return element as E;
}

/**
 * Replaces the content of `root`; unchanged elements are not touched, so that a user who is typing there can continue. While the user
 * presses an element that would be replaced, it waits, so that the click counts. The focus is kept, too: on the element with the same
 * `data-focus`, else on another one with the same part before the `/`, else on `root`.
 */
export function redraw(root: HTMLElement, ...children: Node[]): void {
  whenReleased(root, () => replace(root, children), children);
}

function replace(root: HTMLElement, children: readonly Node[]): void {
  const focused = root.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
  const wanted = new Set(children);
  for (const child of [...root.childNodes]) if (!wanted.has(child)) child.remove();
  children.forEach((child, at) => {
    if (root.childNodes[at] !== child) root.insertBefore(child, root.childNodes[at] ?? null);
  });
  if (!focused || root.contains(focused)) return;
  const name = focused.dataset.focus ?? '';
  const place = name.split('/')[0]!;
  const exact = root.querySelector<HTMLElement>(`[data-focus="${CSS.escape(name)}"]`);
  const near = root.querySelector<HTMLElement>(`[data-focus^="${CSS.escape(`${place}/`)}"]`);
  if (!exact && !near) root.tabIndex = -1;
  (exact ?? near ?? root).focus({ preventScroll: true });
}

/** Calls `run` once for any number of calls in the same task. */
export function batched(run: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      run();
    });
  };
}
