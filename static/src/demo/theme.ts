import { h } from '../dom.js';

const NAMES: Record<string, string> = { plain: 'Plain', stripes: 'Stripes', orbit: 'Orbit' };
const STORED = 'stepwire.demo.theme';

/** The card theme preferred in this browser: a value of the page itself, which the process requests by `clientDataKeys`. */
export function theme(): string {
  return localStorage.getItem(STORED) ?? 'orbit';
}

/** Lets the visitor choose the theme. */
export function themePicker(): HTMLElement {
  const options = Object.entries(NAMES).map(([value, name]) => h('option', { value, selected: value === theme() }, name));
  const select = h('select', { class: 'input', 'data-testid': 'theme' }, ...options);
  select.addEventListener('change', () => {
    localStorage.setItem(STORED, select.value);
    const sample = document.querySelector<HTMLElement>('.hero .bank-card');
    if (sample) sample.dataset.theme = select.value;
  });
  return h('label', { class: 'theme-picker' }, 'Card theme', select);
}
