import { h } from '../dom.js';

/** The action and appearance of a button. */
export interface CommandButton {
  label: string;
  /** Identifies the focus after a redraw: `place/command`. */
  focus: string;
  /** Read by a screen reader after the label, if several rows have the same button. */
  about?: string;
  kind?: 'danger' | 'primary';
  run: () => void;
}

/** A button for a command to the server. Tests find it by its label in lower case. */
export function commandButton({ label, focus, about, kind, run }: CommandButton): HTMLElement {
  const id = label.toLowerCase().replace('…', '');
  const look = ['button', 'compact', kind].filter(Boolean).join(' ');
  const more = about !== undefined && h('span', { class: 'visually-hidden' }, ` ${about}`);
  return h('button', { class: look, type: 'button', 'data-testid': id, 'data-focus': focus, onclick: run }, label, more);
}
